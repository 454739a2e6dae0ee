"""What the server says to pages: in order, after it was stored, within bounds, and again if it was missed.

Every event has a number, but for those that a moment makes worthless. A page that connects again tells which
it took last, and gets what it missed; a page that missed more than is kept here is told everything anew.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Coroutine
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from coplay.messages.encoding import to_json
from coplay.messages.to_page import Failure, ToPage
from coplay.server.clock import Clock

MAX_QUEUED: Final = 256
MAX_KEPT: Final = 256
MAX_BACKLOG: Final = 64
"""Packets that a socket may have under way; a page that reads nothing must not fill our memory."""
PRESSURE: Final = 16
"""From so many packets on, datagrams are dropped."""
_RETRY_S: Final = 0.05

_UNSTORED: Final = Failure(
    error="The study's server cannot store data at the moment.",
    hint="Please reload this page in a minute.",
    reference="store",
)

_log = logging.getLogger(__name__)


class SocketServer(Protocol):
    """What is needed of python-socketio's server."""

    async def emit(self, event: str, data: Any, *, to: str) -> None:
        """Send an event to one socket; a tuple is several arguments."""

    async def disconnect(self, sid: str) -> None:
        """Close a socket."""

    def backlog(self, sid: str) -> int:
        """How many packets wait to be sent to a socket."""


@dataclass(frozen=True, slots=True)
class _Said:
    """An event for a page: numbered, or (0) worthless when missed."""

    number: int
    event: str
    data: Any
    after: "Future[Any] | None"


@dataclass(slots=True)
class _Outbox:
    sid: str
    queue: "asyncio.Queue[_Said]"
    task: "asyncio.Task[None]"


@dataclass(slots=True)
class _Log:
    """What was said to one page lately. Numbers begin at the time, so that those of a former run of the
    server are never taken for ours."""

    last: int
    kept: "deque[_Said]" = field(default_factory=lambda: deque(maxlen=MAX_KEPT))

    def add(self, event: str, data: Any, after: "Future[Any] | None") -> _Said:
        self.last += 1
        said = _Said(self.last, event, data, after)
        self.kept.append(said)
        return said

    def since(self, number: int | None) -> list[_Said] | None:
        """What came after a number; None if that is not known here any more."""
        if number is None or not self.kept or not self.kept[0].number - 1 <= number <= self.last:
            return None
        return [said for said in self.kept if said.number > number]


