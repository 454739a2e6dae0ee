"""What a checksum counts, and what it must not."""

import enum

import numpy as np
import pytest
from hypothesis import given, settings
from tests.envs.state.test_walk import Thing, values

from coplay.envs.state.digest import digest, encode
from coplay.envs.state.walk import StateWalk


def taken(value):
    return StateWalk({"env": value}).take()


class Word(str):
    __slots__ = ()


class Count(int):
    pass


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


@settings(deadline=None, max_examples=80)
@given(one=values, other=values)
def test_states_have_equal_checksums_exactly_if_they_have_equal_bytes(one, other):
    first, second = taken(Thing(value=one)), taken(Thing(value=other))
    assert (encode(first) == encode(second)) == (digest(first) == digest(second))
    assert encode(first) == encode(taken(Thing(value=one)))


def test_extra_values_count():
    snapshot = taken([1])
    assert digest(snapshot, (1,)) != digest(snapshot, (2,))
    assert encode(snapshot, (1,)) != encode(snapshot, (2,))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Word("a"), "a"),
        (Word("a"), Word("b")),
        (Count(1), 1),
        (Count(1), Count(2)),
        (Colour.RED, Colour.BLUE),
        (range(3), range(4)),
        (int, float),
        (np.float32(1), np.float32(2)),
    ],
    ids=repr,
)
def test_constants_count_by_type_and_value(one, other):
    assert digest(taken([one])) != digest(taken([other]))
    assert digest(taken([one])) == digest(taken([one]))


def test_drawing_object_is_as_good_as_none():
    surface = type("Surface", (), {"__module__": "pygame.surface"})()
    drawn, headless = taken(Thing(screen=surface, held=[1])), taken(Thing(screen=None, held=[1]))
    assert digest(drawn) == digest(headless)
    assert encode(taken([(surface,)])) == encode(taken([(None,)]))
