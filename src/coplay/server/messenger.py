"""Delivery of events to pages: in order, once they are stored, within bounds, and again if they were missed.

Every event is numbered, except volatile ones, which lose their value within moments. A page that reconnects
names the last event that it received, and is sent the later ones. If some of these are no longer kept, its
whole situation has to be sent again.
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
"""Events that wait for one socket; beyond that it is closed."""
MAX_KEPT: Final = 256
"""Events that are kept for one page, to be sent again when it reconnects."""
MAX_BACKLOG: Final = 64
"""Packets in flight to one socket before events wait: a page that reads nothing must not fill the memory."""
PRESSURE: Final = 16
"""Packets in flight to one socket from which on datagrams are dropped."""
_RETRY_S: Final = 0.05

_UNSTORED: Final = Failure(
    error="The study's server cannot store data at the moment.",
    hint="Please reload this page in a minute.",
    reference="store",
)

_log = logging.getLogger(__name__)


class SocketServer(Protocol):
    """The part of a Socket.IO server that the messenger needs."""

    async def emit(self, event: str, data: Any, *, to: str) -> None:
        """Send an event to one socket; a tuple is sent as several arguments."""

    async def disconnect(self, sid: str) -> None:
        """Close a socket."""

    def backlog(self, sid: str) -> int:
        """Return the number of packets in flight to a socket."""


@dataclass(frozen=True, slots=True)
class _Event:
    """An event for a page.

    Attributes:
        number: The event's number; None if it is volatile.
        name: The event's name.
        data: The event's arguments as JSON.
        after: The event is sent once this future is done; None to send it without waiting.
    """

    number: int | None
    name: str
    data: Any
    after: "Future[Any] | None" = None


@dataclass(slots=True)
class _Outbox:
    sid: str
    queue: "asyncio.Queue[_Event]"
    task: "asyncio.Task[None]"


@dataclass(slots=True)
class _History:
    """The latest events for one page.

    Attributes:
        last: Number of the latest event.
        kept: The latest events, in order.
    """

    last: int
    kept: "deque[_Event]" = field(default_factory=lambda: deque(maxlen=MAX_KEPT))

    def add(self, name: str, data: Any, after: "Future[Any] | None") -> _Event:
        self.last += 1
        event = _Event(self.last, name, data, after)
        self.kept.append(event)
        return event

    def since(self, number: int | None) -> list[_Event] | None:
        """Return the events after a number; None if the number is unknown, or some of them were dropped."""
        first = self.kept[0].number if self.kept else None
        if number is None or first is None or not first - 1 <= number <= self.last:
            return None
        return [event for event in self.kept if event.number is not None and event.number > number]


class Messenger:
    """Delivers events to participants' pages, in order.

    Args:
        sockets: The Socket.IO server.
        clock: The server's clock.
    """

    def __init__(self, sockets: SocketServer, clock: Clock) -> None:
        self._sockets = sockets
        self._clock = clock
        self._outboxes: dict[str, _Outbox] = {}
        self._histories: dict[str, _History] = {}
        self._lost_at: dict[str, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._announced: tuple[str, Any] | None = None

    # Sockets

    def open(self, participant_id: str, sid: str, last: int | None = None) -> bool:
        """Send a participant's events to this socket from now on, and close an older one.

        Args:
            participant_id: The participant.
            sid: The socket's id.
            last: Number of the last event that the page received; None for a new page.

        Returns:
            True if the page gets everything that it missed. If False, send its whole situation again.
        """
        self.close(participant_id)
        self._lost_at.pop(participant_id, None)
        history = self._histories.get(participant_id)
        missed = None if history is None else history.since(last)
        if missed is None:
            # Numbers start at the wall clock, so that no number from before a restart is taken for a new one.
            self._histories[participant_id] = _History(int(self._clock.wall() * 1000))
        queue: asyncio.Queue[_Event] = asyncio.Queue(MAX_QUEUED)
        # The queue cannot overflow here: at most MAX_KEPT events were missed, no more than MAX_QUEUED.
        for event in missed or ():
            queue.put_nowait(event)
        task = asyncio.create_task(self._deliver(sid, queue))
        self._outboxes[participant_id] = _Outbox(sid, queue, task)
        if self._announced is not None:
            self._run(self._sockets.emit(*self._announced, to=sid))
        return missed is not None

    def sid_of(self, participant_id: str) -> str | None:
        """Return the id of a participant's socket; None if there is none."""
        outbox = self._outboxes.get(participant_id)
        return None if outbox is None else outbox.sid

    def lost(self, participant_id: str, sid: str) -> bool:
        """Stop sending to a socket that is gone. Return True if it was the participant's current socket."""
        outbox = self._outboxes.get(participant_id)
        # A replaced socket may close after its successor has opened, and must not end the successor's outbox.
        if outbox is None or outbox.sid != sid:
            return False
        del self._outboxes[participant_id]
        outbox.task.cancel()
        self._lost_at[participant_id] = self._clock.now()
        return True

    def forget(self, participant_id: str) -> None:
        """Drop the events that are kept for a page that will not come back."""
        self._histories.pop(participant_id, None)
        self._lost_at.pop(participant_id, None)

    def forget_lost(self, before: float) -> None:
        """Drop the events kept for pages whose sockets were lost before this moment, in monotonic seconds."""
        for participant_id in [each for each, lost_at in self._lost_at.items() if lost_at < before]:
            self.forget(participant_id)

    def close(self, participant_id: str, last: Failure | None = None) -> None:
        """Close a participant's socket, perhaps after one last event; does nothing without a socket."""
        outbox = self._outboxes.pop(participant_id, None)
        if outbox is None:
            return
        outbox.task.cancel()
        self._lost_at[participant_id] = self._clock.now()
        self._run(self._disconnect(outbox.sid, last))

    # Events

    def post(self, participant_id: str, message: ToPage, after: "Future[Any] | None" = None) -> None:
        """Send an event, or keep it for the page's next socket.

        Args:
            participant_id: The recipient.
            message: The event.
            after: Send the event once this future is done, so that no page shows what is not yet stored.
        """
        self.forward(participant_id, message.EVENT, to_json(message), after)

    def forward(self, participant_id: str, name: str, data: Any, after: "Future[Any] | None" = None) -> None:
        """Send an event whose data another page wrote and the server checked; otherwise like `post`.

        Args:
            participant_id: The recipient.
            name: The event's name.
            data: The event's arguments as JSON.
            after: Send the event only once this future is done.
        """
        history = self._histories.get(participant_id)
        if history is not None:
            self._put(participant_id, history.add(name, data, after))

    def post_volatile(self, participant_id: str, message: ToPage) -> None:
        """Send an event that the next one of its kind replaces; it is lost without a socket."""
        self._put(participant_id, _Event(None, message.EVENT, to_json(message)))

    async def stream(self, participant_id: str, name: str, data: bytes) -> bool:
        """Send bytes immediately, or drop them and return False if the page has no socket or is behind.

        Args:
            participant_id: The recipient.
            name: The event's name.
            data: The event's argument. It is dropped if `PRESSURE` packets are in flight to the socket.
        """
        outbox = self._outboxes.get(participant_id)
        if outbox is None or self._sockets.backlog(outbox.sid) >= PRESSURE:
            return False
        await self._sockets.emit(name, data, to=outbox.sid)
        return True

    def announce(self, message: ToPage, *, lasting: bool) -> None:
        """Send an event to all pages immediately, ahead of events that wait for the store.

        Args:
            message: The event.
            lasting: True if sockets that are opened later get it, too, until the next announcement.
        """
        name, data = message.EVENT, to_json(message)
        self._announced = (name, data) if lasting else None
        for outbox in self._outboxes.values():
            if self._sockets.backlog(outbox.sid) < MAX_BACKLOG:
                self._run(self._sockets.emit(name, data, to=outbox.sid))

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        # asyncio keeps only weak references to tasks: without this one, a task could be garbage-collected.
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _put(self, participant_id: str, event: _Event) -> None:
        outbox = self._outboxes.get(participant_id)
        if outbox is None:
            return
        try:
            outbox.queue.put_nowait(event)
        except asyncio.QueueFull:
            _log.warning("closing the socket of %s: its page has stopped taking events", participant_id)
            self.close(participant_id)

    async def _disconnect(self, sid: str, last: Failure | None) -> None:
        if last is not None:
            await self._sockets.emit(last.EVENT, to_json(last), to=sid)
        await self._sockets.disconnect(sid)

    async def _deliver(self, sid: str, queue: "asyncio.Queue[_Event]") -> None:
        while True:
            event = await queue.get()
            name, data = event.name, event.data
            if event.after is not None:
                try:
                    await asyncio.wrap_future(event.after)
                except Exception:  # noqa: BLE001 (any failure of the store)
                    _log.exception("an event (%s) is not sent, because what it shows was not stored", name)
                    name, data = Failure.EVENT, to_json(_UNSTORED)
            while self._sockets.backlog(sid) >= MAX_BACKLOG:
                await asyncio.sleep(_RETRY_S)
            # socket.io-client remembers a text at the end of an event, and sends it back when it reconnects.
            arguments = data if event.number is None else (data, str(event.number))
            await self._sockets.emit(name, arguments, to=sid)
