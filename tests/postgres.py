"""A real PostgreSQL of one's own, in a temporary directory, on a free loopback port, without privileges."""

import getpass
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

MISSING = "PostgreSQL is not installed: `apt install postgresql`"
_START_S = 60.0


def find_binaries() -> Path | None:
    """The folder of `initdb` and `postgres`; None where they are not installed."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    # Debian keeps them out of the way of other versions.
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    return debian[-1].parent if debian else None


class Postgres:
    """A running server.

    Args:
        safe: Whether a commit waits for the disk, as it does in earnest.

    Attributes:
        address: Of its first database, for `COPLAY_DATABASE_URL`.

    Raises:
        FileNotFoundError: It is not installed.
    """

    def __init__(self, *, safe: bool = False) -> None:
        binaries = find_binaries()
        if binaries is None:
            raise FileNotFoundError(MISSING)
        self._folder = Path(tempfile.mkdtemp(prefix="coplay-pg-"))
        user = _unprivileged_user()
        shutil.chown(self._folder, user)
        data = self._folder / "data"
        self._run([binaries / "initdb", "-D", data, "-U", "coplay", "-A", "trust", "-E", "UTF8", "-N"], user)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        command = [binaries / "postgres", "-D", data, "-p", str(self.port), "-k", self._folder]
        command += ["-c", "listen_addresses=127.0.0.1", "-c", f"fsync={'on' if safe else 'off'}"]
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(command, user=user, stdout=log, stderr=log, cwd=self._folder)
        self.address = self._address("postgres")
        self._wait()

    def _address(self, database: str) -> str:
        return f"postgresql://coplay@127.0.0.1:{self.port}/{database}"

    def _run(self, command: list[str | Path], user: str) -> None:
        done = subprocess.run(
            command, user=user, capture_output=True, text=True, cwd=self._folder, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{command[0]}: {done.stderr}")

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_S
        while True:
            try:
                psycopg.connect(self.address, connect_timeout=5).close()
                return
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    @contextmanager
    def database(self, name: str) -> Iterator[str]:
        """A new, empty database, for as long as it is needed; its address."""
        with psycopg.connect(self.address, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        try:
            yield self._address(name)
        finally:
            with psycopg.connect(self.address, autocommit=True) as connection:
                connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Neither it nor any of its processes does anything meanwhile: not even refuse."""
        processes = [self._process.pid, *_children(self._process.pid)]
        for process in processes:
            os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in processes:
                os.kill(process, signal.SIGCONT)

    def size(self, database: str) -> int:
        """Bytes of a database on disk."""
        with psycopg.connect(self._address(database)) as connection:
            row = connection.execute("SELECT pg_database_size(%s)", (database,)).fetchone()
        assert row is not None
        return int(row[0])

    def bytes_of(self, database: str) -> bytes:
        """All that a database's own files hold, unused room included; not the write-ahead log."""
        with psycopg.connect(self._address(database), autocommit=True) as connection:
            connection.execute("CHECKPOINT")
            found = connection.execute(
                "SELECT oid FROM pg_database WHERE datname = %s", (database,)
            ).fetchone()
        assert found is not None
        folder = self._folder / "data" / "base" / str(found[0])
        return b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())

    def close(self) -> None:
        """Stop it, and remove all it left."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait(30)
        shutil.rmtree(self._folder)


def _unprivileged_user() -> str:
    """PostgreSQL does not run as root."""
    if os.geteuid() != 0:
        return getpass.getuser()
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        return "nobody"


def _children(process: int) -> list[int]:
    text = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(child) for child in text.split()]
