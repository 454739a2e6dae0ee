"""A spectator plays confirmed frames late, at the players' pace, and to the same states."""

from random import Random

from coplay.browser.spectating.follower import Follower
from coplay.envs import Game, load_environment

FPS = 30
CARTPOLE = "CartPole-v1"


def played(frames: int) -> tuple[Game, bytes]:
    """Return a played game and its input log."""
    environment = load_environment(CARTPOLE)
    game = Game(environment, seed=5, episodes=50)
    game.start()
    random = Random(1)
    log = b""
    for _ in range(frames):
        action = environment.codecs[0].encode(random.randrange(2))
        log += action
        game.step((action,))
    return game, log


def follower() -> Follower:
    return Follower(Game(load_environment(CARTPOLE), seed=5, episodes=50), (1,), FPS, lambda: 0.0)


def test_late_spectator_catches_up_and_ends_in_the_same_state() -> None:
    game, log = played(400)
    watching = follower()
    watching.add(0, log[:300])
    assert watching.tick(0.0)
    assert 250 < watching.frame <= 300, "old frames are played in one call"
    watching.add(250, log[250:])
    now = 0.0
    while watching.frame < 400:
        now = max(now + 0.001, watching.next_deadline(now))
        watching.tick(now)
    assert watching.game.checksum() == game.checksum()
    assert 0.9 < now < 2, "new frames are played at their own pace"


def test_frames_after_a_gap_wait_until_the_gap_is_filled() -> None:
    _, log = played(40)
    watching = follower()
    watching.add(10, log[10:20])
    assert watching.frames == 0
    watching.add(0, log[:15])
    watching.add(0, log[:15])
    assert watching.frames == 15
    watching.add(10, log[10:])
    assert watching.frames == 40


def test_pace_is_kept_over_irregular_ticks() -> None:
    _, log = played(60)
    watching = follower()
    watching.add(0, log[:45])
    for tick in range(100):
        watching.tick(tick * 0.01 + (0.004 if tick % 3 else 0.0))
    assert 29 <= watching.frame <= 32
