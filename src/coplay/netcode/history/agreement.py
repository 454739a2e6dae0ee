"""The comparison of the finished logs of all peers, and the verdict that follows from it.

This module only decides; `phases.closing` sends the closing sections and asks for the verdict.
"""

from collections.abc import Sequence

from coplay.netcode.events import LogVerdict
from coplay.netcode.peers.remote_peer import RemotePeer
from coplay.netcode.wire.format import (
    CLOSING_ACKED,
    CLOSING_AGREED,
    CLOSING_DIVERGENT,
    CLOSING_TRUNCATED,
)

ACK_TIMEOUT_S = 2.0
"""How long to wait for acknowledgements once all hashes are here: they cannot change the verdict."""
ANSWER_TIMEOUT_S = 10.0
"""How long to wait for peers that do not answer, and how long to answer peers that lack this peer's hash."""


def desync_reason(frame: int, path: str | None = None) -> str:
    """Return the reason of a `divergent` verdict, with the first path of the state that differs if known."""
    where = f", first in {path}" if path else ""
    return f"The states before frame {frame} differ between peers{where}."


class LogAgreement:
    """The comparison of one finished log with those of all other peers.

    Args:
        remotes: The peers to agree with.
        now: When the last frame was confirmed, in seconds.
        last_frame: The last confirmed frame.
        truncated: True if a leave ended the game.
        reason: Why a leave ended the game, or which leaves the log contains; None without any.
    """

    def __init__(
        self, remotes: Sequence[RemotePeer], now: float, last_frame: int, truncated: bool, reason: str | None
    ) -> None:
        self._remotes = remotes
        self._deadline = now + ANSWER_TIMEOUT_S
        self._ack_deadline = now + ACK_TIMEOUT_S
        self._truncated = truncated
        self._reason = reason
        self.last_frame = last_frame
        self.chain: bytes | None = None
        """The hash of the local log; None until the caller has answered the last `Checksum`."""
        self.verdict: LogVerdict | None = None
        """The verdict, once `decide` has reached it."""

    def decide(self, now: float, desync: str | None = None) -> tuple[LogVerdict, str] | None:
        """Return the verdict and its reason once they are known, and store the verdict; until then, None.

        Args:
            now: Seconds.
            desync: Where states were found to differ, in one sentence; None if they were not.
        """
        if self.chain is None:
            return None
        running = [remote for remote in self._remotes if not remote.left]
        if now < self._deadline and any(remote.chain is None for remote in running):
            return None
        if now < self._ack_deadline and not all(remote.has_local_chain for remote in running):
            return None
        found = self._compare(running, desync)
        self.verdict = found[0]
        return found

    def _compare(self, running: Sequence[RemotePeer], desync: str | None) -> tuple[LogVerdict, str]:
        # A peer that left after the end may have sent its hash; one that left before has another last frame.
        known = [
            remote
            for remote in self._remotes
            if remote.chain is not None and (not remote.left or remote.chain_last_frame == self.last_frame)
        ]
        silent = [remote.peer for remote in running if remote.chain is None]
        bits = 0
        for remote in known:
            bits |= remote.closing_bits
        # In this order: a difference that any peer found outweighs a silent peer, which outweighs a leave.
        if bits & CLOSING_DIVERGENT or any(remote.chain != self.chain for remote in known):
            frames = [remote.first_desync for remote in self._remotes if remote.first_desync is not None]
            if frames:
                return "divergent", desync or desync_reason(min(frames))
            return "divergent", "The logs of the peers differ."
        if silent:
            return "unverified", f"Peer {silent[0]} did not answer within {ANSWER_TIMEOUT_S:g} s of the end."
        if self._truncated or bits & CLOSING_TRUNCATED:
            return "truncated", self._reason or "A peer left."
        if self._remotes and not known and self._reason:
            return "truncated", f"{self._reason} Nobody was left to agree with."
        if self._remotes and not known:
            return "unverified", "Every other peer left before its log could be compared."
        return "identical", self._reason or "All peers hold the same log."

    def is_complete(self, now: float) -> bool:
        """Return True if no other peer needs this peer's closing section any more."""
        if self.verdict is None:
            return False
        return now >= self._deadline or all(remote.has_verdict or remote.left for remote in self._remotes)

    def section(self, remote: RemotePeer) -> tuple[int, int, bytes] | None:
        """Return the closing section for a peer (bits, last frame, hash), or None before there is a hash."""
        if self.chain is None:
            return None
        bits = CLOSING_ACKED if remote.chain is not None else 0
        if self.verdict is not None:
            bits |= CLOSING_AGREED
        if self._truncated:
            bits |= CLOSING_TRUNCATED
        if any(other.first_desync is not None for other in self._remotes):
            bits |= CLOSING_DIVERGENT
        return bits, self.last_frame, self.chain
