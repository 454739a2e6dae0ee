"""The protocol with a process that simulates: replies, errors, timeouts, and its end."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from coplay.errors import RuntimeUnavailableError, UsageError
from coplay.wasm.simulation_process import SimulationProcess, end_process

READY = "print('{}', flush=True)\n"
ECHO = READY + "import sys\nfor line in sys.stdin: print(line.strip(), flush=True)\n"


@contextmanager
def running(program: str, timeout_s: float | None = None) -> Iterator[SimulationProcess]:
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            encoding="utf-8",
        )
        try:
            yield SimulationProcess(process, log, who="the program", hint="Try again.", timeout_s=timeout_s)
        finally:
            end_process(process)
            assert process.poll() is not None


def test_reply_is_what_the_process_writes() -> None:
    with running(ECHO) as simulation:
        assert simulation.ask(do="step", frame=3) == {"do": "step", "frame": 3}
        assert simulation.ask(do="look") == {"do": "look"}


def test_error_in_a_reply_is_raised_with_its_hint() -> None:
    with running(ECHO) as simulation:
        with pytest.raises(UsageError, match="no such frame") as caught:
            simulation.ask(error="no such frame", hint="Ask for another.")
        assert caught.value.hint == "Ask for another."
        assert simulation.ask(do="look") == {"do": "look"}


def test_process_that_does_not_start_is_an_error_with_its_last_exception() -> None:
    program = "import sys; print('noise', file=sys.stderr); raise ValueError('no memory')"
    expected = "the program ended with exit code 1; it wrote last: ValueError: no memory"
    with pytest.raises(RuntimeUnavailableError, match=expected) as caught, running(program):
        pass
    assert caught.value.hint == "Try again."


def test_process_that_ends_between_requests_is_an_error() -> None:
    with running(READY) as simulation, pytest.raises(RuntimeUnavailableError, match="ended with exit code 0"):
        simulation.ask(do="step")


def test_process_that_does_not_reply_in_time_is_killed() -> None:
    program = READY + "import time; time.sleep(60)"
    with (
        running(program, timeout_s=0.2) as simulation,
        pytest.raises(RuntimeUnavailableError, match=r"did not answer for 0\.2 s"),
    ):
        simulation.ask(do="step")
