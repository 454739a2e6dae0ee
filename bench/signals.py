"""Measures how many signals one server relays, compared with python-socketio alone, which checks nothing."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from bench.figures import Figures, Kind, Target

ROOT: Final = Path(__file__).resolve().parent.parent
PAIRS: Final = (1, 50)
ROUNDS: Final = 10
FAST_S: Final = 1.0
STEADY_S: Final = 4.0
STEADY_RATE: Final = 8.0

RELAYED = Kind("signals relayed per second", "", None, "limits raised, and asked each time")
PLAIN = Kind("the same, passed on unread by python-socketio", "")
RATIO = Kind("share of that which is reached", "", Target("≥", 0.8), "median of interleaved rounds")
PROCESSOR = Kind("processor time of the server, per signal", "ms")
PROCESSOR_RATIO = Kind("python-socketio's processor time, as a share of it", "", Target("≥", 0.8))
MEDIAN = Kind(f"on their way, {STEADY_RATE:g} a second from each page, p50", "ms")
TAIL = Kind("the same, p99", "ms")
PLAIN_TAIL = Kind("the same, p99, passed on unread", "ms")
BUSY = Kind("the clients' own processor time", "%", None, "at 100 the clients set the pace")


@dataclass(slots=True)
class Running:
    """A running server with its clients."""

    server: int
    clients: "subprocess.Popen[str]"

    def measure(self, *words: object) -> dict[str, Any]:
        """Run one command, and add the processor seconds per signal that the server used."""
        assert self.clients.stdin is not None
        assert self.clients.stdout is not None
        before = _processor_s(self.server)
        print(*words, file=self.clients.stdin, flush=True)
        line = self.clients.stdout.readline()
        if not line:
            raise RuntimeError("the clients gave up; is this machine busy with something else?")
        found: dict[str, Any] = json.loads(line)
        return {**found, "processor": (_processor_s(self.server) - before) / found["signals"]}


def measure_signals(figures: Figures, new_folder: Callable[[str], Path]) -> None:
    """Measure one pair of clients, and fifty pairs."""
    for pairs in PAIRS:
        section = f"Signals of {pairs} pair{'s' if pairs > 1 else ''} of pages"
        with ExitStack() as stack:
            ours = stack.enter_context(_running("coplay", new_folder("signals"), pairs))
            plain = stack.enter_context(_running("plain", new_folder("signals"), pairs))
            for each in (ours, plain):
                each.measure("fast", 0.5)
            # In alternation, so that other work of the machine affects both servers alike.
            rounds = [(ours.measure("fast", FAST_S), plain.measure("fast", FAST_S)) for _ in range(ROUNDS)]
            steady, plain_steady = (each.measure("steady", STEADY_S, STEADY_RATE) for each in (ours, plain))
        figures.add(section, RELAYED, median(_speed(one) for one, _ in rounds))
        figures.add(section, PLAIN, median(_speed(other) for _, other in rounds))
        figures.add(section, RATIO, median(_speed(one) / _speed(other) for one, other in rounds))
        figures.add(section, BUSY, 100 * median(one["busy"] for one, _ in rounds))
        figures.add(section, PROCESSOR, 1000 * median(one["processor"] for one, _ in rounds))
        figures.add(
            section, PROCESSOR_RATIO, median(other["processor"] / one["processor"] for one, other in rounds)
        )
        figures.add(section, MEDIAN, 1000 * steady["p50"])
        figures.add(section, TAIL, 1000 * steady["p99"])
        figures.add(section, PLAIN_TAIL, 1000 * plain_steady["p99"])


@contextmanager
def _running(kind: str, folder: Path, pairs: int) -> Iterator[Running]:
    with ExitStack() as stack:
        server = stack.enter_context(_process(kind, str(folder)))
        assert server.stdout is not None
        address, pid = server.stdout.readline().split()
        clients = stack.enter_context(_process("load", kind, address, str(pairs)))
        assert clients.stdout is not None
        assert clients.stdout.readline() == "ready\n", "the clients did not get through the lobby"
        yield Running(int(pid), clients)


@contextmanager
def _process(*arguments: str) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "bench.signal_traffic", *arguments]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _speed(found: dict[str, Any]) -> float:
    return float(found["signals"]) / float(found["elapsed"])


def _processor_s(process: int) -> float:
    """Return a process's processor time in seconds, to the nanosecond; `stat` counts in hundredths."""
    threads = Path(f"/proc/{process}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9
