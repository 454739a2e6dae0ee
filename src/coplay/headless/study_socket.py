"""The one socket between a participant and the study's server; opened again whenever it breaks."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import aiohttp
import socketio

from coplay.headless.outcome import PeerError

_ANSWER_S: Final = 3.0
_OPEN_S: Final = 5.0
_AGAIN_S: Final = 0.5
_FIRST_WAIT_S: Final = 0.3
_LONGEST_WAIT_S: Final = 5.0
_WAITING_TO_LEAVE: Final = 256


class StudySocket:
    """What the server says arrives as events, and goes on where it was after a break.

    Args:
        http: Opens the connection.
        address: Of the server.
        happened: Told each event with its data; `connected` when the socket is open, now or again, and
            `failed` when the server refuses it for good, in the words of protocol/README.md.
    """

    def __init__(
        self, http: aiohttp.ClientSession, address: str, happened: Callable[[str, Any], None]
    ) -> None:
        self._address = address
        self._happened = happened
        self._token = self._offset = ""
        self._refusal: dict[str, Any] = {}
        self._leaving: asyncio.Queue[tuple[str, Any]] = asyncio.Queue(_WAITING_TO_LEAVE)
        self._tasks: list[asyncio.Task[None]] = []
        self._reopening: asyncio.Task[None] | None = None
        # Its own way to reconnect would not end when the server refuses, nor begin when the server hangs up.
        socket = self._socket = socketio.AsyncClient(http_session=http, reconnection=False)
        socket.on("*", self._take)
        socket.on("resume", self._take_token)
        socket.on("connect", lambda: happened("connected", None))
        socket.on("connect_error", self._take_refusal)
        socket.on("disconnect", self._broke)

    async def open(self, token: str) -> None:
        """Connect.

        Raises:
            PeerError: The server refuses, or is not there.
        """
        self._token = token
        try:
            await self._connect()
        except socketio.exceptions.ConnectionError as error:
            if self._refusal:
                raise refusal(self._refusal) from error
            raise PeerError(
                f"{self._address} refuses the connection: {error}", "See the server's log."
            ) from error
        self._tasks.append(asyncio.ensure_future(self._send_what_leaves()))

    def emit(self, event: str, data: Any) -> None:
        """Send one event, or lose it: what cannot leave soon is of no use."""
        if self._socket.connected and not self._leaving.full():
            self._leaving.put_nowait((event, data))

    async def call(self, event: str, data: dict[str, Any]) -> bool:
        """Say something until it is heard; returns whether the server agreed."""
        while True:
            try:
                answer = await self._socket.call(event, data, timeout=_ANSWER_S)
                return bool(answer["ok"])
            except socketio.exceptions.SocketIOError:
                # The server restarts, or the network is gone for a while.
                await asyncio.sleep(_AGAIN_S)

    async def close(self) -> None:
        """Close it for good."""
        tasks = [*self._tasks, *([self._reopening] if self._reopening else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks.clear()
        await self._socket.disconnect()

    async def _connect(self) -> None:
        self._refusal = {}
        await self._socket.connect(
            self._address,
            auth={"token": self._token, **({"offset": self._offset} if self._offset else {})},
            transports=["websocket"],
            wait_timeout=_OPEN_S,
        )

    async def _reconnect(self) -> None:
        wait = _FIRST_WAIT_S
        while True:
            await asyncio.sleep(wait)
            try:
                await self._connect()
                return
            except (socketio.exceptions.ConnectionError, ValueError):
                if self._refusal:
                    self._happened("failed", self._refusal)
                    return
                wait = min(_LONGEST_WAIT_S, 2 * wait)

    async def _send_what_leaves(self) -> None:
        while True:
            event, data = await self._leaving.get()
            try:
                await self._socket.emit(event, data)
            except socketio.exceptions.SocketIOError:
                continue  # the connection broke; its lane is lossy

    # What the socket says

    def _take(self, event: str, data: Any = None, number: str = "") -> None:
        self._offset = number or self._offset
        self._happened(event, data)

    def _take_token(self, data: dict[str, Any], number: str = "") -> None:
        """The next socket is to be opened with another token; the server waits to hear that it came."""
        self._offset = number or self._offset
        self._token = data["token"]
        self.emit("resume_kept", {"token": self._token})

    def _take_refusal(self, told: Any = None) -> None:
        # A refusal with a reason in its data is final; anything else is a network that may come back.
        reason = told.get("data") if isinstance(told, dict) else None
        if isinstance(reason, dict) and reason.get("error"):
            self._refusal = reason

    def _broke(self, _reason: str) -> None:
        self._reopening = asyncio.ensure_future(self._reconnect())


def refusal(answer: dict[str, Any]) -> PeerError:
    """What the server said when it refused, as an error."""
    error = str(answer.get("error") or "the server refused")
    return PeerError(error.rstrip("."), str(answer.get("hint") or "See the server's log."))
