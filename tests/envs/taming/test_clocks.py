"""The functions of `time` in a frame."""

import time

import pytest

from coplay.envs import taming
from coplay.envs.taming import SimulatedFrame


@pytest.fixture(autouse=True)
def _installed():
    taming.install()


def test_all_clocks_agree_on_the_simulated_time():
    with SimulatedFrame(1, 60, 2.0):
        for read in (time.monotonic, time.perf_counter, time.process_time, time.thread_time):
            assert read() == pytest.approx(2.0, abs=1e-3)
        assert time.time_ns() / 1e9 == pytest.approx(time.time(), abs=1e-3)
        assert time.monotonic_ns() / 1e9 == pytest.approx(2.0, abs=1e-3)


def test_sleep_takes_no_time():
    before = taming.original_of(time.perf_counter)()
    with SimulatedFrame(1, 1, 0.0):
        time.sleep(1000)
    assert taming.original_of(time.perf_counter)() - before < 100


def test_local_time_is_utc_so_that_peers_in_other_zones_agree():
    with SimulatedFrame(1, 1, 3600.0):
        now = time.localtime()
        assert now[:6] == time.gmtime()[:6] == (2023, 11, 14, 23, 13, 20)
        assert time.gmtime(0)[:6] == time.localtime(0)[:6] == (1970, 1, 1, 0, 0, 0)
