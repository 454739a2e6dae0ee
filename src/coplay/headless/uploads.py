"""The queue that uploads a game's batches and report, in order, until the server has them."""

import asyncio
from typing import Any, Final

import aiohttp

_FIRST_WAIT_S: Final = 0.5
_LONGEST_WAIT_S: Final = 10.0
_TRANSIENT: Final = (408, 429)


class Uploads:
    """The upload queue of one peer of a game.

    It makes one request at a time and retries transient failures with exponential back-off. Uploads that the
    server refuses for good are dropped and counted.

    Args:
        http: Makes the requests.
        game_url: `<server>/api/games/<game_id>`.
        token: The game's upload token.

    Attributes:
        refused: Uploads that the server refused for good.
    """

    def __init__(self, http: aiohttp.ClientSession, game_url: str, token: str) -> None:
        self.refused = 0
        self._http = http
        self._url = game_url
        self._token = token
        self._queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    def add_batch(self, body: bytes) -> None:
        """Queue an encoded batch."""
        headers = {"Content-Type": "application/octet-stream"}
        self._queue.put_nowait({"url": f"{self._url}/batches", "data": body, "headers": headers})

    def add_report(self, report: dict[str, Any]) -> None:
        """Queue the report."""
        self._queue.put_nowait({"url": f"{self._url}/report", "json": report, "headers": {}})

    async def join(self) -> None:
        """Wait until everything that was queued is uploaded or refused."""
        await self._queue.join()

    async def run(self) -> None:
        """Upload what is queued, until cancelled."""
        while True:
            request = await self._queue.get()
            request["headers"]["Authorization"] = f"Bearer {self._token}"
            wait = _FIRST_WAIT_S
            while (retry_after := await self._upload(request)) is not None:
                await asyncio.sleep(max(wait, retry_after))
                wait = min(_LONGEST_WAIT_S, 2 * wait)
            self._queue.task_done()

    async def _upload(self, request: dict[str, Any]) -> float | None:
        """Return after how many seconds to retry at the earliest, or None if the upload is settled."""
        try:
            async with self._http.post(**request) as answer:
                if answer.status < 300:
                    return None
                if 400 <= answer.status < 500 and answer.status not in _TRANSIENT:
                    self.refused += 1
                    return None
                # A date in `Retry-After` is ignored; the usual back-off applies.
                retry_after = answer.headers.get("Retry-After", "")
                return min(_LONGEST_WAIT_S, float(retry_after)) if retry_after.isdecimal() else 0.0
        except (aiohttp.ClientError, TimeoutError):
            return 0.0
