"""Generators that nobody seeded get a seed of the game; others keep theirs."""

import random

import numpy as np
import pytest

from coplay.envs import taming


@pytest.fixture(autouse=True)
def _installed():
    taming.install()


def drawn(generator):
    if isinstance(generator, np.random.BitGenerator):
        return int(generator.random_raw())
    return generator.random()


UNSEEDED = [np.random.PCG64, np.random.MT19937, np.random.Philox, np.random.RandomState, random.Random]
SEEDED = [
    lambda: np.random.PCG64(5),
    lambda: np.random.MT19937(5),
    lambda: np.random.RandomState(5),
    lambda: random.Random(5),
]


@pytest.mark.parametrize("make", UNSEEDED)
def test_unseeded_generator_draws_what_the_seed_says(make):
    draws = {}
    for seed in (1, 2, 1):
        generator = make()
        taming.seed_unseeded([generator], seed)
        draws.setdefault(seed, set()).add(drawn(generator))
    assert len(draws[1]) == 1
    assert draws[1] != draws[2]


@pytest.mark.parametrize("make", SEEDED)
def test_seeded_generator_is_left_alone(make):
    generator = make()
    taming.seed_unseeded([generator], 1)
    assert drawn(generator) == drawn(make())


def test_generators_of_one_environment_differ():
    generators = [np.random.PCG64(), np.random.PCG64()]
    taming.seed_unseeded(generators, 1)
    assert drawn(generators[0]) != drawn(generators[1])


def test_seed_that_was_given_later_counts():
    generator = random.Random()
    generator.seed(5)
    taming.seed_unseeded([generator], 1)
    assert generator.random() == random.Random(5).random()
