"""Volley: physics, symmetry, determinism, and whether it makes a game."""

import math
import random
import timeit
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from bot import policy
from court import HEIGHT, WIDTH, draw
from pettingzoo.test import parallel_api_test
from volley_env import (
    BALL_GRAVITY,
    BALL_RADIUS,
    FASTEST_HIT,
    HALF_COURT,
    HITS_IN_A_ROW,
    NET_RADIUS,
    PLAYER_RADIUS,
    Volley,
)

from coplay.study.canvas import Canvas

Policy = Callable[[Volley, int], int]
MIRRORED = (0, 2, 1, 3, 5, 4)


def noise(seed: int) -> Policy:
    chance = random.Random(seed)
    held = [0, 0]

    def choose(env: Volley, player: int) -> int:
        if chance.random() < 0.1:
            held[player] = chance.randrange(6)
        return held[player]

    return choose


def frames(seed: int, left: Policy = policy, right: Policy = policy) -> Iterator[tuple[Volley, float]]:
    env = Volley()
    env.reset(seed=seed)
    while env.agents:
        _, rewards, *_ = env.step({"left": left(env, 0), "right": right(env, 1)})
        yield env, rewards["left"]


def state(env: Volley) -> dict[str, object]:
    return {name: list(v) if isinstance(v, list) else v for name, v in vars(env).items()}


def test_volley_keeps_the_parallel_api() -> None:
    parallel_api_test(Volley(), num_cycles=500)


@pytest.mark.parametrize("seed", range(4))
def test_ball_and_players_stay_in_bounds(seed: int) -> None:
    far, near = HALF_COURT - PLAYER_RADIUS, NET_RADIUS + PLAYER_RADIUS
    for env, _ in frames(seed, noise(seed), noise(seed + 100)):
        assert abs(env.ball_x) <= HALF_COURT - BALL_RADIUS
        assert BALL_RADIUS <= env.ball_y <= 700
        assert -far <= env.x[0] <= -near
        assert near <= env.x[1] <= far
        assert min(env.y) >= PLAYER_RADIUS


@pytest.mark.parametrize("seed", range(4))
def test_ball_never_has_more_energy_than_the_hardest_hit_gives(seed: int) -> None:
    highest_hit = 260  # a player's greatest reach
    limit = FASTEST_HIT**2 / 2 + BALL_GRAVITY * highest_hit
    for env, _ in frames(seed, noise(seed), policy):
        energy = (env.ball_vx**2 + env.ball_vy**2) / 2 + BALL_GRAVITY * env.ball_y
        assert energy <= limit


@pytest.mark.parametrize("seed", range(4))
def test_observations_lie_in_their_space(seed: int) -> None:
    env = Volley()
    observations, _ = env.reset(seed=seed)
    play = noise(seed)
    while env.agents:
        for agent, observation in observations.items():
            assert env.observation_space(agent).contains(observation)
        observations, *_ = env.step({"left": play(env, 0), "right": play(env, 1)})


def test_mirrored_actions_give_mirrored_play_exactly() -> None:
    one, other = Volley(), Volley()
    one.reset(seed=5)
    other.reset(seed=5)
    other.server, other.serves = 1 - one.server, 0
    other._serve()
    play = noise(6)
    while one.agents:
        left, right = play(one, 0), play(one, 1)
        seen, rewards, *_ = one.step({"left": left, "right": right})
        mirrored, mirrored_rewards, *_ = other.step({"left": MIRRORED[right], "right": MIRRORED[left]})
        assert (other.ball_x, other.ball_y) == (-one.ball_x, one.ball_y)
        assert other.x == [-one.x[1], -one.x[0]]
        assert other.score == one.score[::-1]
        assert np.array_equal(mirrored["left"], seen["right"])
        assert mirrored_rewards["left"] == rewards["right"]
    assert not other.agents


def test_same_seed_and_actions_give_the_same_game() -> None:
    one = [state(env) for env, _ in frames(3, noise(1), noise(2))]
    assert one == [state(env) for env, _ in frames(3, noise(1), noise(2))]


def test_another_seed_gives_another_game() -> None:
    (one, _), (other, _) = next(frames(1)), next(frames(2))
    assert one.drifts != other.drifts


