"""Checksums of confirmed states: requested from the caller, sent to peers, compared with theirs."""

from collections.abc import Sequence

from coplay.netcode.input_queue import NO_FRAME
from coplay.netcode.peers.remote_peer import RemotePeer

KEPT_CHECKSUMS = 512
"""How many local checksums, and how many pending ones of each peer, are kept for comparison."""


class ChecksumExchange:
    """The local checksums, and their comparison with those of each peer."""

    __slots__ = ("_dropped", "_local", "_requested", "_unacked", "replaced_through")

    def __init__(self) -> None:
        self._requested: list[int] = []
        self._unacked: list[tuple[int, int]] = []
        self._dropped = 0
        self._local: dict[int, int] = {}
        self.replaced_through = -1
        """States up to this frame were replaced by another peer's; mismatches there are not reported."""

    @property
    def pending(self) -> bool:
        """True if the caller has not answered every `Checksum` effect."""
        return bool(self._requested)

    def request(self, frame: int) -> None:
        """Record that the caller was asked for the checksum of `frame`."""
        self._requested.append(frame)

    def add(self, frame: int, value: int) -> bool:
        """Add a checksum from the caller; return False if it is not the next one requested."""
        if not self._requested or self._requested[0] != frame:
            return False
        del self._requested[0]
        self._unacked.append((frame, value))
        self._local[frame] = value
        if len(self._local) > KEPT_CHECKSUMS:
            del self._local[next(iter(self._local))]
        return True

    def unacked_by(self, remote: RemotePeer, limit: int) -> tuple[Sequence[tuple[int, int]], int]:
        """Return the oldest checksums that a peer has not acknowledged.

        Returns:
            Up to `limit` pairs of (frame, checksum), and how many checksums the peer holds with them.
        """
        start = max(remote.checksums_acked, self._dropped)
        end = self._dropped + len(self._unacked)
        if start >= end:
            return (), end
        end = min(end, start + limit)
        return self._unacked[start - self._dropped : end - self._dropped], end

    def drop_acked(self, remotes: Sequence[RemotePeer]) -> None:
        """Drop the checksums that every running peer has acknowledged."""
        if not self._unacked:
            return
        acked = min((remote.checksums_acked for remote in remotes if not remote.left), default=NO_FRAME)
        count = min(acked - self._dropped, len(self._unacked))
        if count > 0:
            del self._unacked[:count]
            self._dropped += count

    def restore(self, known: Sequence[tuple[int, int]]) -> None:
        """Restore the checksums of a log that another peer sent."""
        self._local = dict(known[-KEPT_CHECKSUMS:])

    def compare(self, remote: RemotePeer, frame: int, theirs: int) -> tuple[int, int] | None:
        """Compare a peer's checksum with the local one, or keep it until the local one is known.

        Returns:
            (local checksum, their checksum) for the first of a run of mismatches, else None. Equal states end
            the run.
        """
        if frame <= remote.compared_through:
            return None
        mine = self._local.get(frame)
        if mine is None:
            # A peer may send checksums of any frames: the limit bounds the memory that they take.
            if len(remote.pending_checksums) < KEPT_CHECKSUMS:
                remote.pending_checksums[frame] = theirs
            return None
        remote.compared_through = frame
        if mine == theirs:
            remote.equal_through = frame
            remote.in_desync = False
            return None
        if remote.in_desync or frame <= self.replaced_through:
            return None
        remote.in_desync = True
        if remote.first_desync is None:
            remote.first_desync = frame
        return mine, theirs
