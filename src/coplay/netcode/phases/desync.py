"""The search for the first frame whose states differ between two peers.

    found ──▶ examined ──▶ located ──▶ explained
    (checksums (re-simulated (checksums   (states
     differ)    on both sides) compared)   compared)

Both peers re-simulate from the last equal state, hash every state on the way, and exchange these checksums:
the first that differs belongs to the bad frame.
"""

from collections.abc import Sequence

from coplay.netcode.peers.remote_peer import RemotePeer
from coplay.netcode.wire.format import MAX_DETAIL

DETAIL_PERIOD_S = 3.0
"""How long the checksums of an examination are sent, as the other side may notice the desync later."""
DETAIL_TIMEOUT_S = 2.0
"""How long to wait for the other side's checksums."""


class DesyncSearch:
    """The search for the first bad frame of one desync with one peer.

    Args:
        remote: The other peer.
        frame: The frame whose checksums differ.
        now: Seconds.
    """

    __slots__ = ("_deadline", "frame", "located", "remote", "reproduced")

    def __init__(self, remote: RemotePeer, frame: int, now: float) -> None:
        self.remote = remote
        self.frame = frame
        self.located = -1
        """The first bad frame; -1 until the search has ended."""
        self.reproduced = False
        """True if the re-simulated states differ, too."""
        self._deadline = now + DETAIL_TIMEOUT_S

    def advance(self, examination: "Examination | None", now: float) -> bool:
        """Compare the checksums of both sides once they are here; return True if the search has ended."""
        remote = self.remote
        if examination and examination.values and remote.detail_frame == self.frame == examination.frame:
            # Both lists end at the same frame, but they may begin at different ones.
            count = min(len(remote.detail), len(examination.values))
            mine, theirs = examination.values[-count:], remote.detail[-count:]
            for offset, (one, other) in enumerate(zip(mine, theirs, strict=True)):
                if one != other:
                    self.located = self.frame - count + 1 + offset
                    self.reproduced = True
                    return True
        elif now < self._deadline:
            return False
        self.located = self.frame
        return True


class Examination:
    """The local re-simulation up to a frame whose checksums differed.

    Args:
        frame: The frame whose checksums differed.
        first: The frame that the re-simulation starts from.
        now: Seconds.
    """

    __slots__ = ("_detail_until", "first", "frame", "values")

    def __init__(self, frame: int, first: int, now: float) -> None:
        self.frame = frame
        self.first = first
        self.values: list[int] = []
        """Checksums of the states before successive frames up to `frame`; empty until the caller has answered
        `Examine`, or if it has no state to start from."""
        self._detail_until = now + DETAIL_PERIOD_S

    def add(self, values: Sequence[int]) -> None:
        """Add the caller's answer: one checksum per frame from `first` + 1 to `frame`, or none."""
        self.values = list(values)[-MAX_DETAIL:]

    def covers(self, frame: int) -> bool:
        """Return True if the state before a frame was re-simulated."""
        return bool(self.values) and self.first < frame <= self.frame

    def section(self, remote: RemotePeer, now: float) -> tuple[int, list[int]] | None:
        """Return the detail section for a peer whose states differ: last frame and checksums."""
        if not self.values or now > self._detail_until or remote.first_desync is None:
            return None
        return self.frame, self.values
