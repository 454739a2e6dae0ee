"""A generator's state is asked for again when it is another, and only then."""

import numpy as np
import pytest

from coplay.envs.kinds.random_generators import BIT_GENERATOR
from coplay.envs.state import memory as state_memory
from coplay.envs.state.generators import kind_of_generator
from coplay.envs.state.walk import StateWalk

DRAWS = {
    "64 bits": lambda generator: generator.random_raw(),
    "32 bits": lambda generator: np.random.Generator(generator).integers(2, dtype=np.uint32),
    "far ahead": lambda generator: generator.advance(2**65),
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_saved_state_is_the_generators_own(draw):
    generator = np.random.PCG64(3)
    kind = kind_of_generator(generator)
    assert kind is not BIT_GENERATOR
    saved = kind.save(generator, [])
    assert saved == generator.state
    assert kind.save(generator, []) is saved
    draw(generator)
    later = kind.save(generator, [])
    assert later == generator.state != saved


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_restored_state_is_the_saved_one_whatever_came_between(draw):
    generator = np.random.PCG64(3)
    kind = kind_of_generator(generator)
    first = kind.save(generator, [])
    draw(generator)
    second = kind.save(generator, [])
    draw(generator)  # seen by nobody
    for saved in (second, first, first, second, first):
        kind.restore(generator, saved)
        assert generator.state == saved
        assert kind.save(generator, []) == saved
        draw(generator)


def test_generator_of_another_sort_is_asked_each_time():
    assert kind_of_generator(np.random.MT19937(1)) is BIT_GENERATOR
    assert kind_of_generator(np.random.SFC64(1)) is BIT_GENERATOR


def test_generator_is_asked_each_time_where_memory_is_not_seen(monkeypatch):
    monkeypatch.setattr(state_memory, "_memory", None)
    assert kind_of_generator(np.random.PCG64(1)) is BIT_GENERATOR


def test_walk_restores_a_generator_that_only_drew_outside_of_it():
    generator = np.random.default_rng(5)
    walk = StateWalk({"generator": generator})
    walk.take()
    generator.random()
    saved = walk.take()
    drawn = generator.random()
    for _ in range(20):
        walk.take()
    for _ in range(3):
        walk.restore(saved)
        assert generator.random() == drawn
    walk.restore(saved)
    assert walk.checksum(walk.take()) == walk.checksum(saved)
