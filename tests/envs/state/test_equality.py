"""Two saved contents are the same only if they are so bit for bit; in doubt they are not."""

import array

import numpy as np
import pytest

from coplay.envs.state.equality import same_contents

ONE, OTHER = [1], [1]


@pytest.mark.parametrize(
    ("name", "old", "new", "same"),
    [
        ("list", [ONE], [ONE], True),
        ("list", [ONE], [OTHER], False),
        ("list", [ONE], [ONE, ONE], False),
        ("dict", {"a": ONE}, {"a": ONE}, True),
        ("dict", {"a": ONE, "b": 1}, {"b": 1, "a": ONE}, False),
        ("object", {"a": ONE}, {"a": OTHER}, False),
        ("array", np.zeros(2), np.zeros(2), True),
        ("array", np.zeros(2), -np.zeros(2), False),
        ("array", np.zeros(2), np.zeros((1, 2)), False),
        ("array", np.zeros(2, np.int32), np.zeros(2, np.float32), False),
        ("array", np.array([ONE], object), np.array([ONE], object), False),
        ("generator", {"state": 1}, {"state": 1}, True),
        ("generator", {"state": np.zeros(2)}, {"state": np.zeros(2)}, False),
        ("buffer", bytearray(b"a"), bytearray(b"a"), True),
        ("buffer", array.array("d", [0.0]), array.array("d", [-0.0]), False),
        ("cell", ONE, OTHER, False),
        ("slotted", ([1], None, None), ([1], None, None), True),
        ("slotted", ([1], {"a": ONE}, None), ([1], {"a": OTHER}, None), False),
        ("slotted list", ([1], None, [ONE]), ([1], None, [OTHER]), False),
        ("slotted list", ([], None, [ONE]), ([], None, [ONE]), True),
    ],
)
def test_same_means_bit_for_bit(name, old, new, same):
    assert same_contents(name, old, new) is same
