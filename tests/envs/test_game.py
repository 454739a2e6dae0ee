import random

import numpy as np
import pytest
from sample_environments import (
    DrawsEverywhere,
    IteratesOverSet,
    KeepsStateOutside,
    OddState,
    OwnsUnseededGenerators,
    Tag,
)

from coplay.envs import Game, load_environment

ENVIRONMENTS = [
    "CartPole-v1",
    "MountainCar-v0",
    "Acrobot-v1",
    "Pendulum-v1",
    "Taxi-v4",
    "FrozenLake-v1",
    "Blackjack-v1",
    "cogrid:Overcooked-CrampedRoom-V0",
    Tag,
    OddState,
    DrawsEverywhere,
    OwnsUnseededGenerators,
    IteratesOverSet,
    KeepsStateOutside,
]


def make_game(spec, **options):
    arguments = {"seed": 7, "episodes": 3, "max_frames": 15, "countdown_frames": 2, "pause_frames": 3}
    game = Game(load_environment(spec), **arguments | options)
    game.start()
    return game


def inputs_for(game, frames, seed=1):
    source = random.Random(seed)
    codecs = game.environment.codecs
    return [tuple(codec.sample(source) for codec in codecs) for _ in range(frames)]


def play(game, inputs):
    checksums = [game.checksum()]
    for chosen in inputs:
        game.step(chosen)
        checksums.append(game.checksum())
    return checksums


@pytest.mark.parametrize("spec", ENVIRONMENTS, ids=str)
def test_rollbacks_leave_no_trace(spec):
    straight, rolled = make_game(spec), make_game(spec)
    inputs = inputs_for(straight, 40)
    wrong = inputs_for(straight, 40, seed=2)
    expected = play(straight, inputs)
    source = random.Random(3)
    saves = [rolled.save()]
    while (frame := len(saves) - 1) < 40:
        back = max(0, frame - source.randrange(6))
        rolled.load(saves[back])
        del saves[back + 1 :]
        for misled in range(back, min(40, back + source.randrange(4))):
            rolled.step(wrong[misled])
        rolled.load(saves[back])
        for again in range(back, min(40, frame + 1)):
            rolled.step(inputs[again])
            saves.append(rolled.save())
    assert [rolled.checksum(saved) for saved in saves] == expected
    assert rolled.diff(rolled.save(), straight.save()) == []
    assert len(set(expected)) > 5


@pytest.mark.parametrize("spec", ENVIRONMENTS, ids=str)
def test_second_game_on_the_same_environment_is_the_first_again(spec):
    environment = load_environment(spec)
    runs = []
    for _ in range(2):
        game = Game(environment, seed=7, max_frames=15)
        game.start()
        runs.append(play(game, inputs_for(game, 20)))
    assert runs[0] == runs[1]


@pytest.mark.parametrize("spec", ENVIRONMENTS, ids=str)
def test_other_seed_gives_another_game(spec):
    games = [make_game(spec, seed=seed) for seed in (1, 2)]
    states = [play(game, inputs_for(game, 10)) for game in games]
    assert states[0] != states[1]


def test_unseeded_generators_of_the_environment_differ_from_game_to_game():
    drawn = []
    for seed in (1, 2, 1):
        game = make_game(OwnsUnseededGenerators, seed=seed, countdown_frames=0)
        game.step((b"\0",))
        drawn.append(game.environment.unwrapped.value)
    assert drawn[0] == drawn[2] != drawn[1]


def test_state_kept_in_a_module_does_not_cross_from_game_to_game():
    first = make_game(KeepsStateOutside)
    expected = play(first, inputs_for(first, 10))
    second = make_game(KeepsStateOutside)
    assert play(second, inputs_for(second, 10)) == expected


def test_generator_with_a_seed_of_its_own_keeps_it():
    class Fixed(OwnsUnseededGenerators):
        def __init__(self):
            super().__init__()
            self.modern = np.random.default_rng(11)

    values = set()
    for seed in (1, 2):
        game = make_game(Fixed, seed=seed, countdown_frames=0)
        values.add(game.environment.unwrapped.modern.random())
    assert values == {np.random.default_rng(11).random()}


