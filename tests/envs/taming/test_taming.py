import datetime
import gc
import os
import random
import secrets
import sys
import threading
import time
import types
import uuid
from random import choice, gauss

import numpy as np
import pytest
from gymnasium.utils import seeding

from coplay.envs import taming
from coplay.envs.taming import SimulatedFrame, streams
from coplay.envs.taming.patches import SimulatedFunction


@pytest.fixture(autouse=True)
def _installed():
    taming.install()


SOURCES = {
    "random.random": lambda: random.random(),
    "random.gauss": lambda: random.gauss(0, 1),
    "random.shuffle": lambda: random.sample(range(100), 10),
    "choice by name": lambda: choice(range(10**9)),
    "gauss by name": lambda: gauss(0, 1),
    "random.Random()": lambda: random.Random().random(),
    "random.seed()": lambda: (random.seed(), random.random()),
    "SystemRandom": lambda: random.SystemRandom().random(),
    "np.random.rand": lambda: np.random.rand(),
    "np.random.randint": lambda: np.random.randint(10**9),
    "np.random.seed()": lambda: (np.random.seed(), np.random.normal()),
    "default_rng()": lambda: np.random.default_rng().random(),
    "RandomState()": lambda: np.random.RandomState().rand(),
    "PCG64()": lambda: np.random.PCG64().random_raw(),
    "SeedSequence()": lambda: np.random.SeedSequence().entropy,
    "gymnasium": lambda: seeding.np_random(None)[0].random(),
    "os.urandom": lambda: os.urandom(8),
    "secrets": lambda: secrets.token_hex(8),
    "uuid1": lambda: uuid.uuid1(),
    "uuid4": lambda: uuid.uuid4(),
}
CLOCKS = {
    "time": lambda: time.time(),
    "time_ns": lambda: time.time_ns(),
    "monotonic": lambda: time.monotonic(),
    "perf_counter": lambda: time.perf_counter(),
    "perf_counter_ns": lambda: time.perf_counter_ns(),
    "process_time": lambda: time.process_time(),
    "now": lambda: datetime.datetime.now(),
    "now in UTC": lambda: datetime.datetime.now(datetime.UTC),
    "today": lambda: datetime.datetime.today(),
}


@pytest.mark.parametrize("source", [*SOURCES, *CLOCKS])
def test_simulated_frame_gives_the_same_twice(source):
    draw = (SOURCES | CLOCKS)[source]
    runs = []
    for _ in range(2):
        with SimulatedFrame(5, 9, 0.3):
            runs.append([draw() for _ in range(3)])
    assert runs[0] == runs[1]


@pytest.mark.parametrize("source", SOURCES)
def test_frames_and_seeds_and_draws_differ(source):
    draw = SOURCES[source]
    drawn = []
    for seed, frame in ((5, 9), (5, 10), (6, 9)):
        with SimulatedFrame(seed, frame, 0.0):
            drawn += [str(draw()), str(draw())]
    assert len(set(drawn)) == len(drawn)


@pytest.mark.parametrize("source", CLOCKS)
def test_clocks_run_with_the_frames(source):
    read = CLOCKS[source]
    readings = []
    for frame in range(3):
        with SimulatedFrame(1, frame, frame / 30):
            readings += [read(), read()]
    assert readings == sorted(readings)
    assert len(set(readings)) == len(readings)


def test_sources_outside_a_frame_are_untouched():
    random.seed(3)
    np.random.seed(3)
    before = random.random(), np.random.rand()
    random.seed(3)
    np.random.seed(3)
    with SimulatedFrame(1, 1, 0.0):
        random.seed(99)
        np.random.seed(99)
        random.gauss(0, 1)
        np.random.randn()
    assert (random.random(), np.random.rand()) == before
    assert os.urandom(8) != os.urandom(8)


def test_half_drawn_gauss_pair_does_not_cross_into_the_next_frame():
    with SimulatedFrame(1, 1, 0.0):
        pair = random.gauss(0, 1), random.gauss(0, 1)
    with SimulatedFrame(1, 1, 0.0):
        assert random.gauss(0, 1) == pair[0]
    with SimulatedFrame(1, 1, 0.0):
        assert (random.gauss(0, 1), random.gauss(0, 1)) == pair


def test_names_that_a_module_imported_earlier_are_reached():
    taming.uninstall()
    module = types.ModuleType("imported_early")
    exec("from random import random\nfrom numpy.random import rand\nfrom time import time", vars(module))
    sys.modules["imported_early"] = module
    try:
        taming.install()
        runs = []
        for _ in range(2):
            with SimulatedFrame(1, 1, 0.0):
                runs.append((module.random(), module.rand(), module.time()))
        assert runs[0] == runs[1]
    finally:
        del sys.modules["imported_early"]
    taming.uninstall()
    assert module.random is random.random
    assert type(random._inst) is random.Random


def test_datetime_is_itself_again_after_the_frame():
    real = datetime.datetime
    with SimulatedFrame(1, 1, 0.0):
        assert datetime.datetime is not real
        assert isinstance(real(2020, 1, 1), datetime.datetime)
    assert datetime.datetime is real


def test_other_threads_keep_their_own_clock():
    readings = []
    with SimulatedFrame(1, 1, 0.0):
        thread = threading.Thread(target=lambda: readings.append(time.time()))
        thread.start()
        thread.join()
        simulated = time.time()
    assert readings[0] - simulated > 1e6


def test_garbage_is_not_collected_within_a_frame():
    with SimulatedFrame(1, 1, 0.0):
        assert not gc.isenabled()
    assert gc.isenabled()


def test_frame_ends_when_the_simulation_raises():
    with pytest.raises(ZeroDivisionError), SimulatedFrame(1, 1, 0.0):
        _ = 1 / 0
    assert streams.current is None


def test_frame_inside_a_frame_does_not_disturb_it():
    with SimulatedFrame(1, 1, 0.0):
        expected = [np.random.rand(), random.random(), np.random.rand(), random.random()]
    with SimulatedFrame(1, 1, 0.0):
        drawn = [np.random.rand(), random.random()]
        with SimulatedFrame(2, 2, 0.0):
            np.random.rand()
            random.random()
        drawn += [np.random.rand(), random.random()]
    assert drawn == expected


def test_untamed_clock_goes_on_in_a_frame():
    assert isinstance(time.perf_counter, SimulatedFunction)
    clock = taming.original_of(time.perf_counter)
    before = clock()
    with SimulatedFrame(1, 2, 3.0):
        assert time.perf_counter() == pytest.approx(3.0, abs=1e-3)
        assert clock() >= before
        assert clock is taming.original_of(clock)
