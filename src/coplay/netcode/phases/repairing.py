"""What happens after a desync: find the first bad frame, name what differs, then resync or end the game.

The state of the lowest peer is authoritative. Every other peer that differs from it adopts that state,
re-simulates to its own current frame and continues. The verdict of the game is `divergent` nevertheless.
"""

from collections import deque
from collections.abc import Sequence

from coplay.netcode.config import SessionConfig
from coplay.netcode.effects import CompareState, Effect, Examine, ImportState
from coplay.netcode.events import DesyncExplained, DesyncFound, DesyncLocated, Event, Resynced
from coplay.netcode.history.agreement import desync_reason
from coplay.netcode.history.timeline import Timeline
from coplay.netcode.peers.remote_peer import RemotePeer
from coplay.netcode.peers.roster import Roster
from coplay.netcode.phases.desync import DesyncSearch, Examination
from coplay.netcode.wire.transfer import EXAMINED, RESYNC, Want

MAX_RESYNCS = 8
"""Resyncs in one game, after which the next desync ends it: the cause evidently persists."""
_END_DELAY_S = 1.5
"""How long a game continues after a desync that ends it, so that the state can be fetched and compared."""


class DesyncRepair:
    """Detects the desyncs of one session, locates them, and repairs them or ends the game.

    Args:
        config: The rules of the game.
        timeline: The frames of the game.
        roster: The remote peers.
        effects: List to which effects are appended.
        events: List to which events are appended.
    """

    def __init__(
        self,
        config: SessionConfig,
        timeline: Timeline,
        roster: Roster,
        effects: list[Effect],
        events: deque[Event],
    ) -> None:
        self._config = config
        self._timeline = timeline
        self._roster = roster
        self._effects = effects
        self._events = events
        self._searches: list[DesyncSearch] = []
        self._examination: Examination | None = None
        self._compared_peer = -1
        self._adopting: tuple[int, int, bytes] | None = None
        self._resyncs = 0
        self._end_at: float | None = None
        self.requests: deque[tuple[int, int, int]] = deque()
        """States to fetch from peers, as triples of (peer, purpose, frame)."""
        self.reason: str | None = None
        """Where states differ, in one sentence; None before the first desync."""

    @property
    def active(self) -> bool:
        """True from the first desync on."""
        return self._examination is not None

    # Search

    def compare_checksum(self, remote: RemotePeer, frame: int, theirs: int, now: float) -> None:
        """Compare a peer's checksum with the local one, now or once it is known."""
        mismatch = self._timeline.checksums.compare(remote, frame, theirs)
        if mismatch:
            self._events.append(DesyncFound(frame, remote.peer, *mismatch))
            self._start_search(remote, frame, now)

    def compare_pending(self, frame: int, now: float) -> None:
        """Compare the checksums of peers that came before the local one of `frame`."""
        for remote in self._roster.remotes.values():
            if frame in remote.pending_checksums:
                self.compare_checksum(remote, frame, remote.pending_checksums.pop(frame), now)

    def _start_search(self, remote: RemotePeer, frame: int, now: float) -> None:
        self.reason = self.reason or desync_reason(frame)
        self._searches.append(DesyncSearch(remote, frame, now))
        # One examination serves all peers that differ at the same frame.
        if self._examination is not None and self._examination.frame == frame:
            return
        first = max(0, remote.equal_through)
        self._examination = Examination(frame, first, now)
        self._effects.append(Examine(first, self._timeline.logged_inputs(first, frame)))

    def examined(self, frame: int, values: Sequence[int]) -> None:
        """Process the answer to `Examine`."""
        examination = self._examination
        if examination is not None and examination.first == frame:
            examination.add(values)

    def detail_for(self, remote: RemotePeer, now: float) -> tuple[int, list[int]] | None:
        """Return the detail section for a peer (last frame, checksums), or None if it needs none."""
        return None if self._examination is None else self._examination.section(remote, now)

    def tick(self, now: float) -> bool:
        """Advance the searches; return True if the game must end now."""
        for search in list(self._searches):
            if search.remote.left:
                self._searches.remove(search)
            elif search.advance(self._examination, now):
                self._searches.remove(search)
                self._finish_search(search, now)
        return self._end_at is not None and now >= self._end_at

    def _finish_search(self, search: DesyncSearch, now: float) -> None:
        peer, frame = search.remote.peer, search.located
        self._events.append(DesyncLocated(frame, peer, search.reproduced))
        self.reason = desync_reason(frame)
        # Only the peer with the higher number acts, or both sides of a pair would do the same work.
        acts = self._config.peer > peer
        if acts and search.reproduced:
            self.requests.append((peer, EXAMINED, frame))
        elif acts:
            self.report_paths(peer, frame, ())
        if self._config.on_desync == "end" or self._resyncs >= MAX_RESYNCS:
            self._end_at = now + _END_DELAY_S
        elif acts and peer == min(remote.peer for remote in self._roster.running):
            self.requests.append((peer, RESYNC, 0))

    def may_serve(self, remote: RemotePeer, want: Want) -> bool:
        """Return True if a peer may have the state that it requests to examine or to resync."""
        if remote.first_desync is None:
            return False
        if want.purpose == EXAMINED:
            return self._examination is not None and self._examination.covers(want.frame)
        return self._config.on_desync == "resync" and self._config.peer < remote.peer

    def compare_state(self, peer: int, frame: int, state: bytes) -> None:
        """Have the caller compare a peer's state with that of the last `Examine`."""
        self._compared_peer = peer
        self._effects.append(CompareState(frame, state))

    def state_compared(self, frame: int, paths: Sequence[str]) -> None:
        """Process the answer to `CompareState`."""
        self.report_paths(self._compared_peer, frame, tuple(paths))

    def report_paths(self, peer: int, frame: int, paths: tuple[str, ...]) -> None:
        """Report what differs from a peer's state; no paths if the states could not be compared."""
        self._events.append(DesyncExplained(frame, peer, paths))
        if paths:
            self.reason = desync_reason(frame, paths[0])

    # Resync

    def take_state(self, peer: int, frame: int, state: bytes) -> None:
        """Keep a peer's state for adoption, unless the inputs to re-simulate from it are gone.

        Args:
            peer: The peer that sent the state.
            frame: The frame that the state is about to step.
            state: Untrusted bytes.
        """
        if frame >= self._timeline.oldest_complete_frame:
            self._adopting = (peer, frame, state)

    def start_import(self) -> bool:
        """Have the caller import the kept state, if there is one and its frame has been reached.

        Returns:
            True if an import was requested.
        """
        # A state from a peer that is ahead waits: re-simulation leads from its frame up to the current one.
        if self._adopting is None or self._adopting[1] > self._timeline.frame:
            return False
        _, frame, state = self._adopting
        self._effects.append(ImportState(frame, state))
        return True

    def state_imported(self, frame: int, over: bool) -> None:
        """Process the answer to `ImportState`: re-simulate from the adopted state."""
        if self._adopting is None:
            return
        peer, timeline = self._adopting[0], self._timeline
        self._adopting = None
        self._resyncs += 1
        timeline.adopt_state(frame, over)
        # Checksums up to this frame belong to the discarded states: do not report their mismatches again.
        timeline.checksums.replaced_through = timeline.published + 1
        for remote in self._roster.remotes.values():
            remote.in_desync = False
        self._events.append(Resynced(frame, peer))

    def state_refused(self) -> None:
        """Process the refusal of `ImportState`: stop resyncing, so that the next desync ends the game."""
        self._adopting = None
        self._resyncs = MAX_RESYNCS

    def stop(self) -> None:
        """Drop pending states and requests, because the game is over at this peer."""
        self._adopting = None
        self.requests.clear()
