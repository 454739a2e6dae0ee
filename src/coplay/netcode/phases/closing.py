"""The closing phase: from the last frame to the verdict, and the goodbyes of a peer that leaves.

This module decides when closing sections are sent; `history.agreement` derives the verdict from them.
"""

from collections import deque

from coplay.netcode.events import Event, GameAgreed, LogVerdict
from coplay.netcode.history.agreement import LogAgreement
from coplay.netcode.history.timeline import Timeline
from coplay.netcode.peers.remote_peer import RemotePeer
from coplay.netcode.peers.roster import Roster
from coplay.netcode.phases.leaving import LeaveAgreement
from coplay.netcode.phases.outbox import DatagramOutbox
from coplay.netcode.wire.format import CLOSING_ACKED
from coplay.netcode.wire.play import PlayDatagram

EXCLUDED_REASON = "The others went on without this peer."
RESEND_INTERVAL_S = 0.05
_GOODBYES = 10
"""How many goodbyes a leaving peer sends: they are not acknowledged, so repetition covers their loss."""


class ClosingPhase:
    """The end of one session.

    Args:
        timeline: The frames of the game.
        roster: The remote peers.
        leaves: The leaves that this peer knows of.
        outbox: Sends datagrams.
        events: List to which events are appended.
    """

    def __init__(
        self,
        timeline: Timeline,
        roster: Roster,
        leaves: LeaveAgreement,
        outbox: DatagramOutbox,
        events: deque[Event],
    ) -> None:
        self._timeline = timeline
        self._roster = roster
        self._leaves = leaves
        self._outbox = outbox
        self._events = events
        self._agreement: LogAgreement | None = None
        self._goodbyes_left = 0
        self._excluded = False
        self.closed = False
        """True once the verdict was reported."""
        self.next_send = 0.0
        """When to send the next datagram, in seconds."""

    def begin(self, now: float, *, stopped: bool, excluded: bool = False) -> None:
        """Enter the phase after the last frame was published, and start to exchange log hashes.

        Args:
            now: Seconds.
            stopped: True if a leave or a desync ended the game, False if the simulation did.
            excluded: True if the other peers continue without this one; no logs are compared then.
        """
        timeline, roster = self._timeline, self._roster
        timeline.finish(stopped=stopped)
        self._excluded = excluded
        last = timeline.published
        truncated = excluded or (stopped and roster.seats.truncated_at == last)
        reason = self._leaves.first_leave if truncated else None
        if excluded:
            reason = EXCLUDED_REASON
        elif not truncated and (left := roster.seats.leaves_before(last)):
            reason = " ".join(f"Player {player} left after frame {frame}." for player, frame in sorted(left))
        remotes = [] if excluded else list(roster.remotes.values())
        self._agreement = LogAgreement(remotes, now, last, truncated, reason)
        self.hash_log(now)
        if not excluded:
            self._outbox.send_play(now, self._agreement)
        self.next_send = now + RESEND_INTERVAL_S

    def hash_log(self, now: float) -> None:
        """Hash the finished log, unless it is hashed already or the last `Checksum` is not answered yet."""
        agreement, timeline = self._agreement, self._timeline
        if agreement is not None and not timeline.checksums.pending and agreement.chain is None:
            leaves = self._roster.seats.leaves_before(agreement.last_frame)
            agreement.chain = timeline.log.digest(agreement.last_frame, leaves)
            # Send immediately, because the other peers wait for this hash.
            self.next_send = now

    def receive(self, remote: RemotePeer, play: PlayDatagram, now: float) -> None:
        """Process the closing section of a play datagram."""
        is_new = remote.receive_closing(play.closing, play.last_frame, play.chain)
        agreement = self._agreement
        if agreement is None or self._excluded:
            return
        if agreement.is_complete(now):
            # A peer that still asks has missed the last datagrams: answer, at a limited rate.
            if not play.closing & CLOSING_ACKED or now >= remote.reply_after:
                remote.reply_after = now + RESEND_INTERVAL_S
                self._outbox.send_play(now, agreement)
        elif is_new:
            # Acknowledge immediately, so that the agreement takes round trips instead of resend intervals.
            self.next_send = min(self.next_send, now)

    def tick(self, now: float, desync: str | None) -> None:
        """Send what is due, and report the verdict once it is known.

        Args:
            now: Seconds.
            desync: Where states were found to differ, in one sentence; None if they were not.
        """
        agreement = self._agreement
        if agreement is None:
            if self._goodbyes_left and now >= self.next_send:
                self._send_goodbye(now)
            return
        found = agreement.decide(now, desync) if agreement.verdict is None else None
        if found:
            self.close(*found)
        if found and self._excluded:
            # Some peers may not know yet that this one was excluded: say goodbye, as when leaving.
            self._agreement = None
            self._send_goodbye(now)
            return
        # With a verdict, always send at least once: the others may wait for this acknowledgement only.
        if found or (now >= self.next_send and not agreement.is_complete(now)):
            self.next_send = now + RESEND_INTERVAL_S
            self._outbox.send_play(now, agreement)

    def leave(self, now: float) -> None:
        """Abandon the agreement, if one is in progress, and start to send goodbyes."""
        self._agreement = None
        self._send_goodbye(now)

    def _send_goodbye(self, now: float) -> None:
        """Send one of ten goodbyes to all running peers, and schedule the next one."""
        self._goodbyes_left = self._goodbyes_left - 1 if self._goodbyes_left else _GOODBYES
        self.next_send = now + RESEND_INTERVAL_S
        self._outbox.send_bye(self._roster.running, now)

    def close(self, verdict: LogVerdict, reason: str) -> None:
        """Report the verdict."""
        self.closed = True
        last = self._timeline.published
        chain = self._agreement.chain if self._agreement is not None else None
        if chain is None:
            chain = self._timeline.log.digest(last, self._roster.seats.leaves_before(last))
        self._events.append(GameAgreed(verdict, last, chain, reason))

    def is_draining(self, now: float) -> bool:
        """Return True if, after the verdict, some peer may still need this peer's last datagrams."""
        if self._agreement is not None:
            return not self._agreement.is_complete(now)
        return self._goodbyes_left > 0
