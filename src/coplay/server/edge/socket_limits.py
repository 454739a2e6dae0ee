"""Stands between the network and the Socket.IO server: what no page of ours would do ends the connection.

Socket.IO's parsers were not written for adversaries: they log a traceback for each malformed packet, keep
parts of messages without bound, and queue answers for whoever does not read them.
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
from coplay.signaling.rate_limits import TokenBucket

MAX_SOCKETS_AN_ADDRESS: Final = 512
FRAMES_PER_SECOND: Final = 1000.0
FRAME_BURST: Final = 2000.0
MAX_READ_AHEAD: Final = 256
"""Frames that are read from a client while a write to it waits; each may be answered, and answers queue."""
WRITE_WITHIN_S: Final = 10.0
HANG_UP_S: Final = 5.0
MAX_ATTACHMENTS: Final = 1
MAX_DIGITS: Final = 100
"""Of a whole number; reading a long one takes longer than its length says."""
_PACKET_TYPES: Final = "1234"
"""What a client may send in Engine.IO: close, ping, pong, message."""
_GREETING: Final = "40"
"""A Socket.IO connect, which must come first."""

_KEY: Final = "coplay.guarded"

_log = logging.getLogger(__name__)


class SocketGuard:
    """An ASGI application around the one that has the sockets.

    A client that sends too fast is read more slowly; one that does not read is closed.

    Args:
        app: What answers.

    Attributes:
        closed: How many connections were ended here, by reason.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._open: Counter[str] = Counter()
        self.closed: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        address = (scope.get("client") or ("", 0))[0]
        if self._open[address] >= MAX_SOCKETS_AN_ADDRESS and address not in LOOPBACK:
            self.closed["address"] += 1
            await send({"type": "websocket.close", "code": 1013})
            return
        self._open[address] += 1
        guarded = _Guarded(receive, send, self.closed)
        try:
            await self._app({**scope, _KEY: guarded}, guarded.receive, guarded.send)
        except Exception as error:
            self.closed["error"] += 1
            _log.warning("a socket ended with %s: %.200s", type(error).__name__, error)
        finally:
            guarded.close()
            self._open[address] -= 1
            if not self._open[address]:
                del self._open[address]


class _Guarded:
    def __init__(self, receive: Receive, send: Send, closed: Counter[str]) -> None:
        self._receive = receive
        self._send = send
        self._closed = closed
        # Its waits are timers of the event loop, so that the loop's clock measures them.
        self._now = asyncio.get_running_loop().time
        self._bucket = TokenBucket(FRAMES_PER_SECOND, FRAME_BURST, self._now())
        self._greeted = False
        self._dead = False
        self._writing: dict[asyncio.Task[Any], float] = {}
        self._late: set[asyncio.Task[Any]] = set()
        self._look: asyncio.TimerHandle | None = None
        self._read_ahead = 0
        self._write_ended = asyncio.Event()

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] != "websocket.receive":
            return message
        if not self._dead and not self._is_fine(message):
            self._closed["frame"] += 1
            self._dead = True
        # Back-pressure: who does not read is not read either; otherwise answers would fill the memory.
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
        # As `asyncio.timeout` would do it, with one timer for a while instead of one for each frame.
        task = cast("asyncio.Task[Any]", asyncio.current_task())
        self._writing[task] = self._now()
        if self._look is None:
            self._look_in(WRITE_WITHIN_S)
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
        """End the connection, whatever its client does."""
        if not self._dead:
            self._dead = True
            self._closed[reason] += 1
            with contextlib.suppress(Exception):
                await self.send({"type": "websocket.close", "code": 1008})

    def close(self) -> None:
        """Nobody writes any more."""
        if self._look is not None:
            self._look.cancel()

    def _look_in(self, delay_s: float) -> None:
        self._look = asyncio.get_running_loop().call_later(delay_s, self._end_late_writes)

    def _end_late_writes(self) -> None:
        self._look, now = None, self._now()
        for task, since in self._writing.items():
            if now - since >= WRITE_WITHIN_S:
                self._late.add(task)
                task.cancel()
        if left := self._writing.keys() - self._late:
            self._look_in(min(self._writing[task] for task in left) + WRITE_WITHIN_S - now)

    def _is_fine(self, message: Message) -> bool:
        text = message.get("text")
        if not self._greeted:
            self._greeted = isinstance(text, str) and text.startswith(_GREETING)
            return self._greeted
        # Bytes are attachments of an event; whether one is expected is asked where events are read.
        return text is None or (bool(text) and text[0] in _PACKET_TYPES)


