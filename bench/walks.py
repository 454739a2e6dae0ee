"""Measures snapshots and checksums against `copy.deepcopy` of the same state, in both Pythons."""

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from zipfile import ZipFile

from bench import walk_timing
from bench.figures import Figures, Kind, Target
from coplay.runtime import ensure_runtime
from coplay.runtime.bundle import coplay_part
from coplay.wasm.node import node_simulation

ENVIRONMENTS = ("CartPole-v1", "cogrid:Overcooked-CrampedRoom-V0")
PACKAGES = ("cogrid==0.3.2",)
FRAMES, ROUNDS = 10, 8

_Ask = Callable[[dict[str, object]], dict[str, float]]


def measure_walks(figures: Figures) -> None:
    """Measure in CPython, then in the browsers' Python."""
    with _in_wasm() as wasm:
        for where, ask in (("CPython", _here), ("WebAssembly", wasm)):
            for environment in ENVIRONMENTS:
                _add(
                    figures,
                    where,
                    environment,
                    ask({"environment": environment, "frames": FRAMES, "rounds": ROUNDS}),
                )


def _add(figures: Figures, where: str, environment: str, took: dict[str, float]) -> None:
    section = f"walk: {environment} in {where}"
    both = took["snapshot"] + took["checksum"]
    promised = where == "WebAssembly"
    rows = (
        (Kind("snapshot", "µs"), took["snapshot"]),
        (Kind("checksum", "µs"), took["checksum"]),
        (Kind("restore", "µs"), took["restore"]),
        (Kind("deepcopy", "µs"), took["deepcopy"]),
        (
            Kind("deepcopy, with what it leaves out", "µs", None, "closures, watched globals"),
            took["deepcopy_all"],
        ),
        (
            Kind("deepcopy / snapshot", "", Target("≥", 15.0) if promised else None),
            took["deepcopy"] / took["snapshot"],
        ),
        (
            Kind("deepcopy / snapshot and checksum", "", Target("≥", 5.0) if promised else None),
            took["deepcopy"] / both,
        ),
    )
    for kind, value in rows:
        figures.add(section, kind, value)


def _here(request: dict[str, object]) -> dict[str, float]:
    answer: dict[str, float] = json.loads(walk_timing.answer(json.dumps(request)))
    return answer


@contextmanager
def _in_wasm() -> Iterator[_Ask]:
    runtime = ensure_runtime(list(PACKAGES))
    with tempfile.TemporaryDirectory() as folder:
        coplay, own = Path(folder) / "coplay.zip", Path(folder) / "own.zip"
        coplay.write_bytes(coplay_part(runtime))
        with ZipFile(own, "w") as archive:
            archive.write(walk_timing.__file__, "walk_timing.py")
        with node_simulation(runtime, [coplay, own], "walk_timing") as simulation:
            yield lambda request: simulation.ask(**request)
