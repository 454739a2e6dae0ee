"""Detection of a direct path that has gone silent."""

from typing import Final

_SILENT_S: Final = 0.8
_SUSPECT_S: Final = 1.5
_AWAKE_S: Final = 0.1


class Silence:
    """Measures for how long no datagram has come over a direct path.

    Peers that play send a datagram each frame. Silence is therefore the sum of the times between this side's
    own sends, each limited: while this process is too busy to send, it could not have received either.
    Nothing is counted before the first datagram.

    Args:
        fps: Datagrams sent and expected per second.
    """

    def __init__(self, fps: float) -> None:
        self._longest_step = max(_AWAKE_S, 1.5 / fps)
        self._limit = max(_SILENT_S, 4.0 / fps)
        self._met = False
        self._silent_s = 0.0
        self._sent_at: float | None = None

    @property
    def is_suspect(self) -> bool:
        """True if nothing has come for longer than the heartbeat allows."""
        return self._silent_s > self._limit

    @property
    def is_dead(self) -> bool:
        """True if the silence has lasted too long for a temporary disturbance."""
        return self._silent_s > self._limit + _SUSPECT_S

    def datagram_received(self, *, direct: bool) -> None:
        """Record that a datagram from the other player arrived.

        Args:
            direct: True if it came over the direct path, False if through the server.
        """
        # A peer that reaches us through the server also sends over the direct path: silence counts from now.
        self._met = True
        if direct:
            self._silent_s = 0.0

    def datagram_sent(self, now: float) -> None:
        """Record that a datagram was sent to the other player."""
        if self._met and self._sent_at is not None:
            self._silent_s += min(now - self._sent_at, self._longest_step)
        self._sent_at = now
