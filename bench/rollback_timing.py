"""Times rollbacks of known depth: a driver, and a peer whose inputs are late, on a virtual clock.

It runs in CPython and in the browsers' Python, so it imports only the part of coplay that runs there.
"""

import gc
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from typing import Any, cast

from bench.late_peer import FPS, Far, Hands, Late, Near
from coplay.browser.driver import Driver
from coplay.browser.frame_recorder import FrameRecorder
from coplay.envs import Environment, Game, load_environment
from coplay.netcode import RollbackSession, SessionConfig

_WARM_UP = 20  # ticks
_environments: dict[str, Environment] = {}


def answer(request_json: str) -> str:
    """Play the same game several times, with a rollback of `depth` frames every few ticks.

    A virtual clock and seeded actions make all games equal tick by tick, so the shortest time of each tick is
    used. In every other game the parts of a frame are timed instead of the tick.

    Args:
        request_json: `{environment, depth, ticks, rounds}`; a depth of 1 to 8 frames.

    Returns:
        JSON: `ratio`, the median over the rollbacks of what a tick takes more than its neighbours without
        one, divided by what the same frames' bare environment steps and snapshots took when they were first
        played; `ratio_again`, divided by what these took within the rollback, one right after the other, when
        caches are warm; `ratio_loaded`, divided by what `ratio` is and by what putting the first state back
        took, which every rollback does once; `rollbacks`, how many; and medians in microseconds: `step
        snapshot`, of a frame when it is first played, `load`, of a state put back, and `tick rollback`, of
        ticks without and with a rollback.
    """
    return json.dumps(_timed(**json.loads(request_json)))


def _timed(environment: str, depth: int, ticks: int, rounds: int) -> dict[str, float]:
    if environment not in _environments:
        _environments[environment] = load_environment(environment)
    Clock.reading = _reading()
    runs, parts = [], []
    for _ in range(rounds):
        runs.append(_play(environment, depth, ticks, None))
        found = Parts()
        _play(environment, depth, ticks, found)
        parts.append(found)
    took = [min(each) for each in zip(*[[tick.seconds for tick in run] for run in runs], strict=True)]
    first, again = (
        [_least(each) for each in zip(*order, strict=True)]
        for order in (
            [(each.steps, each.snapshots) for each in parts],
            [(each.steps_again, each.snapshots_again) for each in parts],
        )
    )
    loads = _least([each.loads for each in parts])
    ratios, ratios_again, ratios_loaded, rollbacks = [], [], [], []
    plain = {at for at, tick in enumerate(runs[0]) if not tick.again and not tick.hashed}
    for at, tick in enumerate(runs[0]):
        near = [took[other] for other in range(at - 2, at + 3) if other in plain]
        if at < _WARM_UP or tick.again != depth or tick.hashed or not near:
            continue
        more = took[at] - sum(near) / len(near)
        rollbacks.append(took[at])
        frames = range(tick.frame - depth, tick.frame)
        bare = sum(part[frame] for part in first for frame in frames)
        ratios.append(more / bare)
        ratios_loaded.append(more / (bare + loads[frames[0]]))
        ratios_again.append(more / sum(part[frame] for part in again for frame in frames))
    step, snapshot = (1e6 * median(part.values()) for part in first)
    return {
        "ratio": median(ratios),
        "ratio_again": median(ratios_again),
        "ratio_loaded": median(ratios_loaded),
        "rollbacks": len(ratios),
        "step": step,
        "snapshot": snapshot,
        "load": 1e6 * median(loads.values()),
        "tick": 1e6 * median(took[at] for at in plain if at >= _WARM_UP),
        "rollback": 1e6 * median(rollbacks),
    }


def _least(runs: Sequence[dict[int, float]]) -> dict[int, float]:
    return {frame: min(run[frame] for run in runs) for frame in runs[0]}


class Clock:
    """The real clock, held by a class because names in modules are replaced by the simulated clock.

    It counts only the processor time of this thread, except in WebAssembly, which offers no such clock.
    """

    read = staticmethod(time.perf_counter if sys.platform == "emscripten" else time.thread_time)
    reading = 0.0
    """Seconds that two readings of the clock take."""

    @classmethod
    def since(cls, began: float) -> float:
        """Return the seconds from a reading until now."""
        return cls.read() - began - cls.reading


