"""What the server says to pages: one ordered, bounded queue for each socket."""

import asyncio
import logging
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final, Protocol

MAX_QUEUED: Final = 256

_log = logging.getLogger(__name__)


class SocketServer(Protocol):
    """What is needed of python-socketio's server."""

    async def emit(self, event: str, data: Any, *, to: str) -> None:
        """Send an event to one socket."""

    async def disconnect(self, sid: str) -> None:
        """Close a socket."""


@dataclass(slots=True)
class _Outbox:
    sid: str
    queue: "asyncio.Queue[tuple[str, Any, Future[Any] | None]]"
    task: "asyncio.Task[None]"


class Messenger:
    """Delivers events to participants' pages, in order.

    Args:
        sockets: The Socket.IO server.
    """

    def __init__(self, sockets: SocketServer) -> None:
        self._sockets = sockets
        self._outboxes: dict[str, _Outbox] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def open(self, member: str, sid: str) -> None:
        """From now on `member` is reached by this socket; an older one is closed."""
        self.close(member)
        queue: asyncio.Queue[tuple[str, Any, Future[Any] | None]] = asyncio.Queue(MAX_QUEUED)
        task = asyncio.create_task(self._deliver(sid, queue))
        self._outboxes[member] = _Outbox(sid, queue, task)

    def sid_of(self, member: str) -> str | None:
        """The socket that reaches a participant now."""
        outbox = self._outboxes.get(member)
        return None if outbox is None else outbox.sid

    def post(self, member: str, event: str, data: Any, after: "Future[Any] | None" = None) -> None:
        """Send an event; nothing happens if the participant has no socket, since a new one is told
        everything.

        Args:
            member: To whom.
            event: Its name.
            data: JSON.
            after: Not before this is done: what is shown must have been stored.
        """
        outbox = self._outboxes.get(member)
        if outbox is None:
            return
        try:
            outbox.queue.put_nowait((event, data, after))
        except asyncio.QueueFull:
            _log.warning("the page of %s takes nothing any more; its socket is closed", member)
            self.close(member)

    def lost(self, member: str, sid: str) -> bool:
        """A socket is gone. Whether it was the one that reached the participant."""
        outbox = self._outboxes.get(member)
        if outbox is None or outbox.sid != sid:
            return False
        del self._outboxes[member]
        outbox.task.cancel()
        return True

    def close(self, member: str, last_event: str = "", data: Any = None) -> None:
        """Close a participant's socket, perhaps after one last event."""
        outbox = self._outboxes.pop(member, None)
        if outbox is None:
            return
        outbox.task.cancel()
        task = asyncio.create_task(self._farewell(outbox.sid, last_event, data))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _farewell(self, sid: str, event: str, data: Any) -> None:
        if event:
            await self._sockets.emit(event, data, to=sid)
        await self._sockets.disconnect(sid)

    async def _deliver(self, sid: str, queue: "asyncio.Queue[tuple[str, Any, Future[Any] | None]]") -> None:
        while True:
            event, data, after = await queue.get()
            if after is not None:
                try:
                    await asyncio.wrap_future(after)
                except Exception:
                    _log.exception("not shown, because it could not be stored: %s", event)
                    event, data = (
                        "failed",
                        {
                            "error": "The study's server cannot store data at the moment.",
                            "hint": "Please reload this page in a minute.",
                            "reference": "store",
                        },
                    )
            await self._sockets.emit(event, data, to=sid)