class _Json:
    """What a packet needs of `json`, which would make an encoder or a decoder anew for each."""

    @staticmethod
    def _whole_number(text: str) -> int:
        if len(text) > MAX_DIGITS:
            raise ValueError("a number that is too long")
        return int(text)

    _encoder: Final = json.JSONEncoder(separators=(",", ":"))
    _decoder: Final = json.JSONDecoder(parse_int=_whole_number)

    @classmethod
    def dumps(cls, data: Any, **_: Any) -> str:
        """A packet's data as text."""
        return cls._encoder.encode(data)

    @classmethod
    def loads(cls, text: str) -> Any:
        """A packet's data."""
        return cls._decoder.decode(text)


class GuardedPacket(socketio.packet.Packet):  # type: ignore[misc]
    """A Socket.IO packet that has few attachments, and tells pages on connecting that we keep what they miss.

    socket.io-client then remembers the number at the end of each event, and tells it as `offset` when it
    connects again: "connection state recovery" of the Socket.IO protocol, which python-socketio lacks.
    """

    json = _Json

    def __init__(self, packet_type: int = socketio.packet.EVENT, data: Any = None, **more: Any) -> None:
        if packet_type == socketio.packet.CONNECT and isinstance(data, dict) and "sid" in data:
            data = {**data, "pid": "coplay"}
        super().__init__(packet_type, data, **more)

    @classmethod
    def data_is_binary(cls, data: Any) -> bool:
        """Whether bytes are among an event's arguments; ours never have them deeper inside."""
        return isinstance(data, list) and any(isinstance(item, bytes) for item in data)

    def decode(self, encoded_packet: str) -> int:
        """Read a packet; answers how many attachments it waits for."""
        if not isinstance(encoded_packet, str):
            raise ValueError("bytes that no event waits for")
        count = int(super().decode(encoded_packet) or 0)
        if count > MAX_ATTACHMENTS:
            raise ValueError("too many attachments")
        return count


def close_on_malformed_packets(server: socketio.AsyncServer) -> None:
    """End a socket whose packets cannot be read, instead of logging each of them with a traceback.

    What goes wrong in our own handlers must not come here: they answer for themselves.
    """
    handle: Callable[[str, Any], Awaitable[None]] = server.eio.handlers["message"]
    failed = 0

    async def handle_or_close(sid: str, data: Any) -> None:
        nonlocal failed
        try:
            await handle(sid, data)
        except Exception as error:
            failed += 1
            if is_worth_logging(failed):
                _log.warning("%d sockets were closed for packets that cannot be read: %.200r", failed, error)
            await _end(server, sid, "packet")

    server.eio.on("message", handle_or_close)


def hang_up_later(server: socketio.AsyncServer, sid: str) -> None:
    """End the connection below a socket that was refused or closed, if its client does not.

    Pages of ours hang up by themselves, once they have read why.
    """
    below = server.manager.eio_sid_from_sid(sid, "/")

    async def hang_up() -> None:
        await asyncio.sleep(HANG_UP_S)
        if server.manager.sid_from_eio_sid(below, "/") is None:
            await _end(server, below, "refused")

    # The server keeps a reference to its background tasks.
    server.start_background_task(hang_up)


async def _end(server: socketio.AsyncServer, below: str | None, reason: str) -> None:
    environ = server.environ.get(below)
    if environ is not None:
        await environ["asgi.scope"][_KEY].end(reason)
