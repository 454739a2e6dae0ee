"""What a running game measures of itself: often for the page, once a second for the record."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

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
        "snapshot_ms_p50": driver.save_time.percentiles_ms(0.5)[0],
        "draw_ms_p50": driver.draw_time.percentiles_ms(0.5)[0],
    }


MAX_PATHS = 20


class NetRows:
    """One row of the `net` table for each call: what happened since the last."""

    def __init__(self) -> None:
        self._before = {"rollbacks": 0, "resimulated_frames": 0, "stalled_frames": 0}
        self._before |= {"bytes_sent": 0, "packets_sent": 0}

    def take(self, driver: Driver, links: Mapping[int, str], now: float) -> dict[str, Any]:
        """The figures since the last call, and the links' state.

        Args:
            driver: The game.
            links: How each peer is reached: `direct`, `turn` or `relay`.
            now: Monotonic seconds.
        """
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
            }
            for peer, link in stats.peers.items()
        }
        return row


class Desyncs:
    """What this peer found out about differing states, for its report."""

    def __init__(self) -> None:
        self._found: dict[int, dict[str, Any]] = {}

    def take(self, event: Event) -> None:
        """Take note of what an event says about them, if anything."""
        match event:
            case DesyncLocated(frame, peer):
                self._found.setdefault(peer, {"frame": frame, "peer": peer, "paths": [], "resynced_at": None})
            case DesyncExplained(_, peer, paths) if peer in self._found:
                self._found[peer]["paths"] = list(paths[:MAX_PATHS])
            case Resynced(frame, peer) if peer in self._found:
                self._found[peer]["resynced_at"] = frame

    def rows(self) -> list[dict[str, Any]]:
        """The first difference with each peer; fields in protocol/README.md."""
        return list(self._found.values())


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