def test_environment_stays_the_same_object_through_loads():
    game = make_game("CartPole-v1")
    before = game.environment.unwrapped
    generator = before.np_random
    saved = game.save()
    play(game, inputs_for(game, 10))
    game.load(saved)
    assert game.environment.unwrapped is before
    assert before.np_random is generator


def test_phases_follow_each_other_frame_by_frame():
    game = make_game(OddState, episodes=2, max_frames=3)
    seen = []
    for chosen in inputs_for(game, 16):
        phase, episode = game.phase, game.episode
        row = game.step(chosen)
        assert row.episode == episode
        assert row.stepped == (phase == "playing")
        seen.append((phase, episode))
    one = [("countdown", 0)] * 2 + [("playing", 0)] * 3 + [("between", 0)] * 3
    assert seen == [*one, *[("countdown", 1)] * 2, *[("playing", 1)] * 3, *[("over", 1)] * 3]


def test_frame_limit_truncates_whoever_still_acts():
    game = make_game(Tag, countdown_frames=0, max_frames=6)
    rows = [game.step(chosen) for chosen in inputs_for(game, 6)]
    assert rows[4].terminated == (False, True, False)
    assert rows[5].truncated == (True, False, True)
    assert not any(any(row.truncated) for row in rows[:5])


def test_agent_that_left_gets_no_reward_and_keeps_its_last_observation():
    game = make_game(Tag, countdown_frames=0, max_frames=None)
    rows = [game.step(chosen) for chosen in inputs_for(game, 12)]
    assert [row.rewards[1] for row in rows] == [1.0] * 5 + [0.0] * 7
    assert all(observation is not None for observation in game.environment.observations)
    assert game.scores == (12.0, 5.0, 12.0)
    assert game.phase == "between"


def test_steps_after_the_end_change_nothing():
    game = make_game("CartPole-v1", episodes=1, max_frames=5, countdown_frames=0)
    play(game, inputs_for(game, 5))
    assert game.over
    last = game.checksum()
    row = game.step(inputs_for(game, 1)[0])
    assert not row.stepped
    assert game.checksum() == last


def test_over_rolls_back_like_anything_else():
    game = make_game("CartPole-v1", episodes=1, max_frames=5, countdown_frames=0)
    saved = game.save()
    play(game, inputs_for(game, 5))
    game.load(saved)
    assert (game.phase, game.frame, game.scores) == ("playing", 0, (0.0,))


def test_total_scores_add_up_over_episodes():
    game = make_game("CartPole-v1", episodes=2, max_frames=4, countdown_frames=0, pause_frames=0)
    play(game, inputs_for(game, 8))
    assert game.scores == (4.0,)
    assert game.total_scores == (8.0,)


def test_garbage_inputs_are_played_as_the_default():
    games = [make_game("CartPole-v1") for _ in range(2)]
    assert play(games[0], [(b"\xff" * 9,)] * 10) == play(games[1], [(b"\x00",)] * 10)


def test_difference_is_named_by_its_path():
    game = make_game("CartPole-v1", countdown_frames=0)
    mine = game.save()
    game.environment.unwrapped.state[2] += 1e-16
    game.environment.unwrapped.state[2] = -game.environment.unwrapped.state[2]
    theirs = type(mine)(mine.fields, game._walk.take())
    assert game.diff(mine, theirs) == ["env.state[2]"]


def test_drawing_between_frames_does_not_reach_the_state():
    game = make_game("CartPole-v1")
    before = game.checksum()
    game.environment.unwrapped.screen = "a surface"
    assert game.checksum() == before


def test_save_before_start_is_refused():
    with pytest.raises(RuntimeError, match="before it is started"):
        Game(load_environment("CartPole-v1"), seed=1).save()
