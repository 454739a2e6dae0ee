"""Protects the Socket.IO server from hostile clients: ends connections that send what our pages never do.

Socket.IO's parsers were not written for adversaries: they log a traceback for each malformed packet, buffer
the parts of messages without bound, and queue answers for clients that do not read them.
"""

import asyncio
import contextlib
import json
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, Final, cast

import socketio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from coplay.server.edge.authorization import LOOPBACK
from coplay.server.refusals import is_worth_logging
from coplay.signaling.token_buckets import TokenBucket

MAX_SOCKETS_PER_ADDRESS: Final = 512
FRAMES_PER_SECOND: Final = 1000.0
FRAME_BURST: Final = 2000.0
MAX_READ_AHEAD: Final = 256
"""How many frames are read from a client while a write to it waits, since each frame may queue an answer."""
WRITE_WITHIN_S: Final = 10.0
"""A client that takes longer to read one frame is disconnected."""
HANG_UP_S: Final = 5.0
"""How long a client that was refused or closed has to hang up by itself."""
MAX_ATTACHMENTS: Final = 1
"""Binary attachments of one packet; no event of our pages has more."""
MAX_DIGITS: Final = 100
"""The length of the longest whole number that is parsed, since the time for parsing grows quadratically."""
_PACKET_TYPES: Final = "1234"
"""The Engine.IO packets that a client may send: close, ping, pong, message."""
_CONNECT_PACKET: Final = "40"
"""The start of a Socket.IO connect packet, which must come first."""

_SCOPE_KEY: Final = "coplay.guarded"

_log = logging.getLogger(__name__)


class SocketGuard:
    """ASGI middleware that limits WebSocket connections.

    A client that sends too fast is slowed down by back-pressure. A client that does not read is disconnected.

    Args:
        app: The application that has the sockets.

    Attributes:
        closed: How many connections were ended, by reason.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._open: Counter[str] = Counter()
        self.closed: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; those that are not WebSockets pass through."""
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        address = (scope.get("client") or ("", 0))[0]
        if self._open[address] >= MAX_SOCKETS_PER_ADDRESS and address not in LOOPBACK:
            self.closed["address"] += 1
            await send({"type": "websocket.close", "code": 1013})
            return
        self._open[address] += 1
        guarded = _Guarded(receive, send, self.closed)
        try:
            await self._app({**scope, _SCOPE_KEY: guarded}, guarded.receive, guarded.send)
        except Exception as error:  # noqa: BLE001 (a client can make the layers below raise almost anything)
            self.closed["error"] += 1
            _log.warning("a socket ended with %s: %.200s", type(error).__name__, error)
        finally:
            guarded.close()
            self._open[address] -= 1
            if not self._open[address]:
                del self._open[address]


class _Guarded:
    """One guarded WebSocket connection."""

    def __init__(self, receive: Receive, send: Send, closed: Counter[str]) -> None:
        self._receive = receive
        self._send = send
        self._closed = closed
        # The loop's own clock, because the waits are timers of the event loop.
        self._now = asyncio.get_running_loop().time
        self._bucket = TokenBucket(FRAMES_PER_SECOND, FRAME_BURST, self._now())
        self._connected = False
        self._dead = False
        self._writing: dict[asyncio.Task[Any], float] = {}
        self._late: set[asyncio.Task[Any]] = set()
        self._check: asyncio.TimerHandle | None = None
        self._read_ahead = 0
        self._write_ended = asyncio.Event()

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] != "websocket.receive":
            return message
        if not self._dead and not self._is_allowed(message):
            self._closed["frame"] += 1
            self._dead = True
        # Back-pressure: answers for a client that sends and does not read would otherwise fill the memory.
        self._read_ahead = self._read_ahead + 1 if self._writing else 0
        while self._writing and self._read_ahead > MAX_READ_AHEAD and not self._dead:
            self._write_ended.clear()
            await self._write_ended.wait()
        if self._dead:
            return {"type": "websocket.disconnect", "code": 1008}
        while not self._bucket.take(self._now()):
            await asyncio.sleep(1 / FRAMES_PER_SECOND)
        return message

    async def send(self, message: Message) -> None:
        # A timeout like that of `asyncio.timeout`, but with one timer for all writes instead of one each,
        # because this runs for every frame that is sent.
        task = cast("asyncio.Task[Any]", asyncio.current_task())
        self._writing[task] = self._now()
        if self._check is None:
            self._schedule_check(WRITE_WITHIN_S)
        try:
            await self._send(message)
        except asyncio.CancelledError:
            if task not in self._late:
                raise
            self._late.discard(task)
            task.uncancel()
            self._closed["unread"] += 1
            self._dead = True
            raise TimeoutError from None
        finally:
            del self._writing[task]
            self._write_ended.set()

    async def end(self, reason: str) -> None:
        """End the connection, whether or not the client reads."""
        if not self._dead:
            self._dead = True
            self._closed[reason] += 1
            # The connection may be gone already.
            with contextlib.suppress(Exception):
                await self.send({"type": "websocket.close", "code": 1008})

    def close(self) -> None:
        """Stop the timer; the connection has ended."""
        if self._check is not None:
            self._check.cancel()

    def _schedule_check(self, delay_s: float) -> None:
        self._check = asyncio.get_running_loop().call_later(delay_s, self._end_late_writes)

    def _end_late_writes(self) -> None:
        self._check, now = None, self._now()
        for task, since in self._writing.items():
            if now - since >= WRITE_WITHIN_S:
                self._late.add(task)
                task.cancel()
        if left := self._writing.keys() - self._late:
            self._schedule_check(min(self._writing[task] for task in left) + WRITE_WITHIN_S - now)

    def _is_allowed(self, message: Message) -> bool:
        text = message.get("text")
        if not self._connected:
            self._connected = isinstance(text, str) and text.startswith(_CONNECT_PACKET)
            return self._connected
        # Bytes are attachments of an event. `GuardedPacket` rejects those that no event has announced.
        return text is None or (bool(text) and text[0] in _PACKET_TYPES)


