"""Rows of the `events` table that a peer writes, and the desyncs of its report."""

from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any, Final

from coplay.messages.game import DesyncRow
from coplay.netcode import DesyncExplained, DesyncLocated, Event, Resynced

MAX_PATHS: Final = 20
MAX_DESYNCS: Final = 64


class DesyncLog:
    """The differing states that this peer found, for its report."""

    def __init__(self) -> None:
        self._rows: list[DesyncRow] = []

    def take(self, event: Event, published: int) -> None:
        """Record an event if it concerns differing states.

        Args:
            event: An event of the session.
            published: The last frame that was confirmed before the event, and so is recorded.
        """
        match event:
            case DesyncLocated(frame, peer) if len(self._rows) < MAX_DESYNCS:
                self._rows.append(DesyncRow(frame=frame, peer=peer, paths=(), resynced_at=None))
            case DesyncExplained(_, peer, paths) if (at := self._last_of(peer)) is not None:
                self._rows[at] = replace(self._rows[at], paths=tuple(paths[:MAX_PATHS]))
            case Resynced(frame, peer) if (at := self._last_of(peer)) is not None:
                # The other's state may be of a frame that was already recorded with this peer's own state.
                self._rows[at] = replace(self._rows[at], resynced_at=max(frame, published + 1))

    def _last_of(self, peer: int) -> int | None:
        return next((at for at in reversed(range(len(self._rows))) if self._rows[at].peer == peer), None)

    def rows(self) -> tuple[DesyncRow, ...]:
        """Return all rows, oldest first."""
        return tuple(self._rows)


def event_detail(event: Event) -> dict[str, Any]:
    """Return an event's fields as the record stores them."""
    fields = asdict(event)
    for name in ("mine", "theirs"):
        if name in fields:  # 64-bit checksums, which JavaScript would round
            fields[name] = f"{fields[name]:016x}"
    return fields


def timestamps(now: float) -> dict[str, Any]:
    """Return the fields `t_ms` and `utc` of a row.

    Args:
        now: Monotonic seconds.
    """
    return {"t_ms": round(1000.0 * now, 1), "utc": datetime.now(UTC).isoformat()}
