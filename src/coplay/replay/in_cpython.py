"""A recorded game's code in this machine's CPython: faster than its own runtime, but not always equal.

Compare every checksum of such a replay. The code and the pure Python wheels are the stored ones; compiled
packages such as numpy are those installed here.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from coplay.runtime import Runtime
from coplay.wasm.simulation_process import SimulationProcess, end_process

_PURE = "-none-any.whl"


@contextlib.contextmanager
def start_cpython_replay(runtime: Runtime, code: Sequence[Path], module: str) -> Iterator[SimulationProcess]:
    """Start a process that answers requests with the stored code.

    Args:
        runtime: The runtime that the game was played in.
        code: Zip archives with the code; a later one replaces files of an earlier one.
        module: Name of the module whose function `answer` takes the requests.

    Raises:
        RuntimeUnavailableError: The process does not start.
    """
    wheels = [runtime.directory / name for name in runtime.wheel_names if name.endswith(_PURE)]
    with tempfile.TemporaryDirectory(prefix="coplay-") as folder, tempfile.TemporaryFile() as log:
        for archive in (*wheels, *code):
            with zipfile.ZipFile(archive) as members:
                members.extractall(folder)
        process = subprocess.Popen(  # noqa: S603 (our own program)
            [sys.executable, "-P", str(Path(__file__).with_name("run_stored_code.py")), folder, module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            encoding="utf-8",
            env={**os.environ, "PYTHONHASHSEED": "0"},  # as in browsers
            start_new_session=True,  # so that Ctrl-C reaches only this process, which ends the other
        )
        done = False
        try:
            yield SimulationProcess(process, log, who="CPython", hint="Replay without --cpython.")
            done = True
        finally:
            end_process(process, kill=not done)