class _Json:
    """The part of `json` that packets need, with one encoder and one decoder for all of them."""

    @staticmethod
    def _whole_number(text: str) -> int:
        if len(text) > MAX_DIGITS:
            raise ValueError("a number is too long")
        return int(text)

    _encoder: Final = json.JSONEncoder(separators=(",", ":"))
    _decoder: Final = json.JSONDecoder(parse_int=_whole_number)

    @classmethod
    def dumps(cls, data: Any, **_: Any) -> str:
        """Return a packet's data as text."""
        return cls._encoder.encode(data)

    @classmethod
    def loads(cls, text: str) -> Any:
        """Return a packet's data, parsed from text."""
        return cls._decoder.decode(text)


class GuardedPacket(socketio.packet.Packet):  # type: ignore[misc]
    """A Socket.IO packet with few attachments, which enables "connection state recovery" in clients.

    On connecting, a client is told that missed events are kept for it. From then on socket.io-client
    remembers the number at the end of each event, and sends it as `offset` when it reconnects.
    python-socketio lacks this part of the Socket.IO protocol.
    """

    json = _Json

    def __init__(self, packet_type: int = socketio.packet.EVENT, data: Any = None, **more: Any) -> None:
        if packet_type == socketio.packet.CONNECT and isinstance(data, dict) and "sid" in data:
            data = {**data, "pid": "coplay"}
        super().__init__(packet_type, data, **more)

    @classmethod
    def data_is_binary(cls, data: Any) -> bool:
        """Return True if bytes are among an event's arguments; ours are never nested deeper."""
        return isinstance(data, list) and any(isinstance(item, bytes) for item in data)

    def decode(self, encoded_packet: str) -> int:
        """Parse a packet. Return how many attachments it announces."""
        if not isinstance(encoded_packet, str):
            raise ValueError("no event has announced an attachment")
        count = int(super().decode(encoded_packet) or 0)
        if count > MAX_ATTACHMENTS:
            raise ValueError("too many attachments")
        return count


def close_on_malformed_packets(server: socketio.AsyncServer) -> None:
    """Make a server end connections that send malformed packets, instead of logging each with a traceback.

    Our own event handlers must catch their exceptions, which would be taken for malformed packets here.

    Args:
        server: The Socket.IO server.
    """
    handle: Callable[[str, Any], Awaitable[None]] = server.eio.handlers["message"]
    failed = 0

    async def handle_or_close(sid: str, data: Any) -> None:
        nonlocal failed
        try:
            await handle(sid, data)
        except Exception as error:  # noqa: BLE001 (the parsers raise almost anything)
            failed += 1
            if is_worth_logging(failed):
                _log.warning("%d sockets were closed for packets that cannot be read: %.200r", failed, error)
            await _end(server, sid, "packet")

    server.eio.on("message", handle_or_close)


def hang_up_later(server: socketio.AsyncServer, sid: str) -> None:
    """End the connection of a socket that was refused or closed, unless its client does so soon.

    Our pages hang up by themselves once they have read the reason, which an early end could cut off.

    Args:
        server: The Socket.IO server.
        sid: The socket's id.
    """
    connection = server.manager.eio_sid_from_sid(sid, "/")

    async def hang_up() -> None:
        await asyncio.sleep(HANG_UP_S)
        if server.manager.sid_from_eio_sid(connection, "/") is None:
            await _end(server, connection, "refused")

    # Not `asyncio.create_task`: the server keeps a reference, so that the task is not garbage-collected.
    server.start_background_task(hang_up)


async def _end(server: socketio.AsyncServer, connection: str | None, reason: str) -> None:
    environ = server.environ.get(connection)
    if environ is not None:
        await environ["asgi.scope"][_SCOPE_KEY].end(reason)
