"""A TCP proxy that delays everything in both directions and keeps its order."""

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any


class SlowWay:
    """A proxy that forwards TCP connections with a delay, in a separate thread.

    Args:
        port: The server's port on loopback.

    Attributes:
        url: The address at which the proxy listens.
        delay_s: Seconds that each direction adds, which is half of a round trip; may be changed at any time.
    """

    def __init__(self, port: int) -> None:
        self.delay_s = 0.0
        self._port = port
        self._pumps: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server: asyncio.Server = self._run(asyncio.start_server(self._meet, "127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def stop(self) -> None:
        """Close all connections and stop the thread."""
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _end(self) -> None:
        self._server.close()
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
        for source, sink in ((reader, far_writer), (far_reader, writer)):
            pump = asyncio.ensure_future(self._pump(source, sink))
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        loop, under_way = asyncio.get_running_loop(), asyncio.Queue[tuple[float, bytes]]()

        async def deliver() -> None:
            while True:
                due, data = await under_way.get()
                if (wait := due - loop.time()) > 0:
                    await asyncio.sleep(wait)
                if not data:
                    sink.close()
                    return
                sink.write(data)

        delivering = asyncio.ensure_future(deliver())
        try:
            with suppress(ConnectionError):
                while data := await source.read(1 << 16):
                    under_way.put_nowait((loop.time() + self.delay_s, data))
            under_way.put_nowait((loop.time() + self.delay_s, b""))
            await delivering
        finally:
            delivering.cancel()
