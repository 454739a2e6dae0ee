"""Paths name what a person can find in the environment's code."""

import collections
import functools
import types

import numpy as np
from gymnasium import spaces

from coplay.envs.state.paths import describe, find_paths
from coplay.envs.state.walk import StateWalk


class Slotted:
    __slots__ = ("__dict__", "count", "unset")


def leaves_of(**attributes):
    return describe(StateWalk({"env": types.SimpleNamespace(**attributes)}).take())


def test_each_kind_of_object_has_its_paths():
    slotted = Slotted()
    slotted.count, slotted.extra = 1, 2
    total = 5

    def add(step, table={"k": 7}):  # noqa: B006 (a default that holds state)
        return total + step

    space = spaces.Discrete(2, seed=1)
    leaves = leaves_of(
        slotted=slotted,
        recent=collections.deque([3]),
        grid=np.array([[1, 2]]),
        add=add,
        partial=functools.partial(max, [8]),
        raw=bytearray(b"x"),
        space=space,
        pair=(1, {"a": None}),
    )
    for path in (
        "env.slotted.count",
        "env.slotted.extra",
        "env.recent[0]",
        "env.grid[0, 1]",
        "env.grid.shape",
        "env.add.<total>",
        "env.add[0]['k']",
        "env.partial[0][0]",
        "env.raw",
        "env.space._np_random (random state)",
        "env.pair[1]['a']",
    ):
        assert path in leaves, (path, sorted(leaves))
    assert "env.slotted.unset" not in leaves


def test_space_that_was_never_sampled_has_no_generator():
    assert not any("_np_random" in path for path in leaves_of(space=spaces.Discrete(2)))


def test_object_is_found_by_the_first_path_to_it():
    wanted = [1]
    found = find_paths({"a": [wanted], "b": {"c": wanted}}, lambda value: value is wanted)
    assert [path for path, _ in found] == ["a[0]"]
