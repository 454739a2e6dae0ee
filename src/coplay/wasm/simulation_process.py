"""A process that simulates: a JSON line in, a JSON line out."""

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
    """A running one, which has yet to say that it is ready.

    Args:
        process: Its standard streams are text pipes, except the errors'.
        log: Takes what it writes aside.
        who: What it is, for errors.
        hint: What to do when it stopped by itself.
        patience_s: How long an answer may take; None for as long as it does.

    Raises:
        RuntimeUnavailableError: It ended before it was ready.
    """

    def __init__(
        self,
        process: "subprocess.Popen[str]",
        log: IO[bytes],
        *,
        who: str,
        hint: str,
        patience_s: float | None = None,
    ) -> None:
        self._process = process
        self._log = log
        self._who = who
        self._hint = hint
        self._patience_s = patience_s
        self._given_up = False
        self._read()  # it says when it is ready

    def ask(self, **request: Any) -> dict[str, Any]:
        """Ask for something, and wait.

        Raises:
            UsageError: It answered with an error.
            RuntimeUnavailableError: The process ended, or took too long.
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
        with self._patience():
            line = self._process.stdout.readline()
        if line.endswith("\n"):
            reply: dict[str, Any] = json.loads(line)
            return reply
        self._process.wait()
        if self._given_up:
            raise RuntimeUnavailableError(
                f"{self._who} did not answer for {self._patience_s:g} s", "Is there a loop that never ends?"
            )
        self._log.seek(0)
        lines = self._log.read().decode("utf-8", "replace").strip().splitlines()
        errors = [line for line in lines if _ERROR.match(line)]
        last = f"; it wrote last: {(errors or lines)[-1][-500:]}" if lines else ""
        raise RuntimeUnavailableError(
            f"{self._who} ended with exit code {self._process.returncode}{last}", self._hint
        )

    @contextlib.contextmanager
    def _patience(self) -> Iterator[None]:
        if self._patience_s is None:
            yield
            return
        timer = threading.Timer(self._patience_s, self._give_up)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _give_up(self) -> None:
        self._given_up = True
        self._process.kill()


def end_process(process: "subprocess.Popen[str]", *, at_once: bool = False) -> None:
    """End such a process: let it finish, but not for long, or at once."""
    assert process.stdin is not None  # noqa: S101 (pipes)
    assert process.stdout is not None  # noqa: S101
    if at_once:
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
