"""Whether a direct path has gone silent."""

from typing import Final

_SILENT_S: Final = 0.8
_SUSPECT_S: Final = 1.5
_AWAKE_S: Final = 0.1


class Silence:
    """Notices that nothing comes over a direct path any more.

    Peers that play send a datagram each frame, so our own sending is the clock: while this process is busy
    nobody could have been heard. Before anything came at all there is nothing to miss.

    Args:
        fps: How many datagrams a second are sent and expected.
    """

    def __init__(self, fps: float) -> None:
        self._step = max(_AWAKE_S, 1.5 / fps)
        self._limit = max(_SILENT_S, 4.0 / fps)
        self._met = False
        self._unheard = 0.0
        self._spoke: float | None = None

    @property
    def doubtful(self) -> bool:
        """Whether nothing has come for too long."""
        return self._unheard > self._limit

    @property
    def dead(self) -> bool:
        """Whether it lasts so long that it is more than a hiccup."""
        return self._unheard > self._limit + _SUSPECT_S

    def heard(self, *, direct: bool) -> None:
        """A datagram came."""
        # Whom we hear through the server sends over the direct path as well.
        self._met = True
        if direct:
            self._unheard = 0.0

    def spoke(self, now: float) -> None:
        """We send one."""
        if self._met and self._spoke is not None:
            self._unheard += min(now - self._spoke, self._step)
        self._spoke = now
