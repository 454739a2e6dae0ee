"""What the peers agree on beyond inputs: equal states, equal logs, and how the game ended."""

from collections.abc import Sequence
from hashlib import blake2b

from coplay.netcode.input_queue import NO_FRAME
from coplay.netcode.peers.link import RemotePeer
from coplay.netcode.wire.format import (
    CHAIN_SIZE,
    CLOSING_ACKED,
    CLOSING_AGREED,
    CLOSING_DIVERGENT,
    CLOSING_TRUNCATED,
)

KEPT_CHECKSUMS = 512


class Checksums:
    """Our checksums, and how they compare with each peer's."""

    __slots__ = ("_asked", "_dropped", "_log", "_own", "disowned_through")

    def __init__(self) -> None:
        self._asked: list[int] = []
        self._log: list[tuple[int, int]] = []
        self._dropped = 0
        self._own: dict[int, int] = {}
        self.disowned_through = -1
        """Our states up to this frame were given up for another peer's; differences there are no news."""

    @property
    def waiting(self) -> bool:
        """Whether the caller still owes one."""
        return bool(self._asked)

    def ask(self, frame: int) -> None:
        """Note that the caller was asked for the checksum of `frame`."""
        self._asked.append(frame)

    def add(self, frame: int, value: int) -> bool:
        """Take the caller's answer; return False when it was not the one asked for."""
        if not self._asked or self._asked[0] != frame:
            return False
        del self._asked[0]
        self._log.append((frame, value))
        self._own[frame] = value
        if len(self._own) > KEPT_CHECKSUMS:
            del self._own[next(iter(self._own))]
        return True

    def unacked(self, link: RemotePeer, most: int) -> tuple[Sequence[tuple[int, int]], int]:
        """Return up to `most` checksums that a peer has not acknowledged, and the count that it holds with
        them."""
        start = max(link.checksums_acked, self._dropped)
        end = self._dropped + len(self._log)
        if start >= end:
            return (), end
        end = min(end, start + most)
        return self._log[start - self._dropped : end - self._dropped], end

    def drop_acked(self, links: Sequence[RemotePeer]) -> None:
        """Forget what every running peer has acknowledged."""
        if not self._log:
            return
        acked = min((link.checksums_acked for link in links if not link.left), default=NO_FRAME)
        count = min(acked - self._dropped, len(self._log))
        if count > 0:
            del self._log[:count]
            self._dropped += count

    def restore(self, known: Sequence[tuple[int, int]]) -> None:
        """Take over the checksums of a log that was not played here."""
        self._own = dict(known[-KEPT_CHECKSUMS:])

    def compare(self, link: RemotePeer, frame: int, theirs: int) -> tuple[int, int] | None:
        """Compare a peer's checksum with ours, now or as soon as we have it.

        Returns:
            (ours, theirs) for the first of a row of differences; None for all else. Equal states begin a new
            row.
        """
        if frame <= link.compared_through:
            return None
        mine = self._own.get(frame)
        if mine is None:
            if len(link.pending_checksums) < KEPT_CHECKSUMS:
                link.pending_checksums[frame] = theirs
            return None
        link.compared_through = frame
        if mine == theirs:
            link.equal_through = frame
            link.differs = False
            return None
        if link.differs or frame <= self.disowned_through:
            return None
        link.differs = True
        if link.desync is None:
            link.desync = frame
        return mine, theirs


class Chain:
    """A game's log, and the hash over it: confirmed inputs, checksums, leaves and where it ends."""

    __slots__ = ("checksums", "inputs")

    def __init__(self) -> None:
        self.inputs = bytearray()
        """All players' inputs of frame 0, then of frame 1 …"""
        self.checksums: list[tuple[int, int]] = []
        """Pairs of (frame, checksum of the state before it), in order."""

    def add_inputs(self, inputs: tuple[bytes, ...]) -> None:
        """Add the next frame's inputs."""
        log = self.inputs
        for value in inputs:
            log += value

    def digest(self, last_frame: int, leaves: Sequence[tuple[int, int]] = ()) -> bytes:
        """Return 16 bytes for the log up to `last_frame`.

        Args:
            last_frame: The last confirmed frame; -1 for an empty log.
            leaves: Pairs of (player, last frame of the player), for those that left before the last frame.
        """
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


class LogAgreement:
    """The end of a game: from the last frame to the verdict, and the answers to peers that are not there yet.

    Args:
        links: One per remote peer.
        now: When the last frame was confirmed, in seconds.
        last_frame: The last confirmed frame.
        truncated: Whether a leave ended the game.
        reason: Why it ended, in one sentence.
    """

    RESEND_S = 0.05
    ACK_TIMEOUT_S = 2.0
    """How long to wait for acks once all hashes are here: they can change nothing any more."""
    TIMEOUT_S = 10.0
    """How long to wait for peers that do not answer, and how long to linger for those that have not heard
    us."""

    def __init__(
        self, links: Sequence[RemotePeer], now: float, last_frame: int, truncated: bool, reason: str
    ) -> None:
        self.links = links
        self._deadline = now + self.TIMEOUT_S
        self._patience = now + self.ACK_TIMEOUT_S
        self.last_frame = last_frame
        self.truncated = truncated
        self.reason = reason
        self.chain = b""
        """The hash of this peer's log, once the caller has given the last checksum."""
        self.agreed = False

    def verdict(self, now: float, explanation: str = "") -> tuple[str, str] | None:
        """Return the verdict and its reason, once there is one.

        Args:
            now: Seconds.
            explanation: In what states were found to differ.
        """
        if not self.chain:
            return None
        running = [link for link in self.links if not link.left]
        if now < self._deadline and any(link.chain is None for link in running):
            return None
        if now < self._patience and not all(link.chain_acked for link in running):
            return None
        # Who left after the end may still have told us its hash; who left before it has another.
        known = [
            link
            for link in self.links
            if link.chain is not None and (not link.left or link.chain_last_frame == self.last_frame)
        ]
        silent = [link.peer for link in running if link.chain is None]
        different = [link.peer for link in known if link.chain != self.chain]
        bits = 0
        for link in known:
            bits |= link.closing_bits
        if different or bits & CLOSING_DIVERGENT:
            first = min((link.desync for link in self.links if link.desync is not None), default=None)
            if first is not None:
                explanation = explanation or f"The states before frame {first} differ between peers."
                return "divergent", explanation
            return "divergent", "The logs of the peers differ."
        if silent:
            return "unverified", f"Peer {silent[0]} did not answer within {self.TIMEOUT_S:g} s of the end."
        if self.truncated or bits & CLOSING_TRUNCATED:
            return "truncated", self.reason or "A peer left."
        if self.links and not known and self.reason:
            return "truncated", f"{self.reason} Nobody was left to agree with."
        if self.links and not known:
            return "unverified", "Every other peer left before its log could be compared."
        return "identical", self.reason or "All peers hold the same log."

    def finished(self, now: float) -> bool:
        """Whether nobody needs us any more."""
        return self.agreed and (now >= self._deadline or all(link.agreed or link.left for link in self.links))

    def section(self, link: RemotePeer) -> tuple[int, int, bytes] | None:
        """Return the closing section for a peer: bits, last frame and hash, once there is a hash."""
        if not self.chain:
            return None
        bits = CLOSING_ACKED if link.chain is not None else 0
        if self.agreed:
            bits |= CLOSING_AGREED
        if self.truncated:
            bits |= CLOSING_TRUNCATED
        if any(other.desync is not None for other in self.links):
            bits |= CLOSING_DIVERGENT
        return bits, self.last_frame, self.chain
