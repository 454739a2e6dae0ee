"""The log of a game: all confirmed inputs and checksums, and the hash by which peers compare their logs."""

from collections.abc import Sequence
from hashlib import blake2b

from coplay.netcode.wire.format import CHAIN_SIZE


class ConfirmedLog:
    """The confirmed inputs and checksums of one game, complete from frame 0."""

    __slots__ = ("checksums", "inputs")

    def __init__(self) -> None:
        self.inputs = bytearray()
        """All players' inputs of frame 0, then of frame 1 …"""
        self.checksums: list[tuple[int, int]] = []
        """Pairs of (frame, checksum of the state that is about to step it), in order."""

    def add_inputs(self, inputs: tuple[bytes, ...]) -> None:
        """Append the inputs of the next frame."""
        log = self.inputs
        for value in inputs:
            log += value

    def digest(self, last_frame: int, leaves: Sequence[tuple[int, int]] = ()) -> bytes:
        """Return the 16-byte hash of the log up to `last_frame`; its layout is in protocol/datagrams.md.

        Args:
            last_frame: The last confirmed frame; -1 for an empty log.
            leaves: Pairs of (player, last frame of the player), for players who left before `last_frame`.
        """
        # `person` separates the hashes of inputs, checksums and logs. Frames fit 4 bytes, see `MAX_FRAME`.
        checksums = blake2b(digest_size=32, person=b"coplay checks")
        for frame, value in self.checksums:
            checksums.update(frame.to_bytes(4, "little") + value.to_bytes(8, "little"))
        whole = blake2b(digest_size=CHAIN_SIZE, person=b"coplay log")
        whole.update((last_frame + 1).to_bytes(4, "little"))
        whole.update(blake2b(self.inputs, digest_size=32, person=b"coplay inputs").digest())
        whole.update(checksums.digest())
        for player, frame in sorted(leaves):
            whole.update(bytes((player,)) + (frame + 1).to_bytes(4, "little"))
        return whole.digest()
