"""What replaced functions look like to an environment that holds one."""

import datetime
import random
import time

import pytest

from coplay.envs import taming
from coplay.envs.state.walk import StateWalk
from coplay.envs.taming import SimulatedFrame, patches


@pytest.fixture(autouse=True)
def _installed():
    taming.install()


def test_replaced_function_says_what_it_is():
    assert repr(time.time) == "<time, a function of the frame inside a simulation>"
    assert time.time.__name__ == "time"


def test_names_that_checksums_include_are_those_of_recorded_games():
    with SimulatedFrame(1, 1, 0.0):
        held = [type(time.time), type(random._inst), datetime.datetime, datetime.date]
    assert [(cls.__module__, cls.__qualname__) for cls in held] == [
        ("coplay.envs.taming", name)
        for name in ("Tamed", "GlobalRandom", "_SimulatedDatetime", "_SimulatedDate")
    ]


def test_replaced_function_is_a_constant_of_the_state():
    held = {"clock": time.time}
    walk = StateWalk({"held": held})
    before = walk.checksum(walk.take())
    time.time()
    assert walk.checksum(walk.take()) == before
    assert walk.unwalkable() == []


def test_originals_are_back_once_uninstalled():
    taming.uninstall()
    assert not patches.installed()
    assert type(time.time).__name__ == "builtin_function_or_method"
    assert type(random._inst) is random.Random
