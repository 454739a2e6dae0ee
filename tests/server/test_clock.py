"""The clock of this machine, and the one that tests move."""

import re
import time

from tests.server.virtual_clock import VirtualClock

from coplay.server.clock import SystemClock, iso_utc


def test_moment_is_recorded_in_utc_with_milliseconds() -> None:
    assert iso_utc(0.0) == "1970-01-01T00:00:00.000+00:00"
    assert iso_utc(1_780_000_000.25) == "2026-05-28T20:26:40.250+00:00"


def test_system_clock_is_that_of_this_machine() -> None:
    clock, before, since = SystemClock(), time.monotonic(), time.time()
    assert before <= clock.now() <= time.monotonic()
    assert since <= clock.wall() <= time.time()
    utc, ms = clock.stamp()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", utc)
    assert before * 1000 - 1 <= ms <= time.monotonic() * 1000 + 1


def test_virtual_clock_stands_still_until_it_is_advanced() -> None:
    clock = VirtualClock(100.0)
    now = clock.now()
    assert (clock.now(), clock.wall()) == (now, 100.0)
    clock.advance(1.5)
    assert (clock.now() - now, clock.wall()) == (1.5, 101.5)
    assert clock.stamp() == ("1970-01-01T00:01:41.500+00:00", round(clock.now() * 1000, 3))
