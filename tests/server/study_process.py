"""A study's server in a process of its own, that may be killed and started again at once.

`python -m tests.server.study_process FOLDER PORT [going-on]` reads one line for each start.
Everything is imported once, and every server is a fork: a whole process is killed, and the
next one has nothing of it but the disk.
"""

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path
from types import SimpleNamespace

from tests.server.conftest import FakeRuntime, duel_study

from coplay.data.database.store import Store
from coplay.server.app import Hosting, make_server
from coplay.server.games.play_setup import build_play_setups
from coplay.server.running import listen, run
from coplay.server.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
START_S = 180.0
"""A thousand games are read, perhaps on a busy machine."""
UNLIMITED = Settings(uploads_a_second=10_000, upload_burst=10_000)


class StudyProcess:
    """The server of the duel study.

    Args:
        folder: Its data is in `data` below it.
        going_on: Whether the games that are in its data already go on; otherwise they are over.

    Attributes:
        base: Where it listens, whenever it runs.
        starts: How often it was started.
    """

    def __init__(self, folder: Path, *, going_on: bool = False) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        self.base = f"http://127.0.0.1:{port}"
        self.starts = 0
        self._arguments = [str(folder), str(port), *(["going-on"] if going_on else [])]
        self._server = 0
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Return once it serves."""
        if self._process is None:
            command = (sys.executable, "-m", __name__, *self._arguments)
            pipe = asyncio.subprocess.PIPE
            self._process = await asyncio.create_subprocess_exec(
                *command, cwd=ROOT, stdin=pipe, stdout=pipe, start_new_session=True
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(b"start\n")
        words = (await asyncio.wait_for(self._process.stdout.readline(), START_S)).split()
        assert words[:1] == [b"serving"], words
        self._server = int(words[1])
        self.starts += 1

    def kill(self) -> None:
        """End it at once, in the middle of whatever it does."""
        os.kill(self._server, signal.SIGKILL)
        self._server = 0

    def processor_s(self) -> float:
        """Seconds of processor time that the server has used."""
        fields = Path(f"/proc/{self._server}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    async def close(self) -> None:
        """End it, and the process that starts it; also one that has not said yet that it serves."""
        if self._process is None:
            return
        os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()


def serve(folder: Path, port: int, going_on: bool) -> None:
    """Be a server until killed."""
    listening = listen("127.0.0.1", port)
    study = duel_study()
    bundle = SimpleNamespace(sha256="2" * 64, data=b"PK", module="study")
    store = Store(folder / "data")
    runtime = FakeRuntime(folder)
    hosting = Hosting(study, folder, build_play_setups(study), runtime, bundle, store, UNLIMITED, folder)
    server = make_server(hosting)
    if going_on:
        for game_data in server.ledger._games.values():
            game_data.closed = False
    run(server.asgi, listening, lambda: print("serving", os.getpid(), flush=True))


def main() -> None:
    """Fork a server for every line, once the one before it is dead."""
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    child = 0
    for _ in sys.stdin:
        if child:
            os.waitpid(child, 0)
        child = os.fork()
        if not child:
            serve(folder, port, "going-on" in sys.argv)
            os._exit(0)


if __name__ == "__main__":
    main()
