"""Runs programs of the bench in the browsers' Python, under Node."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from zipfile import ZipFile

from coplay.runtime import ensure_runtime
from coplay.runtime.bundle import coplay_part
from coplay.wasm.node import node_simulation
from coplay.wasm.simulation_process import SimulationProcess

ROOT = Path(__file__).resolve().parents[1]


def members(*patterns: str) -> dict[str, Path]:
    """Return the project's files that match, by their path in the project."""
    return {path.relative_to(ROOT).as_posix(): path for each in patterns for path in sorted(ROOT.glob(each))}


@contextmanager
def in_wasm(
    module: str, files: Mapping[str, Path], packages: Sequence[str] = ()
) -> Iterator[SimulationProcess]:
    """Boot the browsers' Python with a program.

    Args:
        module: The program's module; its function `answer` takes a request as JSON and returns JSON.
        files: Path in the browser → file, in addition to the part of coplay that runs in browsers.
        packages: Additional packages to install.
    """
    runtime = ensure_runtime(list(packages))
    with tempfile.TemporaryDirectory() as folder:
        coplay, own = Path(folder) / "coplay.zip", Path(folder) / "own.zip"
        coplay.write_bytes(coplay_part(runtime))
        with ZipFile(own, "w") as archive:
            for member, path in files.items():
                archive.write(path, member)
        with node_simulation(runtime, [coplay, own], module) as simulation:
            yield simulation
