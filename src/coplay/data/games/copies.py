"""Compares the copies of a game's input log that its peers upload.

The first copy of a frame is the reference; every other copy is compared with it. Nothing is overwritten. A
page that was loaded anew may give frames that the page before it gave: they are compared, too, but are no
further copy.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

from coplay.data.batches import FrameBatch


@dataclass(frozen=True, slots=True)
class CopyDifference:
    """Two copies hold different inputs for the same frames.

    Attributes:
        frame: The first frame that differs.
        peer: Whose copy came later.
        reference_peer: Whose copy came first; the same peer if an earlier page of it said otherwise.
        sha256: Of the later copy, over the frames that both have in this batch.
        reference_sha256: Of the first copy, over the same frames.
    """

    frame: int
    peer: int
    reference_peer: int
    sha256: str
    reference_sha256: str


@dataclass(slots=True)
class _Checksum:
    value: int
    givers: int
    """Bit p is set if peer p gave one for this frame."""


class InputCopies:
    """All copies of one game's inputs, frame by frame: for each frame one reference, and who gave it.

    To add the same batch again changes nothing.

    Attributes:
        first_difference: The first frame for which inputs differ; None while all agree.
        checksum_difference: The first frame whose state checksums differ; None while all agree.
        checksums_compared: How many checksums were compared with another peer's.
        frames: One more than the last frame that anyone uploaded.
    """

    def __init__(self) -> None:
        self.first_difference: int | None = None
        self.checksum_difference: int | None = None
        self.checksums_compared = 0
        self.frames = 0
        # A few bytes a frame: hundreds of games are open at once.
        self._inputs = bytearray()
        self._givers = bytearray()
        self._references = bytearray()
        self._checksums: dict[int, _Checksum] = {}

    def add(self, batch: FrameBatch) -> CopyDifference | None:
        """Take one batch; answers a difference to what was there, if there is one."""
        difference = self._add_inputs(batch) if batch.frames else None
        if difference is not None:
            known = self.first_difference
            self.first_difference = difference.frame if known is None else min(known, difference.frame)
        for frame, value in batch.checksums:
            self._add_checksum(batch.peer, frame, value)
        return difference

    def shared_frames(self, peers: Collection[int]) -> int:
        """How many frames, from the first on, are here, up to the last that each of some peers uploaded.

        What was played while a peer's page was loaded anew, only the others have.
        """
        givers = self._givers.rstrip(b"\0")
        whole = len(givers) if 0 not in givers else givers.index(0)
        last = [
            max((at for at, known in enumerate(givers) if known >> peer & 1), default=-1) for peer in peers
        ]
        return min([whole, *(frame + 1 for frame in last)])

    def _add_checksum(self, peer: int, frame: int, value: int) -> None:
        bit = 1 << peer
        known = self._checksums.setdefault(frame, _Checksum(value, bit))
        if not known.givers & bit:
            known.givers |= bit
            self.checksums_compared += 1
        if known.value != value and (self.checksum_difference is None or frame < self.checksum_difference):
            self.checksum_difference = frame

    def _add_inputs(self, batch: FrameBatch) -> CopyDifference | None:
        start, end = batch.first_frame, batch.first_frame + batch.frames
        width = len(batch.inputs) // batch.frames
        self._grow(end, width)
        givers = self._givers[start:end]
        before = bytes(givers)
        new = [place for place, known in enumerate(before) if not known]
        if len(new) == batch.frames:
            self._inputs[start * width : end * width] = batch.inputs
        else:
            for place in new:
                row = slice(place * width, (place + 1) * width)
                self._inputs[(start + place) * width : (start + place + 1) * width] = batch.inputs[row]
        for place in new:
            self._references[start + place] = batch.peer
        bit = 1 << batch.peer
        self._givers[start:end] = bytes(known | bit for known in before)
        if self._inputs[start * width : end * width] == batch.inputs:
            return None
        return self._difference(batch, before, width)

    def _difference(self, batch: FrameBatch, before: bytes, width: int) -> CopyDifference:
        first = -1
        ours, theirs = hashlib.sha256(), hashlib.sha256()
        for place, known in enumerate(before):
            if known:
                frame = batch.first_frame + place
                reference = self._inputs[frame * width : (frame + 1) * width]
                row = batch.inputs[place * width : (place + 1) * width]
                ours.update(reference)
                theirs.update(row)
                if row != reference and first < 0:
                    first = frame
        return CopyDifference(
            first, batch.peer, self._references[first], theirs.hexdigest(), ours.hexdigest()
        )

    def _grow(self, frames: int, width: int) -> None:
        more = frames - self.frames
        if more > 0:
            self._inputs.extend(bytes(more * width))
            self._givers.extend(bytes(more))
            self._references.extend(bytes(more))
            self.frames = frames
