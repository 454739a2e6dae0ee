"""The differences between a replay and the record that a repaired desync explains.

While two peers' states differed, at least one of them differs from a replay; after the repair neither may.
The replay shows which one was right: a difference is explained only if the other peer of the two, where it
stored anything for that frame, agrees with the replay. So a change that both copies have is never excused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

_Bools = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True)
class RepairedDesync:
    """A desync that was repaired, with the number of differences it explains."""

    frame: int
    """The first frame before which the states differed, as far as the peers know."""
    resynced_at: int
    """The frame from which on they were equal again."""
    players: tuple[int, int]
    """The two peers; the first one's state was replaced by the second one's."""
    paths: tuple[str, ...]
    """What differed, if the peers found it."""
    checksums: int = 0
    """Number of stored checksums whose difference it explains."""
    rows: int = 0
    """Number of a peer's frames whose different reward, flag or episode it explains."""

    def __str__(self) -> str:
        one, other = self.players
        what = f", first in {self.paths[0]}" if self.paths else ""
        explained = [
            f"{count} {name}{'' if count == 1 else 's'}"
            for count, name in ((self.checksums, "checksum"), (self.rows, "frame's result"))
            if count
        ]
        return (
            f"the states of players {one} and {other} differed from frame {self.frame} until they were made "
            f"equal at frame {self.resynced_at}{what}; this explains {' and '.join(explained)} that "
            "differ from the replay"
        )


@dataclass(slots=True)
class _Span:
    """A repaired desync, and what it has explained so far."""

    repair: RepairedDesync
    first_row: int
    """The first frame whose step may have made the states differ."""
    checksums: int = 0
    rows: int = 0

    def other(self, peer: int) -> int | None:
        """Return the other of the two peers; None if `peer` is neither."""
        one, two = self.repair.players
        return {one: two, two: one}.get(peer)


class RepairedDesyncs:
    """The repaired desyncs of one game, and what they explain.

    Args:
        desyncs: `[{reported_by, frame, peer, paths, resynced_at}]`, as the peers reported them.
        checksums: Triples of frame, peer, and the stored checksum of the peer's state before that frame.
    """

    def __init__(
        self, desyncs: Sequence[Mapping[str, Any]], checksums: Sequence[tuple[int, int, int]]
    ) -> None:
        stored: dict[int, dict[int, int]] = {}
        for frame, peer, checksum in checksums:
            stored.setdefault(frame, {})[peer] = checksum
        self._spans = [
            _Span(repair, _first_row(repair, stored)) for row in desyncs if (repair := _repair(row))
        ]

    def explains_checksum(self, frame: int, peer: int, right: Mapping[int, bool]) -> bool:
        """Return True if a checksum that differs from the replay's is explained.

        Args:
            frame: The frame before which the state was taken.
            peer: The peer that stored the checksum.
            right: For each peer that stored one for this frame, whether it equals the replay's.
        """
        for span in self._spans:
            other = span.other(peer)
            # Inclusive: a checksum published before the repair keeps its value.
            within = span.repair.frame <= frame <= span.repair.resynced_at
            if other is not None and within and right.get(other, True):
                span.checksums += 1
                return True
        return False

    def remove_explained_rows(self, first: int, differing: Mapping[int, _Bools]) -> None:
        """Set the explained entries of `differing` to False.

        Args:
            first: The frame of the first row.
            differing: For each peer and each frame from `first` on, whether it stored a result that differs
                from the replay's; modified in place.
        """
        # A copy: whether a peer was wrong must not depend on what has been explained already.
        wrong = {peer: rows.copy() for peer, rows in differing.items()}
        for span in self._spans:
            for peer in span.repair.players:
                rows, other = differing.get(peer), span.other(peer)
                if rows is None or other is None:
                    continue
                frames = first + np.arange(len(rows))
                explained = rows & (frames >= span.first_row) & (frames < span.repair.resynced_at)
                if other in wrong:
                    both = min(len(rows), len(wrong[other]))
                    explained[:both] &= ~wrong[other][:both]
                span.rows += int(explained.sum())
                rows &= ~explained

    def explanations(self) -> list[RepairedDesync]:
        """Return the repaired desyncs that explained anything."""
        return [
            RepairedDesync(
                span.repair.frame,
                span.repair.resynced_at,
                span.repair.players,
                span.repair.paths,
                span.checksums,
                span.rows,
            )
            for span in self._spans
            if span.checksums or span.rows
        ]


def _repair(row: Mapping[str, Any]) -> RepairedDesync | None:
    """Return a desync of the report as a repaired one; None if it was not repaired."""
    if row["resynced_at"] is None:
        return None
    players = (row["reported_by"], row["peer"])
    return RepairedDesync(row["frame"], row["resynced_at"], players, tuple(row["paths"]))


def _first_row(repair: RepairedDesync, stored: Mapping[int, Mapping[int, int]]) -> int:
    """Return the first frame whose step may have made the states differ.

    If simulating again showed the difference, that is the frame before the first state that differed.
    Otherwise the frame is that of a comparison of checksums, and every step since the last equal comparison
    is suspect.
    """
    one, other = repair.players
    compared = {frame: of[one] == of[other] for frame, of in stored.items() if one in of and other in of}
    if repair.frame not in compared:
        return max(0, repair.frame - 1)
    return max((frame for frame, equal in compared.items() if equal and frame < repair.frame), default=0)
