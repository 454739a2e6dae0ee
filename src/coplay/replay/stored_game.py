"""A recorded game's code, started again in the runtime that it was played in."""

import io
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coplay.data.games.recording import Recording, read_kept_file
from coplay.errors import StoreError
from coplay.replay.in_cpython import start_cpython_replay
from coplay.replay.stored_runtime import find_stored_runtime
from coplay.runtime import ReportProgress, silent
from coplay.wasm.node import node_simulation
from coplay.wasm.simulation_process import SimulationProcess

PROGRAM = "coplay.browser.resimulation"


@dataclass(frozen=True, slots=True)
class StoredGameProcess:
    """A game before its first frame."""

    simulation: SimulationProcess
    """Takes the requests of `coplay.browser.resimulation`."""
    described: dict[str, Any]
    """What it answered to `begin`."""


@contextmanager
def start_stored_game(
    data: Path,
    recording: Recording,
    *,
    progress: ReportProgress = silent,
    cpython: bool = False,
    **wishes: Any,
) -> Iterator[StoredGameProcess]:
    """Start a recorded game's stored code, in its stored runtime, under Node.

    Args:
        data: The data directory.
        recording: The game.
        progress: Told what is being done.
        cpython: In this machine's CPython instead, which need not compute the same.
        wishes: More for the request `begin`: `observe`, `screens`.

    Raises:
        UsageError: The stored code cannot play the game.
        StoreError: The game's code or lock is missing or damaged.
        RuntimeUnavailableError: The runtime that it was played in is not to be had, or there is no Node.
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
                do="begin", modules=modules, study=recording.study, **recording.setup, **wishes
            )
            if wishes.keys() - set(described.get("knows", ())):
                raise StoreError(
                    "the stored code of the game is older than replays that observe and draw",
                    "`coplay replay` without these options still compares it.",
                )
            yield StoredGameProcess(simulation, described)


def _study_modules(bundle: bytes) -> list[str]:
    """The modules of a bundle that may define its study: `study`, unless that name was taken."""
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        names = archive.namelist()
        if f"{PROGRAM.replace('.', '/')}.py" not in names:
            raise StoreError(
                "the stored code of the game is older than `coplay replay`", "Such a game cannot be replayed."
            )
        top = [name for name in names if name.endswith(".py") and "/" not in name]
        others = [name[:-3] for name in top if name != "study.py" and b"Study(" in archive.read(name)]
    return ["study", *others]
