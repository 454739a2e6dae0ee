"""A real TURN server."""

import shutil
import socket
import subprocess
from pathlib import Path

_PROGRAM = "turnserver"


class TurnServer:
    """A coturn process on loopback, at a free port.

    Args:
        folder: The folder for coturn's files.

    Attributes:
        address: The server's URL, as `coplay run --turn` takes it.
        secret: The secret that it shares with the study server.
    """

    def __init__(self, folder: Path) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"turn:127.0.0.1:{port}"
        self.secret = "a secret of these tests"
        options = {
            "listening-ip": "127.0.0.1",
            "relay-ip": "127.0.0.1",
            "listening-port": port,
            "realm": "coplay.test",
            "static-auth-secret": self.secret,
            "pidfile": folder / "turnserver.pid",
            "userdb": folder / "turndb",
            "log-file": "stdout",
        }
        flags = ("use-auth-secret", "no-tls", "no-dtls", "no-cli", "allow-loopback-peers")
        self._process = subprocess.Popen(
            [
                _PROGRAM,
                "-n",
                *(f"--{name}={value}" for name, value in options.items()),
                *(f"--{flag}" for flag in flags),
            ],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    @staticmethod
    def is_there() -> bool:
        """Return True if coturn is installed."""
        return shutil.which(_PROGRAM) is not None

    def stop(self) -> None:
        """Kill the server as a power cut does, without notice to its clients."""
        self._process.kill()
        self._process.wait()
