"""A process that runs a recorded game's code in the runtime it was played in."""

import io
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coplay.data.games.recorded_game import Recording, read_kept_file
from coplay.errors import StoreError
from coplay.replay.in_cpython import start_cpython_replay
from coplay.replay.stored_runtime import find_stored_runtime
from coplay.runtime import ReportProgress, silent
from coplay.wasm.node import node_simulation
from coplay.wasm.simulation_process import SimulationProcess

PROGRAM = "coplay.browser.resimulation"
"""The module that replays. Games of all versions contain it under this name."""


@dataclass(frozen=True, slots=True)
class StoredGameProcess:
    """A process in which a recorded game is before its first frame."""

    simulation: SimulationProcess
    """The process; it takes the requests of `coplay.browser.resimulation`."""
    described: dict[str, Any]
    """Its reply to `begin`."""


@contextmanager
def start_stored_game(
    data: Path,
    recording: Recording,
    *,
    progress: ReportProgress = silent,
    cpython: bool = False,
    **options: Any,
) -> Iterator[StoredGameProcess]:
    """Start a recorded game's stored code in its stored runtime under Node.

    Args:
        data: The data directory.
        recording: The game.
        progress: Called with each stage and its progress.
        cpython: Whether to use this machine's CPython instead, which may compute differently.
        options: More fields of the request `begin`: `observe`, `screens`.

    Raises:
        UsageError: The stored code cannot play the game.
        StoreError: The game's code or lock is missing or damaged.
        RuntimeUnavailableError: The runtime it was played in is not available, or Node is missing.
    """
    bundle = read_kept_file(data, "bundles", f"{recording.code_hash}.zip", recording.code_hash)
    lock = read_kept_file(data, "locks", f"{recording.lock_hash}.json", recording.lock_hash)
    modules = _study_modules(bundle)
    runtime = find_stored_runtime(lock, data=data, progress=progress)
    progress("Starting CPython" if cpython else "Starting the browsers' Python", None)
    start = start_cpython_replay if cpython else node_simulation
    with tempfile.TemporaryDirectory(prefix="coplay-") as folder:
        code = Path(folder) / "bundle.zip"
        code.write_bytes(bundle)
        with start(runtime, [code], PROGRAM) as simulation:
            described = simulation.ask(
                do="begin", modules=modules, study=recording.study, **recording.setup, **options
            )
            if options.keys() - set(described.get("knows", ())):
                raise StoreError(
                    "the stored code of the game is older than replays that observe and draw",
                    "`coplay replay` without these options still compares it.",
                )
            yield StoredGameProcess(simulation, described)


def _study_modules(bundle: bytes) -> list[str]:
    """Return the modules of a bundle that may define its study: `study`, or else those that make a Study."""
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        names = archive.namelist()
        if f"{PROGRAM.replace('.', '/')}.py" not in names:
            raise StoreError(
                "the stored code of the game is older than `coplay replay`", "Such a game cannot be replayed."
            )
        top = [name for name in names if name.endswith(".py") and "/" not in name]
        others = [name[:-3] for name in top if name != "study.py" and b"Study(" in archive.read(name)]
    return ["study", *others]
