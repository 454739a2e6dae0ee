"""From the last frame to the verdict, and the goodbyes of those who do not wait for it."""

from collections import deque

from coplay.netcode.events import Event, GameAgreed
from coplay.netcode.history.agreement import LogAgreement
from coplay.netcode.history.timeline import Timeline
from coplay.netcode.peers.link import RemotePeer
from coplay.netcode.peers.roster import Roster
from coplay.netcode.phases.outbox import Outbox
from coplay.netcode.wire.format import CLOSING_ACKED
from coplay.netcode.wire.play import PlayDatagram

_GOODBYE_S = 0.05
_GOODBYES = 10


class ClosingPhase:
    """The end of one session.

    Args:
        timeline: The frames.
        peers: The links.
        outbox: Sends datagrams.
        events: Where events are put.
    """

    def __init__(self, timeline: Timeline, peers: Roster, outbox: Outbox, events: deque[Event]) -> None:
        self._timeline = timeline
        self._peers = peers
        self._outbox = outbox
        self._events = events
        self._goodbyes = 0
        self._alone = False
        self.closing: LogAgreement | None = None
        self.closed = False
        self.next_send = 0.0
        """When something is to be said again, in seconds."""

    def begin(self, now: float, *, stopped: bool, alone: bool = False) -> None:
        """The last frame was given out: exchange what is known of the whole log.

        Args:
            now: Seconds.
            stopped: Whether something other than the simulation ended the game.
            alone: Whether the others go on without this peer.
        """
        timeline, peers = self._timeline, self._peers
        timeline.finish(stopped=stopped)
        self._alone = alone
        last = timeline.published
        truncated = alone or (stopped and peers.seats.truncated_at == last)
        reason = peers.end_reason if truncated else ""
        if alone:
            reason = "The others went on without this peer."
        elif not truncated and (left := peers.seats.leaves_before(last)):
            reason = " ".join(f"Player {player} left after frame {frame}." for player, frame in sorted(left))
        links = [] if alone else list(peers.links.values())
        self.closing = LogAgreement(links, now, last, truncated, reason)
        self.seal(now)
        if not alone:
            self._outbox.send_play(now, self.closing)
        self.next_send = now + LogAgreement.RESEND_S

    def seal(self, now: float) -> None:
        """Hash the whole log, unless the caller still owes a checksum."""
        closing, timeline = self.closing, self._timeline
        if closing is not None and not timeline.checksums.waiting and not closing.chain:
            leaves = self._peers.seats.leaves_before(closing.last_frame)
            closing.chain = timeline.chain.digest(closing.last_frame, leaves)
            self.next_send = now

    def receive(self, link: RemotePeer, play: PlayDatagram, now: float) -> None:
        """Take a closing section."""
        news = link.receive_closing(play.closing, play.last_frame, play.chain)
        closing = self.closing
        if closing is None or self._alone:
            return
        if closing.finished(now):
            if not play.closing & CLOSING_ACKED or now >= link.answer_at:
                link.answer_at = now + LogAgreement.RESEND_S
                self._outbox.send_play(now, closing)
        elif news:
            self.next_send = min(self.next_send, now)

    def tick(self, now: float, explanation: str) -> None:
        """Say what is due, and find the verdict."""
        closing = self.closing
        if closing is None:
            if self._goodbyes and now >= self.next_send:
                self.say_goodbye(now)
            return
        found = None if closing.agreed else closing.verdict(now, explanation)
        if found:
            closing.agreed = True
            self.close(*found)
        if found and self._alone:
            # Not everyone may know yet that this peer is out.
            self.closing = None
            self.say_goodbye(now)
            return
        # Said at least once: the others may be waiting for nothing else.
        if found or (now >= self.next_send and not closing.finished(now)):
            self.next_send = now + LogAgreement.RESEND_S
            self._outbox.send_play(now, closing)

    def say_goodbye(self, now: float) -> None:
        """Tell the others, best effort, that this peer leaves."""
        self._goodbyes = self._goodbyes - 1 if self._goodbyes else _GOODBYES
        self.next_send = now + _GOODBYE_S
        self._outbox.send_bye(self._peers.running, now)

    def close(self, verdict: str, reason: str) -> None:
        """Report the verdict; nothing is played any more."""
        self.closed = True
        closing, timeline = self.closing, self._timeline
        last = timeline.published
        if closing is not None:
            chain = closing.chain
        else:
            chain = timeline.chain.digest(last, self._peers.seats.leaves_before(last))
        self._events.append(GameAgreed(verdict, last, chain, reason))

    def lingering(self, now: float) -> bool:
        """Whether, after the verdict, some peer may not have heard the end."""
        if self.closing is not None:
            return not self.closing.finished(now)
        return self._goodbyes > 0
