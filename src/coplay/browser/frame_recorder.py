"""Collects confirmed frames in columns, and cuts them into numbered batches for the server."""

from array import array
from typing import Any

from coplay.data.batches import NUMBERS_OF_A_PAGE, FrameBatch, encode
from coplay.envs import FrameRow
from coplay.netcode import Confirm

_TERMINATED, _TRUNCATED, _STEPPED = 1, 2, 4


class FrameRecorder:
    """Records each confirmed frame once, in order.

    Args:
        peer: The peer that records.
        players: Number of players, 1 to 8.
        incarnation: How many processes of this peer were in the game before; each numbers its batches from
            `incarnation * NUMBERS_OF_A_PAGE`.
    """

    def __init__(self, peer: int, players: int, incarnation: int = 0) -> None:
        self._peer = peer
        self._players = players
        self._number = incarnation * NUMBERS_OF_A_PAGE
        self._next_frame = 0
        self._checksums: list[tuple[int, int]] = []
        self._net: list[dict[str, Any]] = []
        self._events: list[dict[str, Any]] = []
        self._clear_columns()

    def _clear_columns(self) -> None:
        self._first_frame = self._next_frame
        self._inputs = bytearray()
        self._confirmed_at_ms = array("d")
        self._predicted = bytearray()
        self._corrected_after = bytearray()
        self._rewards = array("d")
        self._flags = bytearray()
        self._episodes = array("H")

    @property
    def pending(self) -> int:
        """Number of frames that are not in a batch yet."""
        return len(self._predicted)

    def begin_at(self, frame: int) -> None:
        """Record from `frame` on; to be called before any frame is added."""
        self._first_frame = self._next_frame = frame

    def add_frame(self, confirmed: Confirm, row: FrameRow, now: float) -> None:
        """Record one confirmed frame.

        Args:
            confirmed: The session's effect; frames come in order, each once.
            row: The result of `Game.step` when the frame was last simulated.
            now: Monotonic seconds.
        """
        for action in confirmed.inputs:
            self._inputs += action
        self._confirmed_at_ms.append(now * 1000.0)
        self._predicted.append(confirmed.predicted)
        self._corrected_after += confirmed.corrected_after
        self._rewards.extend(row.rewards)
        stepped = _STEPPED if row.stepped else 0
        for terminated, truncated in zip(row.terminated, row.truncated, strict=True):
            self._flags.append(
                stepped | (_TERMINATED if terminated else 0) | (_TRUNCATED if truncated else 0)
            )
        self._episodes.append(row.episode)
        self._next_frame = confirmed.frame + 1

    def add_checksum(self, frame: int, checksum: int) -> None:
        """Record the checksum of the state that is about to step `frame`."""
        self._checksums.append((frame, checksum))

    def add_net(self, row: dict[str, Any]) -> None:
        """Record a row of the `net` table."""
        self._net.append(row)

    def add_event(self, row: dict[str, Any]) -> None:
        """Record a row of the `events` table."""
        self._events.append(row)

    def cut(self) -> tuple[int, bytes] | None:
        """Return what was recorded since the last call.

        Returns:
            The batch's number and its encoded bytes, or None if nothing was recorded.
        """
        if not (self._predicted or self._checksums or self._net or self._events):
            return None
        batch = FrameBatch(
            number=self._number,
            peer=self._peer,
            first_frame=self._first_frame,
            inputs=bytes(self._inputs),
            confirmed_at_ms=self._confirmed_at_ms,
            predicted=bytes(self._predicted),
            corrected_after=bytes(self._corrected_after),
            rewards=self._rewards,
            flags=bytes(self._flags),
            episodes=self._episodes,
            checksums=self._checksums,
            net=self._net,
            events=self._events,
        )
        self._number += 1
        self._checksums, self._net, self._events = [], [], []
        self._clear_columns()
        return batch.number, encode(batch)