def _reading() -> float:
    Clock.reading = 0.0
    return min(Clock.since(Clock.read()) for _ in range(1000))


class Tick:
    """One call of the driver.

    Attributes:
        frame: The frame that was stepped for the first time.
        again: How many frames were stepped again.
        hashed: True if a checksum was computed.
        seconds: How long the call took.
    """

    __slots__ = ("again", "frame", "hashed", "seconds")

    def __init__(self, frame: int, again: int, hashed: bool, seconds: float) -> None:
        self.frame, self.again, self.hashed, self.seconds = frame, again, hashed, seconds


class Parts:
    """Seconds by frame that the environment step, the snapshot and the restore took.

    First plays and re-simulations are kept apart.
    """

    def __init__(self) -> None:
        self.steps: dict[int, float] = {}
        self.snapshots: dict[int, float] = {}
        self.steps_again: dict[int, float] = {}
        self.snapshots_again: dict[int, float] = {}
        self.loads: dict[int, float] = {}

    @contextmanager
    def of(self, game: Game) -> Iterator[None]:
        """Time these calls of a game within the block."""
        environment, walk = game.environment, game._walk
        parts: tuple[tuple[Any, str, dict[int, float], dict[int, float]], ...] = (
            (environment, "step", self.steps, self.steps_again),
            (walk, "take", self.snapshots, self.snapshots_again),
            (walk, "restore", self.loads, self.loads),
        )
        for owner, name, first, again in parts:
            setattr(owner, name, _timed_call(getattr(owner, name), game, first, again))
        try:
            yield
        finally:
            for owner, name, _, _ in parts:
                delattr(owner, name)


def _timed_call(
    call: Callable[..., Any], game: Game, first: dict[int, float], again: dict[int, float]
) -> Callable[..., Any]:
    def timed(*given: Any) -> Any:
        frame = game.frame
        began = Clock.read()
        result = call(*given)
        took = Clock.since(began)
        (again if frame in first else first)[frame] = took
        return result

    return timed


def _play(environment_name: str, depth: int, ticks: int, parts: Parts | None) -> list[Tick]:
    environment = _environments[environment_name]
    wire = Late(depth)
    # Held long enough that ticks without a rollback lie between two rollbacks.
    hands = Hands(environment.codecs[0], 0), Hands(environment.codecs[1], depth + 4)
    near, far = (
        RollbackSession(
            SessionConfig(
                owners=(0, 1),
                peer=peer,
                default_inputs=tuple(each.default for each in hands),
                fps=FPS,
                delay=0,
                checksum_interval=64,
            ),
            0.0,
        )
        for peer in (0, 1)
    )
    game = Game(environment, seed=7, episodes=1 << 20)
    driver = Driver(
        game, near, FrameRecorder(0, 2), {0: cast(Any, hands[0])}, {}, Near(wire), time.perf_counter
    )
    other = Far(far, hands[1], wire, driver)
    gc.collect()
    gc.disable()  # as in a browser, where garbage is collected between ticks
    try:
        if parts is None:
            return _ticks(driver, other, wire, ticks)
        with parts.of(game):
            return _ticks(driver, other, wire, ticks)
    finally:
        gc.enable()


def _ticks(driver: Driver, far: Far, wire: Late, count: int) -> list[Tick]:
    found: list[Tick] = []
    session = driver.session
    while len(found) < count:
        due, far_due = session.next_deadline(), far.session.next_deadline()
        wire.now = max(wire.now, min(due, far_due)) + 1e-9
        if far_due <= wire.now:
            far.tick()
        if due > wire.now:
            continue
        datagrams = wire.arrived(0)
        frame, again, hashed = session.current_frame, session.stats.resimulated_frames, driver.last_checksum
        began = Clock.read()
        driver.tick(wire.now, datagrams)
        seconds = Clock.since(began)
        if session.current_frame > frame:
            again = session.stats.resimulated_frames - again
            found.append(Tick(frame, again, driver.last_checksum != hashed, seconds))
    return found
