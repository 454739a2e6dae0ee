"""Rows of the `net` table: how the network did in each second of a game."""

from collections.abc import Mapping
from typing import Any, Final

from coplay.browser.driver import Driver
from coplay.browser.measuring.event_rows import timestamps
from coplay.browser.measuring.game_stats import milliseconds
from coplay.messages.game import PathFigures

# The page measures once per second. Older figures belong to a path that is gone, or to a suspended page.
_STALE_AFTER_S: Final = 2.5
_COUNTERS: Final = ("rollbacks", "resimulated_frames", "stalled_frames", "bytes_sent", "packets_sent")


class NetRows:
    """Builds one row per call from what changed since the previous call.

    Attributes:
        buffered: From the last row, by peer: the most bytes that waited in the channel; None without one.
    """

    def __init__(self) -> None:
        self.buffered: dict[int, int | None] = {}
        self._totals = dict.fromkeys(_COUNTERS, 0)
        self._paths: dict[int, tuple[PathFigures, float]] = {}
        self._path_bytes: dict[int, tuple[int, int]] = {}

    def note_path(self, peer: int, path: PathFigures, now: float) -> None:
        """Keep the browser's figures of the path to a peer.

        Args:
            peer: The peer at the other end.
            path: The figures.
            now: Monotonic seconds.
        """
        self._paths[peer] = (path, now)

    def take(
        self, driver: Driver, links: Mapping[int, str], buffered: Mapping[int, int | None], now: float
    ) -> dict[str, Any]:
        """Return the row since the last call; its fields are described in protocol/README.md.

        Args:
            driver: The driver that plays the game.
            links: How each peer is reached: `direct`, `turn` or `relay`.
            buffered: By peer, the most bytes that waited in the channel since the last call.
            now: Monotonic seconds.
        """
        self.buffered = dict(buffered)
        stats = driver.session.stats
        totals = {name: getattr(stats, name) for name in _COUNTERS}
        row: dict[str, Any] = {name: total - self._totals[name] for name, total in totals.items()}
        self._totals = totals
        row |= timestamps(now)
        row["peers"] = {
            str(peer): {
                "rtt_ms": milliseconds(link.rtt),
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
        if path is None or now - noted_at > _STALE_AFTER_S:
            return {}
        sent, received = self._path_bytes.get(peer, (0, 0))
        if path.bytes_sent < sent or path.bytes_received < received:
            sent = received = 0  # a new connection, which counts from zero
        self._path_bytes[peer] = (path.bytes_sent, path.bytes_received)
        return {
            "browser_rtt_ms": None if path.rtt_ms is None else round(path.rtt_ms, 2),
            "path_bytes_sent": path.bytes_sent - sent,
            "path_bytes_received": path.bytes_received - received,
        }
