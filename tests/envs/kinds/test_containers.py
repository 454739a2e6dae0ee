"""Containers come back with their contents and the order of these."""

import collections
import enum
import itertools

import numpy as np
import pytest

from coplay.envs.kinds.containers import in_canonical_order
from coplay.envs.state.walk import StateWalk


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Thing:
    pass


@pytest.mark.parametrize(
    "elements",
    [
        [3, -1, 10**30, 0],
        ["b", "a", ""],
        [(1, "a"), (1, ("b",)), ()],
        [frozenset({1, 2}), frozenset({3}), frozenset()],
        [np.float64(2.0), np.int8(3), np.int64(3)],
        [Colour.RED, Colour.BLUE],
        [1, "a", None, 2.5, (1, 2), Colour.RED, frozenset({1})],
    ],
    ids=repr,
)
def test_canonical_order_depends_on_the_elements_alone(elements):
    orders = {tuple(map(repr, in_canonical_order(order))) for order in itertools.permutations(elements)}
    assert len(orders) == 1


def test_elements_without_a_value_keep_their_order():
    things = [Thing() for _ in range(5)]
    assert in_canonical_order(things) == things


def test_ordered_dict_comes_back_in_its_own_order():
    held = collections.OrderedDict(a=1, b=[2], c=3)
    held.move_to_end("a")
    walk = StateWalk({"held": held})
    saved = walk.take()
    held.move_to_end("b")
    held["d"] = held.pop("c")
    walk.restore(saved)
    assert list(held.items()) == [("b", [2]), ("c", 3), ("a", 1)]


def test_methods_of_a_subclass_are_not_called():
    class Loud(dict):
        def items(self):
            raise AssertionError

        def clear(self):
            raise AssertionError

        def __setitem__(self, key, value):
            raise AssertionError

    held = Loud(a=1)
    held.name = "loud"
    walk = StateWalk({"held": held})
    saved = walk.take()
    dict.__setitem__(held, "b", 2)
    held.name = "quiet"
    walk.restore(saved)
    assert (dict(dict.items(held)), held.name) == ({"a": 1}, "loud")
