"""Each type of object has the kind that its contents need."""

import datetime
import enum
import logging
import threading

import numpy as np
import pytest
from gymnasium import spaces

from coplay.envs.kinds.instances import INSTANCE
from coplay.envs.kinds.kind import ATOM, ATOMS, UNWALKABLE
from coplay.envs.kinds.random_generators import BIT_GENERATOR, COMPOSITE_SPACE, SPACE
from coplay.envs.kinds.references import TUPLE
from coplay.envs.kinds.registry import kind_of
from coplay.envs.state.walk import StateWalk


class Colour(enum.Enum):
    RED = 1


class Zone(datetime.tzinfo):
    pass


class Pair(tuple):
    __slots__ = ()


class Plain:
    pass


class Empty:
    __slots__ = ()


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (Colour.RED, ATOM),
        (Zone(), ATOM),
        (ValueError("x"), ATOM),
        (threading.Lock(), ATOM),
        (logging.Logger("x"), ATOM),  # not getLogger: libraries set a class of their own
        (Empty(), ATOM),
        (Pair((1, 2)), TUPLE),
        (np.random.PCG64(1), BIT_GENERATOR),
        (spaces.Discrete(2), SPACE),
        (spaces.Tuple([spaces.Discrete(2)]), COMPOSITE_SPACE),
        (Plain(), INSTANCE),
        (iter([1]), UNWALKABLE),
    ],
    ids=lambda value: getattr(value, "name", type(value).__name__),
)
def test_type_has_the_kind_that_its_contents_need(value, kind):
    assert kind_of(type(value)) is kind
    assert (type(value) in ATOMS) == (kind is ATOM)


def test_drawing_objects_are_told_by_their_package():
    surface = type("Surface", (), {"__module__": "pygame.surface"})
    assert kind_of(surface).name == "drawing"


def test_composite_space_leads_to_the_generators_of_its_parts():
    space = spaces.Dict(move=spaces.Discrete(5), turn=spaces.Tuple([spaces.Discrete(1000)]))
    space.seed(1)
    walk = StateWalk({"space": space})
    before = walk.take()
    drawn = [space.sample() for _ in range(3)]
    walk.restore(before)
    assert [space.sample() for _ in range(3)] == drawn
