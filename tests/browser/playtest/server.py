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
    """The server did not start; carries its log."""


class CoplayServer:
    """`coplay run STUDY` or `coplay demo` on a free port.

    Args:
        arguments: What follows `coplay`: `("run", study_file)` or `("demo", "--no-open")`.
        folder: Where the log goes, and the data.
        port: None for any free one.
        machine: Where it runs, and can be reached; None for this one, by loopback alone.
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
        """Return once it prints that it serves; the first start of all may have a runtime to fetch.

        Raises:
            ServerError: It ended, or never said so.
        """
        deadline = time.monotonic() + timeout_s
        while not self._serving.wait(0.1):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise ServerError(f"the server did not start:\n{self.log()}")

    def healthy(self) -> bool:
        """Whether `/healthz` answers 200."""
        with urllib.request.urlopen(f"{self.url}/healthz", timeout=10) as answer:
            return bool(answer.status == 200)

    def log(self) -> str:
        """All that it printed."""
        return self._log_file.read_text("utf-8") if self._log_file.exists() else ""

    def kill(self) -> None:
        """End it as a power cut does; another one may follow on its port and folder."""
        self._process.kill()
        self.stop()

    def stop(self) -> int:
        """Ask it to end, as Ctrl-C does, and wait.

        Returns:
            Its exit code.
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
