"""The kitchen's drawing follows cogrid's state, and the quick kitchen is the same game."""

import math
import random
import timeit
from typing import Any

import pytest

pytest.importorskip("cogrid", reason="cogrid is not installed: `make install`, or `pip install cogrid`")

import kitchen
import quick
from cogrid.envs import registry

from coplay.study.canvas import SOUND, Canvas

UP, DOWN, LEFT, RIGHT, TAKE, NOTHING = 0, 1, 2, 3, 4, 6
ONION_TO_POT = [LEFT, TAKE, RIGHT, UP, TAKE, LEFT]
PLATE_TO_POT = [DOWN, DOWN, TAKE, UP, RIGHT, UP, TAKE]
POT_TO_HATCH = [RIGHT, DOWN, DOWN, TAKE]


def cramped_room(make: Any = None) -> Any:
    env = make() if make else registry.make("Overcooked-CrampedRoom-V0")
    env.reset(seed=3)  # the second chef stands at the left crate, the first out of the way
    return env


def drawn(env: Any, canvas: Canvas) -> list[float]:
    canvas.begin()
    kitchen.draw(env, canvas)
    return list(canvas.ops())


def words(env: Any) -> set[str]:
    canvas = Canvas()
    drawn(env, canvas)
    return set(canvas.new_strings())


@pytest.mark.parametrize(
    "name",
    ["CrampedRoom", "AsymmetricAdvantages", "CoordinationRing", "ForcedCoordination", "CounterCircuit"],
)
def test_every_state_of_random_play_can_be_drawn(name: str) -> None:
    env = registry.make(f"Overcooked-{name}-V0")
    env.reset(seed=1)
    chance, canvas = random.Random(name), Canvas()
    for _ in range(150):
        env.step({0: chance.randrange(7), 1: chance.randrange(7)})
        ops = drawn(env, canvas)
        assert all(map(math.isfinite, ops))
    assert canvas.size == (120 * env.grid.width, 120 * env.grid.height + 48)
    assert len(canvas.new_strings()) < 150


def test_one_soup_goes_from_crate_to_hatch() -> None:
    env, canvas = cramped_room(), Canvas()
    sounds = 0

    def play(actions: list[int]) -> None:
        nonlocal sounds
        for action in actions:
            env.step({0: NOTHING, 1: action})
            ops = drawn(env, canvas)
            sounds += ops[-3:-1] == [SOUND, -1]

    play(3 * ONION_TO_POT)
    assert "cooking" in words(env)
    play([NOTHING] * kitchen.COOKING_FRAMES)
    assert "READY" in words(env)
    play(PLATE_TO_POT)
    assert "READY" not in words(env)
    assert "chef 1 holds" in words(env)
    play(POT_TO_HATCH)
    assert "chef 1 holds" not in words(env)
    assert env.cumulative_score == 2 * (3 * 3 + 5 + 20)
    assert sounds == 5  # three onions, a dish, a delivery


def test_chefs_keep_their_names_when_they_pass_each_other() -> None:
    env = cramped_room()
    assert {"chef 0", "chef 1"} <= words(env)


def test_drawing_leaves_the_state_alone() -> None:
    env = cramped_room()
    before = env.get_state()
    drawn(env, Canvas())
    assert env.get_state() == before


def test_drawing_takes_well_under_a_millisecond() -> None:
    env, canvas = cramped_room(), Canvas()
    seconds = min(timeit.repeat(lambda: drawn(env, canvas), number=20, repeat=5)) / 20
    assert seconds < 1e-3


def test_quick_kitchen_is_the_same_game() -> None:
    usual, fast = cramped_room(), cramped_room(quick.make)
    chance = random.Random(7)
    for _ in range(300):
        actions = {0: chance.randrange(7), 1: chance.randrange(7)}
        assert usual.step(actions)[1:] == fast.step(actions)[1:]
        assert usual.get_state() == fast.get_state()