class Messenger:
    """Delivers events to participants' pages, in order.

    Args:
        sockets: The Socket.IO server.
        clock: The time.
    """

    def __init__(self, sockets: SocketServer, clock: Clock) -> None:
        self._sockets = sockets
        self._clock = clock
        self._outboxes: dict[str, _Outbox] = {}
        self._logs: dict[str, _Log] = {}
        self._lost_at: dict[str, float] = {}
        self._errands: set[asyncio.Task[None]] = set()
        self._announced: tuple[str, Any] | None = None

    # Sockets

    def open(self, member: str, sid: str, last: int | None = None) -> bool:
        """From now on `member` is reached by this socket; an older one is closed.

        Args:
            member: The participant.
            sid: The socket.
            last: The number of the last event that the page took; None for a new page.

        Returns:
            Whether the page gets all that it missed; if not, it has to be told how things stand.
        """
        self.close(member)
        self._lost_at.pop(member, None)
        missed = self._logs[member].since(last) if member in self._logs else None
        if missed is None:
            self._logs[member] = _Log(int(self._clock.wall() * 1000))
        queue: asyncio.Queue[_Said] = asyncio.Queue(MAX_QUEUED)
        for said in missed or ():
            queue.put_nowait(said)
        task = asyncio.create_task(self._deliver(sid, queue))
        self._outboxes[member] = _Outbox(sid, queue, task)
        if self._announced is not None:
            self._run(self._sockets.emit(*self._announced, to=sid))
        return missed is not None

    def sid_of(self, member: str) -> str | None:
        """The socket that reaches a participant now."""
        outbox = self._outboxes.get(member)
        return None if outbox is None else outbox.sid

    def lost(self, member: str, sid: str) -> bool:
        """A socket is gone. Whether it was the one that reached the participant."""
        outbox = self._outboxes.get(member)
        if outbox is None or outbox.sid != sid:
            return False
        del self._outboxes[member]
        outbox.task.cancel()
        self._lost_at[member] = self._clock.now()
        return True

    def forget(self, member: str) -> None:
        """The page of a participant will not come back: what it missed is of no interest."""
        self._logs.pop(member, None)
        self._lost_at.pop(member, None)

    def forget_lost(self, then: float) -> None:
        """Forget the pages whose sockets were lost before a moment; if they do come back, they are told
        everything anew."""
        for member in [member for member, at in self._lost_at.items() if at < then]:
            self.forget(member)

    def close(self, member: str, last: Failure | None = None) -> None:
        """Close a participant's socket, perhaps after one last event."""
        outbox = self._outboxes.pop(member, None)
        if outbox is None:
            return
        outbox.task.cancel()
        self._lost_at[member] = self._clock.now()
        self._run(self._farewell(outbox.sid, last))

    # Events

    def post(self, member: str, message: ToPage, after: "Future[Any] | None" = None) -> None:
        """Send an event, or keep it for the page's next socket.

        Args:
            member: To whom.
            message: What to send.
            after: Not before this is done: what is shown must have been stored.
        """
        self.forward(member, message.EVENT, to_json(message), after)

    def forward(self, member: str, event: str, data: Any, after: "Future[Any] | None" = None) -> None:
        """Send an event whose data another page wrote, and the server checked; otherwise like `post`."""
        log = self._logs.get(member)
        if log is not None:
            self._put(member, log.add(event, data, after))

    def mention(self, member: str, message: ToPage) -> None:
        """Send an event that the next one of its kind replaces; without a socket it is lost."""
        self._put(member, _Said(0, message.EVENT, to_json(message), None))

    async def stream(self, member: str, event: str, data: bytes) -> bool:
        """Send bytes at once or never; False if the page has no socket, or its socket is behind."""
        outbox = self._outboxes.get(member)
        if outbox is None or self._sockets.backlog(outbox.sid) >= PRESSURE:
            return False
        await self._sockets.emit(event, data, to=outbox.sid)
        return True

    def announce(self, message: ToPage, *, lasting: bool) -> None:
        """Tell all pages at once, past what waits for the store; if it lasts, also those that come later."""
        event, data = message.EVENT, to_json(message)
        self._announced = (event, data) if lasting else None
        for outbox in self._outboxes.values():
            if self._sockets.backlog(outbox.sid) < MAX_BACKLOG:
                self._run(self._sockets.emit(event, data, to=outbox.sid))

    def _run(self, errand: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(errand)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    def _put(self, member: str, said: _Said) -> None:
        outbox = self._outboxes.get(member)
        if outbox is None:
            return
        try:
            outbox.queue.put_nowait(said)
        except asyncio.QueueFull:
            _log.warning("the page of %s takes nothing any more; its socket is closed", member)
            self.close(member)

    async def _farewell(self, sid: str, last: Failure | None) -> None:
        if last is not None:
            await self._sockets.emit(last.EVENT, to_json(last), to=sid)
        await self._sockets.disconnect(sid)

    async def _deliver(self, sid: str, queue: "asyncio.Queue[_Said]") -> None:
        while True:
            said = await queue.get()
            event, data = said.event, said.data
            if said.after is not None:
                try:
                    await asyncio.wrap_future(said.after)
                except Exception:
                    _log.exception("not shown, because it could not be stored: %s", event)
                    event, data = Failure.EVENT, to_json(_UNSTORED)
            while self._sockets.backlog(sid) >= MAX_BACKLOG:
                await asyncio.sleep(_RETRY_S)
            # The number as a text at the end is what socket.io-client remembers by itself.
            await self._sockets.emit(event, (data, str(said.number)) if said.number else data, to=sid)
