"""Comparison of the copies of a game's input log that its peers upload.

The first copy of a frame is the reference; every other copy is compared with it, and nothing is overwritten.
A reloaded page may upload frames that the page before it had uploaded: they are compared, too, but do not
count as another copy.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

from coplay.data.batches import FrameBatch


@dataclass(frozen=True, slots=True)
class CopyDifference:
    """A difference between two copies of the same frames.

    Attributes:
        frame: The first frame that differs.
        peer: The peer whose copy came later.
        reference_peer: The peer whose copy came first; the same peer if it was an earlier page of it.
        sha256: The hash of the later copy, over the frames that both have in this batch.
        reference_sha256: The hash of the first copy, over the same frames.
    """

    frame: int
    peer: int
    reference_peer: int
    sha256: str
    reference_sha256: str


@dataclass(slots=True)
class _FrameChecksum:
    """A frame's checksum, as the first peer reported it."""

    value: int
    reporters: int
    """Bitmask of the peers that reported a checksum of this frame."""


class InputCopies:
    """The copies of one game's inputs: for each frame the first copy, and which peers uploaded it.

    Adding is idempotent: the same batch may be added again.

    Attributes:
        first_difference: The first frame for which inputs differ; None while all agree.
        checksum_difference: The first frame whose state checksums differ; None while all agree.
        checksums_compared: The number of checksums that were compared with another peer's.
        frames: The last frame that any peer uploaded, plus one.
    """

    def __init__(self) -> None:
        self.first_difference: int | None = None
        self.checksum_difference: int | None = None
        self.checksums_compared = 0
        self.frames = 0
        # Plain bytes, because a server holds hundreds of games. For each frame: the first copy's inputs, a
        # bitmask of the peers that uploaded it (at most 8 players), and the peer of the first copy.
        self._inputs = bytearray()
        self._uploaders = bytearray()
        self._references = bytearray()
        self._checksums: dict[int, _FrameChecksum] = {}

    def add(self, batch: FrameBatch) -> CopyDifference | None:
        """Add one batch, and return its first difference from earlier copies, if there is one."""
        difference = self._add_inputs(batch) if batch.frames else None
        if difference is not None:
            before = self.first_difference
            self.first_difference = difference.frame if before is None else min(before, difference.frame)
        for frame, value in batch.checksums:
            self._add_checksum(batch.peer, frame, value)
        return difference

    def shared_frames(self, peers: Collection[int]) -> int:
        """Return how many frames from the first on exist, up to the last one that each given peer uploaded.

        A peer need not have uploaded all of them: only the others have what was played while its page was
        reloaded.
        """
        uploaders = self._uploaders.rstrip(b"\0")
        before_gap = len(uploaders) if 0 not in uploaders else uploaders.index(0)
        last = [
            max((frame for frame, mask in enumerate(uploaders) if mask >> peer & 1), default=-1)
            for peer in peers
        ]
        return min([before_gap, *(frame + 1 for frame in last)])

    def _add_checksum(self, peer: int, frame: int, value: int) -> None:
        bit = 1 << peer
        known = self._checksums.setdefault(frame, _FrameChecksum(value, bit))
        if not known.reporters & bit:
            known.reporters |= bit
            self.checksums_compared += 1
        if known.value != value and (self.checksum_difference is None or frame < self.checksum_difference):
            self.checksum_difference = frame

    def _add_inputs(self, batch: FrameBatch) -> CopyDifference | None:
        start, end = batch.first_frame, batch.first_frame + batch.frames
        width = len(batch.inputs) // batch.frames
        self._grow(end, width)
        before = bytes(self._uploaders[start:end])
        new = [place for place, uploaders in enumerate(before) if not uploaders]
        # A batch without known frames is the most common case, and is copied in one step.
        if len(new) == batch.frames:
            self._inputs[start * width : end * width] = batch.inputs
        else:
            for place in new:
                row = slice(place * width, (place + 1) * width)
                self._inputs[(start + place) * width : (start + place + 1) * width] = batch.inputs[row]
        for place in new:
            self._references[start + place] = batch.peer
        # `before` still has the masks without this batch: only frames that others uploaded are compared.
        bit = 1 << batch.peer
        self._uploaders[start:end] = bytes(uploaders | bit for uploaders in before)
        if self._inputs[start * width : end * width] == batch.inputs:
            return None
        return self._difference(batch, before, width)

    def _difference(self, batch: FrameBatch, before: bytes, width: int) -> CopyDifference:
        first = -1
        reference_hash, own_hash = hashlib.sha256(), hashlib.sha256()
        for place, uploaders in enumerate(before):
            # Frames that nobody had uploaded before are the reference now, and equal to themselves.
            if uploaders:
                frame = batch.first_frame + place
                reference = self._inputs[frame * width : (frame + 1) * width]
                row = batch.inputs[place * width : (place + 1) * width]
                reference_hash.update(reference)
                own_hash.update(row)
                if row != reference and first < 0:
                    first = frame
        return CopyDifference(
            first, batch.peer, self._references[first], own_hash.hexdigest(), reference_hash.hexdigest()
        )

    def _grow(self, frames: int, width: int) -> None:
        more = frames - self.frames
        if more > 0:
            self._inputs.extend(bytes(more * width))
            self._uploaders.extend(bytes(more))
            self._references.extend(bytes(more))
            self.frames = frames
