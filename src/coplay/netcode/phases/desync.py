"""Finds out what happened when two peers hold different states of the same frame.

    differs ──▶ examining ──▶ comparing ──▶ explaining ──▶ done
                (step again)  (each frame)   (name it)

Both peers step again from the last state that was equal, hash every state on the way, and tell each other:
the first that differs is the bad frame. The one with the higher number then asks for the other's state of
that frame, and has it compared with its own.
"""

from collections.abc import Sequence

from coplay.netcode.peers.link import RemotePeer
from coplay.netcode.wire.format import MAX_DETAIL

TELL_S = 3.0
"""How long our checksums of the examined frames are told; the other side may notice later than we do."""
COMPARE_S = 2.0
"""How long the other's are waited for."""


class DesyncInquiry:
    """One difference between this peer and another.

    Args:
        link: The other peer.
        frame: Whose checksums differ.
        now: Seconds.
    """

    __slots__ = ("_deadline", "frame", "link", "located", "reproduced")

    def __init__(self, link: RemotePeer, frame: int, now: float) -> None:
        self.link = link
        self.frame = frame
        self.located = -1
        """The first bad frame, once it is known."""
        self.reproduced = False
        """Whether the states differ after stepping again, too."""
        self._deadline = now + COMPARE_S

    def locate(self, examination: "Examination | None", now: float) -> bool:
        """Look for the first bad frame; return whether the search has ended."""
        link = self.link
        if examination and examination.values and link.detail_frame == self.frame == examination.frame:
            count = min(len(link.detail), len(examination.values))
            mine, other = examination.values[-count:], link.detail[-count:]
            for offset, (one, two) in enumerate(zip(mine, other, strict=True)):
                if one != two:
                    self.located = self.frame - count + 1 + offset
                    self.reproduced = True
                    return True
        elif now < self._deadline:
            return False
        self.located = self.frame
        return True


class Examination:
    """What stepping again showed here.

    Args:
        frame: The frame whose checksums differed.
        first: The frame that was stepped from.
        now: Seconds.
    """

    __slots__ = ("first", "frame", "until", "values")

    def __init__(self, frame: int, first: int, now: float) -> None:
        self.frame = frame
        self.first = first
        self.values: list[int] = []
        """Checksums of the states before the frames up to `frame`; empty until the caller answers, or when it
        cannot."""
        self.until = now + TELL_S
        """Until when it is told."""

    def take(self, values: Sequence[int]) -> None:
        """Take the caller's answer: one checksum per frame from `first` + 1 to `frame`, or none."""
        self.values = list(values)[-MAX_DETAIL:]

    def covers(self, frame: int) -> bool:
        """Whether the state before a frame was examined here."""
        return bool(self.values) and self.first < frame <= self.frame

    def section(self, link: RemotePeer, now: float) -> tuple[int, list[int]] | None:
        """Return what to tell a peer whose states differ."""
        if not self.values or now > self.until or link.desync is None:
            return None
        return self.frame, self.values
