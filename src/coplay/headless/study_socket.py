"""The Socket.IO connection between a participant and the study's server, with reconnection and resume."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import aiohttp
import socketio

from coplay.headless.outcome import PeerError

_ANSWER_S: Final = 3.0
_OPEN_S: Final = 5.0
_RETRY_S: Final = 0.5
_FIRST_WAIT_S: Final = 0.3
_LONGEST_WAIT_S: Final = 5.0
_OUTBOX_EVENTS: Final = 256


class StudySocket:
    """A socket that reconnects by itself and resumes after the last event it received.

    Args:
        http: Opens the connection.
        address: Address of the server.
        on_event: Called with each event and its data. In addition to the server's events there are
            `connected` when the socket is open, also after a reconnect, and `failed` when the server refuses
            it for good, with the server's reason as described in protocol/README.md.
    """

    def __init__(
        self, http: aiohttp.ClientSession, address: str, on_event: Callable[[str, Any], None]
    ) -> None:
        self._address = address
        self._on_event = on_event
        self._token = self._offset = ""
        self._refusal: dict[str, Any] = {}
        self._outbox: asyncio.Queue[tuple[str, Any]] = asyncio.Queue(_OUTBOX_EVENTS)
        self._tasks: list[asyncio.Task[None]] = []
        self._reconnecting: asyncio.Task[None] | None = None
        # The library's own reconnection would not stop when the server refuses the socket for good, and would
        # not start when the server closes it.
        socket = self._socket = socketio.AsyncClient(http_session=http, reconnection=False)
        socket.on("*", self._receive)
        socket.on("resume", self._receive_token)
        socket.on("connect", lambda: on_event("connected", None))
        socket.on("connect_error", self._receive_refusal)
        socket.on("disconnect", self._disconnected)

    async def open(self, token: str) -> None:
        """Connect.

        Args:
            token: The participant's page token.

        Raises:
            PeerError: The server refuses, or cannot be reached.
        """
        self._token = token
        try:
            await self._connect()
        except socketio.exceptions.ConnectionError as error:
            if self._refusal:
                raise refusal_error(self._refusal) from error
            raise PeerError(
                f"{self._address} refuses the connection: {error}", "See the server's log."
            ) from error
        self._tasks.append(asyncio.ensure_future(self._send_outbox()))

    def emit(self, event: str, data: Any) -> None:
        """Send one event, or drop it if the socket is closed or too many are waiting."""
        if self._socket.connected and not self._outbox.full():
            self._outbox.put_nowait((event, data))

    async def call(self, event: str, data: dict[str, Any]) -> bool:
        """Send an event until it is acknowledged.

        Returns:
            True if the server accepted it, False if it refused.
        """
        while True:
            try:
                answer = await self._socket.call(event, data, timeout=_ANSWER_S)
                return bool(answer["ok"])
            except socketio.exceptions.SocketIOError:
                # The server restarts, or the network is down for a while.
                await asyncio.sleep(_RETRY_S)

    async def close(self) -> None:
        """Close the socket for good."""
        tasks = [*self._tasks, *([self._reconnecting] if self._reconnecting else [])]
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
                    self._on_event("failed", self._refusal)
                    return
                wait = min(_LONGEST_WAIT_S, 2 * wait)

    async def _send_outbox(self) -> None:
        while True:
            event, data = await self._outbox.get()
            try:
                await self._socket.emit(event, data)
            except socketio.exceptions.SocketIOError:
                continue  # The connection broke. Signals are sent again; datagrams may be lost.

    # From the server

    def _receive(self, event: str, data: Any = None, offset: str = "") -> None:
        self._offset = offset or self._offset
        self._on_event(event, data)

    def _receive_token(self, data: dict[str, Any], offset: str = "") -> None:
        """Store the token for the next connection, and confirm it so that the server retires the old one."""
        self._offset = offset or self._offset
        self._token = data["token"]
        self.emit("resume_kept", {"token": self._token})

    def _receive_refusal(self, answer: Any = None) -> None:
        # A refusal that states a reason is final; anything else is a transient network failure.
        reason = answer.get("data") if isinstance(answer, dict) else None
        if isinstance(reason, dict) and reason.get("error"):
            self._refusal = reason

    def _disconnected(self, _reason: str) -> None:
        self._reconnecting = asyncio.ensure_future(self._reconnect())


def refusal_error(answer: dict[str, Any]) -> PeerError:
    """Return the server's refusal as an error, with its message and hint."""
    error = str(answer.get("error") or "the server refused")
    return PeerError(error.rstrip("."), str(answer.get("hint") or "See the server's log."))
