"""Plays thousands of random scenarios and fuzzes sessions with a million datagrams, on all processors.

    python -m tests.netcode.soak --games 10000 --datagrams 1000000

The first scenarios that fail are saved and shrunk; simulation/README.md explains how to read them.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import islice
from os import cpu_count
from pathlib import Path
from typing import TypeVar

from tests.netcode.simulation.drawing import KINDS, draw
from tests.netcode.simulation.failures import FOLDER, keep
from tests.netcode.simulation.fuzzing import FuzzResult, fuzz
from tests.netcode.simulation.playing import Outcome, play
from tests.netcode.simulation.shrinking import failure

Result = TypeVar("Result")

BLOCK = 2 * len(KINDS)
"""Games to a job: small enough for a steady progress, and of every kind."""
DATAGRAMS = 10_000
KEPT = 5


def main() -> int:
    """Run the games and the fuzzer as asked; return 1 if anything failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.netcode.soak", description=__doc__)
    parser.add_argument("--games", type=int, default=10_000, help="how many games to play")
    parser.add_argument("--datagrams", type=int, default=1_000_000, help="how many datagrams to mutate")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--kind", choices=list(KINDS), default="", help="only scenarios of one kind")
    parser.add_argument("--minutes", type=float, default=0, help="stop after so long; 0 plays all")
    parser.add_argument("--processes", type=int, default=cpu_count() or 1)
    parser.add_argument("--save", type=Path, default=FOLDER, help="where failing scenarios are kept")
    arguments = parser.parse_args()
    deadline = time.monotonic() + 60 * arguments.minutes if arguments.minutes else float("inf")
    with ProcessPoolExecutor(arguments.processes) as pool:
        soak = Soak(pool, arguments.processes, deadline)
        good = soak.games(arguments.first, arguments.games, arguments.kind, arguments.save)
        return 0 if soak.datagrams(arguments.first, arguments.datagrams) and good else 1


class Soak:
    """A run of many games and datagrams over a pool of processes.

    Args:
        pool: The pool that does the work.
        processes: Number of its processes.
        deadline: When to stop, in seconds of the monotonic clock.
    """

    def __init__(self, pool: ProcessPoolExecutor, processes: int, deadline: float) -> None:
        self._pool = pool
        self._processes = processes
        self._deadline = deadline

    def games(self, first: int, count: int, kind: str, folder: Path) -> bool:
        """Play games and print a table; return True if all invariants held."""
        started_at = time.monotonic()
        jobs = ((seed, min(BLOCK, first + count - seed), kind) for seed in range(first, first + count, BLOCK))
        found: dict[str, Outcome] = {}
        failed: list[tuple[int, str]] = []
        done = 0
        for outcomes, failures in self._run(play_block, jobs):
            for name, outcome in outcomes.items():
                found.setdefault(name, Outcome()).add(outcome)
                done += outcome.games
            failed += failures
            done += len(failures)
            frames = sum(outcome.frames for outcome in found.values())
            passed = time.monotonic() - started_at
            _progress(f"{done} games of {count}, {frames / passed:,.0f} frames/s, {len(failed)} failed")
        _progress("")
        _print_table(found)
        total = Outcome()
        for outcome in found.values():
            total.add(outcome)
        passed = time.monotonic() - started_at
        print(
            f"{done} games, {total.frames:,} frames confirmed, {total.rollbacks:,} rollbacks, "
            f"{passed:.0f} s, {total.frames / passed:,.0f} frames/s, "
            f"at most {total.footprint:,} things held by a session"
        )
        names: dict[str, int] = {}
        for _, name in failed:
            names[name] = names.get(name, 0) + 1
        for name, times in sorted(names.items(), key=lambda item: -item[1]):
            print(f"FAILED {times} times: {name}")
        for seed, _ in _one_of_each(failed):
            print(keep(draw(seed, kind), folder))
        idle = [name for name, outcome in found.items() if outcome.games >= 50 and not outcome.rollbacks]
        if idle:
            print(f"FAILED: nobody rolled back in {', '.join(idle)}")
        return not failed and not idle

    def datagrams(self, first: int, count: int) -> bool:
        """Fuzz sessions; return True if no invariant broke."""
        started_at = time.monotonic()
        jobs = ((first + at, min(DATAGRAMS, count - at), False) for at in range(0, count, DATAGRAMS))
        weighed = ((first + count, DATAGRAMS // 5, True),) if count else ()
        total = FuzzResult()
        for result in self._run(fuzz, (*weighed, *jobs)):
            total.add(result)
            _progress(f"{total.datagrams:,} datagrams of {count:,}, {len(total.failures)} failed")
        _progress("")
        passed = time.monotonic() - started_at
        if total.datagrams:
            print(
                f"{total.datagrams:,} mutated datagrams, {total.rejected:,} rejected, {total.games:,} games, "
                f"{passed:.0f} s; at most {total.footprint:,} things held, {total.peak / 1024:,.0f} KiB"
            )
        for text in total.failures[:KEPT]:
            print(f"FAILED: {text}")
        return not total.failures

    def _run(self, work: Callable[..., Result], jobs: Iterable[tuple[object, ...]]) -> Iterator[Result]:
        waiting = iter(jobs)
        running: set[Future[Result]] = set()
        while True:
            if time.monotonic() < self._deadline:
                room = 2 * self._processes - len(running)
                running |= {self._pool.submit(work, *job) for job in islice(waiting, room)}
            if not running:
                return
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                yield future.result()


def play_block(first: int, count: int, kind: str) -> tuple[dict[str, Outcome], list[tuple[int, str]]]:
    """Play the scenarios of some seeds; return the outcomes by kind, and the failures."""
    outcomes: dict[str, Outcome] = {}
    failed: list[tuple[int, str]] = []
    for seed in range(first, first + count):
        scenario = draw(seed, kind)
        try:
            outcome = play(scenario)
        except Exception:
            # Played once more to get the name of the broken invariant.
            failed.append((seed, f"{scenario.kind}: {failure(scenario)}"))
        else:
            outcomes.setdefault(scenario.kind, Outcome()).add(outcome)
    return outcomes, failed


def _one_of_each(failed: list[tuple[int, str]]) -> list[tuple[int, str]]:
    firsts: dict[str, tuple[int, str]] = {}
    for seed, name in sorted(failed):
        firsts.setdefault(name, (seed, name))
    return list(firsts.values())[:KEPT]


def _print_table(found: dict[str, Outcome]) -> None:
    print(
        f"{'kind':14}{'games':>7}{'peers':>7}{'frames':>10}{'rollbacks':>11}{'p50':>5}{'p99':>5}"
        f"{'stalled':>10}{'B/datagram':>12}  verdicts"
    )
    for name in KINDS:
        if name not in found:
            continue
        outcome = found[name]
        verdicts = ", ".join(f"{verdict} {count}" for verdict, count in outcome.verdicts.most_common())
        print(
            f"{name:14}{outcome.games:7}{outcome.peers:7}{outcome.frames:10,}{outcome.rollbacks:11,}"
            f"{outcome.depth(0.5):5}{outcome.depth(0.99):5}{outcome.stalled:10,}"
            f"{outcome.bytes / max(1, outcome.datagrams):12.1f}  {verdicts}"
        )


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{text:78}" if text else f"\r{'':78}\r")
    elif text:
        now = time.monotonic()
        if now - _progress.last > 15:  # type: ignore[attr-defined]
            _progress.last = now  # type: ignore[attr-defined]
            sys.stderr.write(text + "\n")
    sys.stderr.flush()


_progress.last = 0.0  # type: ignore[attr-defined]


if __name__ == "__main__":
    sys.exit(main())
