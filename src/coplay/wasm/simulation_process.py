"""A process that simulates; requests and replies are lines of JSON."""

import contextlib
import json
import re
import subprocess
import threading
from collections.abc import Iterator
from typing import IO, Any

from coplay.errors import RuntimeUnavailableError, UsageError

_END_S = 5.0
_ERROR = re.compile(r"(\w+\.)*\w*(Error|Exception|Interrupt)\b")


class SimulationProcess:
    """A running process; creating the object waits until it is ready.

    Args:
        process: The process; standard input and output are text pipes.
        log: The file that takes its standard error.
        who: What to call the process in error messages.
        hint: What the user can do if it stops by itself.
        timeout_s: The longest wait for one reply; None for no limit.

    Raises:
        RuntimeUnavailableError: The process ended before it was ready.
    """

    def __init__(
        self,
        process: "subprocess.Popen[str]",
        log: IO[bytes],
        *,
        who: str,
        hint: str,
        timeout_s: float | None = None,
    ) -> None:
        self._process = process
        self._log = log
        self._who = who
        self._hint = hint
        self._timeout_s = timeout_s
        self._timed_out = False
        self._read()  # the first line says that it is ready

    def ask(self, **request: Any) -> dict[str, Any]:
        """Send a request and return the reply.

        Args:
            request: The fields of the request.

        Raises:
            UsageError: The reply is an error.
            RuntimeUnavailableError: The process ended, or took too long.
        """
        assert self._process.stdin is not None  # noqa: S101 (a pipe)
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except OSError:
            pass  # the process is gone; reading says why
        reply = self._read()
        if "error" in reply:
            raise UsageError(str(reply["error"]), str(reply.get("hint", "")))
        return reply

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None  # noqa: S101 (a pipe)
        with self._timeout():
            line = self._process.stdout.readline()
        if line.endswith("\n"):
            reply: dict[str, Any] = json.loads(line)
            return reply
        self._process.wait()
        if self._timed_out:
            raise RuntimeUnavailableError(
                f"{self._who} did not answer for {self._timeout_s:g} s", "Does it contain an infinite loop?"
            )
        self._log.seek(0)
        lines = self._log.read().decode("utf-8", "replace").strip().splitlines()
        errors = [line for line in lines if _ERROR.match(line)]
        last = f"; it wrote last: {(errors or lines)[-1][-500:]}" if lines else ""
        raise RuntimeUnavailableError(
            f"{self._who} ended with exit code {self._process.returncode}{last}", self._hint
        )

    @contextlib.contextmanager
    def _timeout(self) -> Iterator[None]:
        if self._timeout_s is None:
            yield
            return
        # A blocking `readline` has no timeout; killing the process ends it.
        timer = threading.Timer(self._timeout_s, self._kill)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _kill(self) -> None:
        self._timed_out = True
        self._process.kill()


def end_process(process: "subprocess.Popen[str]", *, kill: bool = False) -> None:
    """End the process.

    Args:
        process: The process.
        kill: Whether to kill it immediately, instead of letting it finish for a few seconds.
    """
    assert process.stdin is not None  # noqa: S101 (pipes)
    assert process.stdout is not None  # noqa: S101
    if kill:
        process.kill()
    with contextlib.suppress(OSError):
        process.stdin.close()
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    finally:
        process.stdout.close()
