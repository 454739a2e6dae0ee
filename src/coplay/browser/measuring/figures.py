"""What a running game measures of itself: often for the page, once a second for the record."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

from coplay.browser.driver import Driver
from coplay.netcode import DesyncExplained, DesyncLocated, Event, Resynced


def live_figures(config: Mapping[str, Any], driver: Driver) -> dict[str, Any]:
    """The page's figures; names as in `window.coplay.stats()`, durations in milliseconds."""
    session, stats = driver.session, driver.session.stats
    netcode_p50, netcode_p99 = driver.netcode_time.percentiles_ms(0.5, 0.99)
    checksum = driver.last_checksum
    return {
        "game_id": config["game_id"],
        "player_id": config["player_id"],
        "frame": session.current_frame,
        "confirmed_frame": session.published_frame,
        "rollbacks": stats.rollbacks,
        "max_rollback_frames": stats.max_rollback_frames,
        "resimulated_frames": stats.resimulated_frames,
        "stalled_frames": stats.stalled_frames,
        "rtt_ms": {str(peer): _milliseconds(link.rtt) for peer, link in stats.peers.items()},
        "packets_sent": stats.packets_sent,
        "bytes_sent": stats.bytes_sent,
        "input_delay": session.delay,
        "state_checksum": checksum and {"frame": checksum[0], "checksum": f"{checksum[1]:016x}"},
        "netcode_tick_ms_p50": netcode_p50,
        "netcode_tick_ms_p99": netcode_p99,
        "step_ms_p50": driver.step_time.percentiles_ms(0.5)[0],
        "draw_ms_p50": driver.draw_time.percentiles_ms(0.5)[0],
    }


MAX_PATHS = 20
MAX_DESYNCS = 64
# The page looks once a second; what it said longer ago is of a path that is gone, or of a page asleep.
_FRESH_S: Final = 2.5


@dataclass(frozen=True, slots=True)
class PathFigures:
    """What the browser itself counts on the path to one peer, below the game's datagrams.

    Attributes:
        rtt_ms: Round trip of its connectivity checks; None before the first one was answered.
        bytes_sent: By all ways that the connection tried, since it began.
        bytes_received: Likewise.
    """

    rtt_ms: float | None
    bytes_sent: int
    bytes_received: int


class NetRows:
    """One row of the `net` table for each call: what happened since the last.

    Attributes:
        buffered: Of the last row, by peer: most bytes that waited in the channel, None without a channel.
    """

    def __init__(self) -> None:
        self._before = {"rollbacks": 0, "resimulated_frames": 0, "stalled_frames": 0}
        self._before |= {"bytes_sent": 0, "packets_sent": 0}
        self._paths: dict[int, tuple[PathFigures, float]] = {}
        self._path_bytes: dict[int, tuple[int, int]] = {}
        self.buffered: dict[int, int | None] = {}

    def note_path(self, peer: int, path: PathFigures, now: float) -> None:
        """Keep what the browser says of the path to a peer."""
        self._paths[peer] = (path, now)

    def take(
        self, driver: Driver, links: Mapping[int, str], buffered: Mapping[int, int | None], now: float
    ) -> dict[str, Any]:
        """The figures since the last call, and the links' state.

        Args:
            driver: The game.
            links: How each peer is reached: `direct`, `turn` or `relay`.
            buffered: Most bytes that waited in the channel to each peer since the last call.
            now: Monotonic seconds.
        """
        self.buffered = dict(buffered)
        stats = driver.session.stats
        totals = {name: getattr(stats, name) for name in self._before}
        row: dict[str, Any] = {name: total - self._before[name] for name, total in totals.items()}
        self._before = totals
        row |= moment(now)
        row["peers"] = {
            str(peer): {
                "rtt_ms": _milliseconds(link.rtt),
                "jitter_ms": None if link.rtt < 0 else round(1000 * link.jitter, 2),
                "loss": round(link.loss, 4),
                "link": links.get(peer, ""),
                "advantage": round(link.advantage, 2),
                **self._path(peer, now),
                "buffered_amount": buffered.get(peer),
            }
            for peer, link in stats.peers.items()
        }
        return row

    def _path(self, peer: int, now: float) -> dict[str, Any]:
        path, noted_at = self._paths.get(peer, (None, 0.0))
        if path is None or now - noted_at > _FRESH_S:
            return {}
        sent, received = self._path_bytes.get(peer, (0, 0))
        if path.bytes_sent < sent or path.bytes_received < received:
            sent = received = 0  # another connection, which counts from its own beginning
        self._path_bytes[peer] = (path.bytes_sent, path.bytes_received)
        return {
            "browser_rtt_ms": None if path.rtt_ms is None else round(path.rtt_ms, 2),
            "path_bytes_sent": path.bytes_sent - sent,
            "path_bytes_received": path.bytes_received - received,
        }


class Desyncs:
    """What this peer found out about differing states, for its report."""

    def __init__(self) -> None:
        self._found: list[dict[str, Any]] = []

    def take(self, event: Event, published: int) -> None:
        """Take note of what an event says about them, if anything.

        Args:
            event: What the session reports.
            published: The last frame that was confirmed by then: it and those before it were recorded.
        """
        match event:
            case DesyncLocated(frame, peer) if len(self._found) < MAX_DESYNCS:
                self._found.append({"frame": frame, "peer": peer, "paths": [], "resynced_at": None})
            case DesyncExplained(_, peer, paths) if row := self._last(peer):
                row["paths"] = list(paths[:MAX_PATHS])
            case Resynced(frame, peer) if row := self._last(peer):
                # The other's state may be of a frame that was played, and recorded, with the own one.
                row["resynced_at"] = max(frame, published + 1)

    def _last(self, peer: int) -> dict[str, Any] | None:
        return next((row for row in reversed(self._found) if row["peer"] == peer), None)

    def rows(self) -> list[dict[str, Any]]:
        """All of them, in order; fields in protocol/README.md."""
        return self._found


def details(event: Event) -> dict[str, Any]:
    """An event's fields as the record keeps them."""
    fields = asdict(event)
    for name in ("mine", "theirs"):
        if name in fields:  # JavaScript would round a 64-bit number, should it ever look
            fields[name] = f"{fields[name]:016x}"
    return fields


def _milliseconds(rtt: float) -> float | None:
    return None if rtt < 0 else round(1000 * rtt, 2)  # below zero: not measured yet


def moment(now: float) -> dict[str, Any]:
    """`now` as the record keeps it: monotonic milliseconds, and UTC."""
    return {"t_ms": round(1000.0 * now, 1), "utc": datetime.now(UTC).isoformat()}
