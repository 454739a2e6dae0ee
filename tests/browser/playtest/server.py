"""The real server, started as a researcher starts it."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

from playtest.network import Machine

COPLAY = Path(sys.executable).with_name("coplay")

_READY = "coplay: serving "


class ServerError(RuntimeError):
    """Raised if the server did not start; the message has its log."""


class CoplayServer:
    """`coplay run STUDY` or `coplay demo` on a free port.

    Args:
        arguments: The arguments of `coplay`: `("run", study_file)` or `("demo", "--no-open")`.
        folder: The folder for the log and the data.
        port: The port; None for any free one.
        machine: The machine on which the server runs and listens; None for this one's loopback interface.
    """

    def __init__(
        self,
        arguments: tuple[str, ...],
        folder: Path,
        port: int | None = None,
        machine: Machine | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.data = folder / "data"
        self.port = port or _free_port()
        host = machine.address if machine else "127.0.0.1"
        self.url = f"http://{host}:{self.port}"
        self._log_file = folder / "server.log"
        self._serving = threading.Event()
        command = [*(machine.prefix if machine else ()), str(COPLAY), *arguments, "--port", str(self.port)]
        if arguments[0] == "run":
            command += ["--host", host, "--data", str(self.data)]
        self._process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,  # the demo puts its data there
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,  # an interrupted test run stops it itself, in order
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_until_serving(self, timeout_s: float = 180) -> None:
        """Wait until the server prints that it serves, which takes long if it has to fetch a runtime first.

        Raises:
            ServerError: The server ended, or is not ready in time.
        """
        deadline = time.monotonic() + timeout_s
        while not self._serving.wait(0.1):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise ServerError(f"the server did not start:\n{self.log()}")

    def healthy(self) -> bool:
        """Return True if `/healthz` answers 200."""
        with urllib.request.urlopen(f"{self.url}/healthz", timeout=10) as answer:
            return bool(answer.status == 200)

    def log(self) -> str:
        """Return everything that the server has printed."""
        return self._log_file.read_text("utf-8") if self._log_file.exists() else ""

    def kill(self) -> None:
        """Kill the server as a power cut does. Another one may be started on its port and folder."""
        self._process.kill()
        self.stop()

    def stop(self) -> int:
        """Stop the server as Ctrl-C does, and wait until it has ended.

        Returns:
            The exit code.
        """
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self._process.kill()
        code = self._process.wait()
        self._reader.join(5)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return code

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._log_file.open("w", encoding="utf-8") as log:
            for line in self._process.stdout:
                log.write(line)
                log.flush()
                if line.startswith(_READY):
                    self._serving.set()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
