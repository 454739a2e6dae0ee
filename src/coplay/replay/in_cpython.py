"""A recorded game's code in this machine's CPython: quicker than its own runtime, and perhaps not the same.

Whoever uses it compares every checksum. The code and the pure wheels are those that were stored; what is
compiled, such as numpy, is what is installed here.
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
    """Start such a process.

    Args:
        runtime: The one that the game was played in.
        code: Zip archives with the code; of files that occur twice the last counts.
        module: The module whose `answer` takes the requests.

    Raises:
        RuntimeUnavailableError: It does not start.
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
            start_new_session=True,  # Ctrl-C is for us; we end it
        )
        done = False
        try:
            yield SimulationProcess(process, log, who="CPython", hint="Replay without --cpython.")
            done = True
        finally:
            end_process(process, kill=not done)