def test_both_sides_serve_first_equally_often() -> None:
    firsts = [next(frames(seed))[0].server for seed in range(200)]
    assert 70 <= sum(firsts) <= 130


def test_state_is_a_few_plain_numbers() -> None:
    env, _ = next(frames(1))
    values = [
        v for value in vars(env).values() for v in (value if isinstance(value, list | tuple) else [value])
    ]
    assert all(type(value) in (int, float, str) for value in values)
    assert len(values) < 50


def test_fourth_hit_in_a_row_loses_the_point() -> None:
    env = Volley()
    env.reset(seed=1)
    env.hanging = 0
    env.row[0] = HITS_IN_A_ROW
    env.ball_x, env.ball_y, env.ball_vy = env.x[0] + 1, PLAYER_RADIUS * 3, -2.0
    reward = 0.0
    for _ in range(60):
        _, rewards, *_ = env.step({"left": 0, "right": 0})
        reward += rewards["left"]
    assert env.row[0] == HITS_IN_A_ROW + 1
    assert reward == -1.0
    assert env.score == [0, 1]


def test_ball_between_both_players_is_no_longer_than_a_moment() -> None:
    env = Volley()
    env.reset(seed=1)
    env.hanging, env.ball_vx, env.ball_x = 0, 0.0, 0.0
    env.x = [-NET_RADIUS - PLAYER_RADIUS, NET_RADIUS + PLAYER_RADIUS]
    for _ in range(400):
        env.step({"left": 5, "right": 4})
        if sum(env.score):
            return
    pytest.fail("the ball stayed on the net")


def test_bot_against_bot_ends_in_time_with_rallies() -> None:
    hits, points, left_points = [], [], 0
    for seed in range(12):
        for env, reward in frames(seed):
            if reward:
                hits.append(env.rally)
                left_points += reward > 0
        assert env.frame <= env.max_frames
        points.append(sum(env.score))
    assert sum(hits) / len(hits) > 3
    assert sum(points) / len(points) > 4
    assert 0.3 < left_points / len(hits) < 0.7


def attentive(env: Volley, player: int) -> int:
    """Someone who reads the ball as soon as it is hit and stands under it: what a practised person does."""
    side = 1.0 if player else -1.0
    rise = env.ball_vy + math.sqrt(max(env.ball_vy**2 + 2 * BALL_GRAVITY * (env.ball_y - 55), 0))
    landing = side * (env.ball_x + env.ball_vx * rise / BALL_GRAVITY)
    landing = 2 * (HALF_COURT - BALL_RADIUS) - landing if landing > HALF_COURT - BALL_RADIUS else landing
    goal = landing + 14 if landing > 0 else 190
    ahead = min(max(goal, 50), HALF_COURT - PLAYER_RADIUS) - side * env.x[player] - 4 * side * env.vx[player]
    return 0 if abs(ahead) < 8 else 2 if ahead * side > 0 else 1


def test_bot_beats_chance_and_loses_to_attention() -> None:
    def points(right: Policy) -> tuple[int, int]:
        scores = [[env.score for env, _ in frames(seed, policy, right)][-1] for seed in range(8)]
        return sum(left for left, _ in scores), sum(right for _, right in scores)

    bot, chance = points(noise(1))
    assert bot > 3 * chance
    bot, person = points(attentive)
    assert person > bot


def test_step_takes_well_under_a_hundred_microseconds() -> None:
    env = Volley()
    env.reset(seed=1)
    seconds = min(timeit.repeat(lambda: env.step({"left": 2, "right": 4}), number=500, repeat=5)) / 500
    assert seconds < 60e-6


@pytest.mark.parametrize("seed", range(3))
def test_every_frame_can_be_drawn(seed: int) -> None:
    canvas = Canvas()
    strings = 0
    for env, _ in frames(seed):
        canvas.begin()
        draw(env, canvas)
        ops = canvas.ops()
        assert all(map(math.isfinite, ops))
        assert len(ops) < 700
        strings += len(canvas.new_strings())
    assert canvas.size == (WIDTH, HEIGHT)
    assert strings < 250
