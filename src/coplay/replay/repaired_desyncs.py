"""Which differences a repaired desync explains.

Where two peers' states differed, at least one of them differs from a replay; from the frame at which they
were made equal again on, neither may. Who was right is seen by the replay: a difference is explained only
where the other of the two, if it stored anything for that frame, has what the replay gives.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

_Bools = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True)
class RepairedDesync:
    """A desync that was repaired, and what a replay need not give of it."""

    frame: int
    """Before this frame the states differed first, as far as the peers know."""
    resynced_at: int
    """From this frame on they were equal again."""
    players: tuple[int, int]
    """Whose peers' they were; the first gave up its state for the second's."""
    paths: tuple[str, ...]
    """What differed, if the peers found out."""
    checksums: int = 0
    """How many stored checksums the replay did not give, and need not."""
    rows: int = 0
    """How many frames of a peer have another reward, flag or episode than the replay, likewise."""

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
            f"equal at frame {self.resynced_at}{what}; this explains {' and '.join(explained)} that the "
            "replay did not give"
        )


@dataclass(slots=True)
class _Span:
    """A repaired desync, and what was excused of it so far."""

    repair: RepairedDesync
    first_row: int
    """The first frame whose step may have gone wrong."""
    checksums: int = 0
    rows: int = 0

    def other(self, peer: int) -> int | None:
        """The other of the two; None if `peer` is neither."""
        one, two = self.repair.players
        return {one: two, two: one}.get(peer)


class RepairedDesyncs:
    """What the repaired desyncs of one game explain.

    Args:
        desyncs: `[{reported_by, frame, peer, paths, resynced_at}]`, as the peers reported them.
        checksums: (frame, peer, stored checksum of the peer's state before that frame).
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

    def checksum(self, frame: int, peer: int, right: Mapping[int, bool]) -> bool:
        """Whether another checksum than the replay's is explained.

        Args:
            frame: Before which.
            peer: Whose.
            right: Of each peer that stored one for this frame, whether it is the replay's.
        """
        for span in self._spans:
            other = span.other(peer)
            # What was published before the repair keeps the checksum that it had.
            within = span.repair.frame <= frame <= span.repair.resynced_at
            if other is not None and within and right.get(other, True):
                span.checksums += 1
                return True
        return False

    def rows(self, first: int, differing: Mapping[int, _Bools]) -> None:
        """Take out of `differing` what is explained.

        Args:
            first: The frame of the first row.
            differing: Of each peer, per frame from `first` on, whether it stored something else than the
                replay gives; changed in place.
        """
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

    def found(self) -> list[RepairedDesync]:
        """The repaired desyncs that had something to explain."""
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
    """A row of the report, if it was repaired."""
    if row["resynced_at"] is None:
        return None
    players = (row["reported_by"], row["peer"])
    return RepairedDesync(row["frame"], row["resynced_at"], players, tuple(row["paths"]))


def _first_row(repair: RepairedDesync, stored: Mapping[int, Mapping[int, int]]) -> int:
    """The first frame whose step may have made the states differ.

    Where stepping again showed the difference, that is the frame before the first state that differed. Where
    it did not, the frame is the one of a comparison, and all is suspect since the comparison before it.
    """
    one, other = repair.players
    compared = {frame: of[one] == of[other] for frame, of in stored.items() if one in of and other in of}
    if repair.frame not in compared:
        return max(0, repair.frame - 1)
    return max((frame for frame, equal in compared.items() if equal and frame < repair.frame), default=0)
