"""Brings a game's batches and its report to the server, in order, until the server has them."""

import asyncio
from typing import Any, Final

import aiohttp

_FIRST_WAIT_S: Final = 0.5
_LONGEST_WAIT_S: Final = 10.0
_RETRIED = (408, 429)


class Uploads:
    """What one peer of a game has still to bring.

    One request at a time; a failure waits a little longer each time. What the server refuses for good is
    let go, and counted.

    Args:
        http: Makes the requests.
        game_url: `<server>/api/games/<game_id>`.
        token: The game's.
    """

    def __init__(self, http: aiohttp.ClientSession, game_url: str, token: str) -> None:
        self.refused = 0
        self._http = http
        self._url = game_url
        self._token = token
        self._waiting: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    def add_batch(self, body: bytes) -> None:
        """Bring an encoded batch."""
        headers = {"Content-Type": "application/octet-stream"}
        self._waiting.put_nowait({"url": f"{self._url}/batches", "data": body, "headers": headers})

    def add_report(self, report: dict[str, Any]) -> None:
        """Bring the report."""
        self._waiting.put_nowait({"url": f"{self._url}/report", "json": report, "headers": {}})

    async def all_brought(self) -> None:
        """Return once the server has everything that was added."""
        await self._waiting.join()

    async def run(self) -> None:
        """Bring what is added, until cancelled."""
        while True:
            request = await self._waiting.get()
            request["headers"]["Authorization"] = f"Bearer {self._token}"
            wait = _FIRST_WAIT_S
            while (later := await self._bring(request)) is not None:
                await asyncio.sleep(max(wait, later))
                wait = min(_LONGEST_WAIT_S, 2 * wait)
            self._waiting.task_done()

    async def _bring(self, request: dict[str, Any]) -> float | None:
        """Seconds after which the server would like to be asked again, or None when it is done with it."""
        try:
            async with self._http.post(**request) as answer:
                if answer.status < 300:
                    return None
                if 400 <= answer.status < 500 and answer.status not in _RETRIED:
                    self.refused += 1
                    return None
                later = answer.headers.get("Retry-After", "")
                return min(_LONGEST_WAIT_S, float(later)) if later.isdecimal() else 0.0
        except (aiohttp.ClientError, TimeoutError):
            return 0.0
