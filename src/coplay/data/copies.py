"""Compares the copies of a game's input log that its peers upload.

The first copy of a frame is the reference; every other copy is compared with it. Nothing is overwritten.
"""

import hashlib
from dataclasses import dataclass

from coplay.data.batches import FrameBatch


@dataclass(frozen=True, slots=True)
class Difference:
    """Two peers uploaded different inputs for the same frames.

    Attributes:
        frame: The first frame that differs.
        peer: Whose copy came later.
        reference_peer: Whose copy came first.
        sha256: Of the later copy, over the frames that both have in this batch.
        reference_sha256: Of the first copy, over the same frames.
    """

    frame: int
    peer: int
    reference_peer: int
    sha256: str
    reference_sha256: str


class InputCopies:
    """All copies of one game's inputs, frame by frame; a frame that every peer gave is not kept any longer.

    Args:
        peers: How many peers upload.

    Attributes:
        first_difference: The first frame for which copies differ; None while all agree.
        checksum_difference: The first frame whose state checksums differ; None while all agree.
        checksums_compared: How many checksums were compared with another peer's.
        frames: One more than the last frame that anyone uploaded.
    """

    def __init__(self, peers: int) -> None:
        self.first_difference: int | None = None
        self.checksum_difference: int | None = None
        self.checksums_compared = 0
        self.frames = 0
        self._peers = peers
        self._frames: dict[int, tuple[int, bytes]] = {}
        self._copies: dict[int, int] = {}
        self._checksums: dict[int, tuple[int, int]] = {}

    @property
    def difference(self) -> int | None:
        """The first frame at which copies differ in inputs or checksums; None while all agree."""
        found = [frame for frame in (self.first_difference, self.checksum_difference) if frame is not None]
        return min(found, default=None)

    def add(self, batch: FrameBatch) -> Difference | None:
        """Take one batch, once; answers a difference to what was there, if there is one."""
        difference = self._add_inputs(batch)
        for frame, checksum in batch.checksums:
            peer, known = self._checksums.setdefault(frame, (batch.peer, checksum))
            if peer == batch.peer:
                continue
            self.checksums_compared += 1
            if known != checksum and (self.checksum_difference is None or frame < self.checksum_difference):
                self.checksum_difference = frame
        return difference

    def _add_inputs(self, batch: FrameBatch) -> Difference | None:
        width = len(batch.inputs) // batch.frames if batch.frames else 0
        first: int | None = None
        reference_peer = -1
        ours, theirs = hashlib.sha256(), hashlib.sha256()
        for offset in range(batch.frames):
            frame = batch.first_frame + offset
            row = batch.inputs[offset * width : (offset + 1) * width]
            peer, known = self._frames.setdefault(frame, (batch.peer, row))
            copies = self._copies[frame] = self._copies.get(frame, 0) + 1
            if copies >= self._peers:
                del self._frames[frame], self._copies[frame]
            if peer == batch.peer:
                continue
            ours.update(known)
            theirs.update(row)
            if known != row and first is None:
                first, reference_peer = frame, peer
        self.frames = max(self.frames, batch.first_frame + batch.frames)
        if first is None:
            return None
        self.first_difference = first if self.first_difference is None else min(first, self.first_difference)
        return Difference(first, batch.peer, reference_peer, theirs.hexdigest(), ours.hexdigest())
