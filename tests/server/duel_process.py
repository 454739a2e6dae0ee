"""A server of the duel study in a process of its own, which a test can kill (arguments: FOLDER PORT)."""

import asyncio
import signal as signals
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.server.conftest import Page, duel_study, running  # noqa: E402
from tests.server.playing import until  # noqa: E402


class Host:
    """A server process at an address that stays the same."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.base = f"http://127.0.0.1:{self.port}"
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, __file__, self.folder, str(self.port), stdout=asyncio.subprocess.PIPE
        )
        assert self.process.stdout is not None
        assert await asyncio.wait_for(self.process.stdout.readline(), 60) == b"ready\n"

    async def kill(self) -> None:
        assert self.process is not None
        with suppress(ProcessLookupError):
            self.process.send_signal(signals.SIGKILL)
        await self.process.wait()


@asynccontextmanager
async def hosted(folder: Path) -> AsyncIterator[tuple[Host, aiohttp.ClientSession]]:
    host = Host(folder)
    await host.start()
    async with aiohttp.ClientSession() as http:
        try:
            yield host, http
        finally:
            await host.kill()


async def reconnected(*pages: Page) -> None:
    for page in pages:
        await until(lambda page=page: not page.socket.connected)  # type: ignore[misc]
        await page.connect(resume=True)


async def main(folder: Path, port: int) -> None:
    async with running(duel_study(), folder, port=port):
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
