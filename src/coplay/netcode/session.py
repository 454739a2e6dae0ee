"""One game between peers, as a state machine without I/O.

Everything revolves around `RollbackSession.tick`: it corrects wrong guesses, gives out what is certain, steps
one more frame when that is due and the prediction window allows, and tells every peer all that it may not
know yet.

    hello ──▶ running ──▶ closing ──▶ closed
      └───────────┴──────────────────▶ (a mismatch, a leave)

Source: the tick after GGPO's Peer2PeerBackend; requests apart from events after ggrs; explicit time after
aioquic.
"""

from collections import deque
from math import inf

from coplay.errors import SessionMisuseError
from coplay.netcode.agreement import Closing
from coplay.netcode.config import SessionConfig
from coplay.netcode.effects import Effect
from coplay.netcode.events import (
    DatagramRejected,
    DelayChosen,
    Event,
    GameAgreed,
    HelloMismatch,
    Running,
    Stalled,
)
from coplay.netcode.handshake import FOREIGN_VERSIONS_LIMIT, Handshake
from coplay.netcode.input_queue import RING
from coplay.netcode.link import PeerLink
from coplay.netcode.outbox import Outbox
from coplay.netcode.pacing import FramePacer, SteadyClock
from coplay.netcode.packets import (
    BYE,
    HEADER_SIZE,
    HELLO,
    MAX_DATAGRAM,
    PLAY,
    VERSION,
    MalformedDatagramError,
    Play,
    decode_hello,
    decode_play,
)
from coplay.netcode.peers import Peers
from coplay.netcode.stats import SessionStats
from coplay.netcode.time_sync import pace
from coplay.netcode.timeline import Timeline

_PLAYING = ("running", "closing")
_KEPT_EVENTS = 1024
_GOODBYE_S = 0.05
_BYE_S = 0.1
_GOODBYES = 10
_REPORTED_REJECTIONS = 16


class RollbackSession:
    """One peer's part in one game.

    After every call, perform `effects()` in order: they may begin with a load.

    Args:
        config: The rules of the game.
        now: Monotonic seconds, same origin as in every other call.
    """

    def __init__(self, config: SessionConfig, now: float) -> None:
        self._config = config
        self._effects: list[Effect] = []
        self._events: deque[Event] = deque(maxlen=_KEPT_EVENTS)
        self._clock = SteadyClock(now, max(0.5, 4 / config.fps))
        self._timeline = Timeline(config, self._effects)
        self._sizes = [queue.size for queue in self._timeline.queues]
        self._peers = Peers(config, self._timeline.queues, self._events, now)
        self._actions = {queue.player: queue.default for queue in self._peers.own}
        self._handshake = Handshake(config, self._peers.running)
        self._outbox = Outbox(self._timeline, self._peers, config.fps, self._effects)
        self._pacer = FramePacer(config.fps)
        self._closing: Closing | None = None
        self._phase = "hello"
        self._delay = config.delay or 0
        self._next_send = now
        self._goodbyes = 0
        # Our own inputs must fit the ring until everyone holds them.
        self._longest_span = RING - 1 - max(config.max_delay, config.delay or 0)

    # What comes in

    def add_local_input(self, player_id: int, action: bytes, now: float) -> None:
        """Hold an action for an own seat, from the next frame on until it is replaced.

        Args:
            player_id: A seat that this peer owns.
            action: Encoded; exactly as long as the seat's default input.
            now: Monotonic seconds.

        Raises:
            SessionMisuseError: The seat is another peer's, or the action has a wrong length.
        """
        if player_id not in self._actions:
            raise SessionMisuseError(f"Player {player_id} is not played by peer {self._config.peer}.")
        if len(action) != self._sizes[player_id]:
            raise SessionMisuseError(
                f"The input of player {player_id} is {len(action)} bytes long, not {self._sizes[player_id]}."
            )
        self._actions[player_id] = action

    def receive_datagram(self, peer: int, data: bytes, now: float) -> None:
        """Take one datagram from a peer. Duplicates and reordering are harmless.

        Args:
            peer: Who sent it, as established by the link.
            data: Layout in protocol/datagrams.md.
            now: Monotonic seconds; when it arrived.

        Raises:
            UnknownPeerError: `peer` never joined. Malformed `data` never raises; it becomes
                `DatagramRejected`.
        """
        link = self._peers.link(peer)
        now = self._clock.read(now)
        if type(data) is not bytes:
            data = bytes(data)
        try:
            if not HEADER_SIZE <= len(data) <= MAX_DATAGRAM:
                raise MalformedDatagramError(f"it has {len(data)} bytes")
            if data[0] >> 4 != VERSION:
                self._foreign_version(link, data)
                raise MalformedDatagramError(f"protocol version {data[0] >> 4}, not {VERSION}")
            if data[1] != self._config.epoch:
                raise MalformedDatagramError(f"epoch {data[1]}, not {self._config.epoch}")
            kind = data[0] & 0x0F
            if kind == PLAY:
                self._receive_play(link, data, now)
            elif kind == HELLO:
                self._receive_hello(link, data, now)
            elif kind == BYE and len(data) == HEADER_SIZE:
                if link.receive_header(data, now) is not None and not link.agreed:
                    self._leave(link, now)
            else:
                raise MalformedDatagramError(f"unknown kind {kind}")
        except MalformedDatagramError as error:
            link.rejected += 1
            if link.rejected <= _REPORTED_REJECTIONS:
                self._events.append(DatagramRejected(peer, str(error)))

    def peer_left(self, peer: int, now: float) -> None:
        """Take note that a peer is gone for good. The remaining peers agree on its last frame.

        Raises:
            UnknownPeerError: `peer` never joined.
        """
        self._leave(self._peers.link(peer), self._clock.read(now))

    def leave(self, now: float) -> None:
        """Leave the game.

        The other peers are told, best effort, for half a second; keep ticking until then.
        """
        now = self._clock.read(now)
        if self._phase == "closed":
            return
        self._say_goodbye(now)
        self._close("truncated", "This peer left.")

    def state_saved(self, frame: int, over: bool = False) -> None:
        """Answer `SaveState`.

        Args:
            frame: The frame that the saved state is about to step.
            over: Whether the game has ended in this state. May be answered differently after a rollback.

        Raises:
            SessionMisuseError: It is not the next state that was asked for.
        """
        if self._phase == "running":
            self._timeline.state_saved(frame, over)

    def checksum_computed(self, frame: int, value: int) -> None:
        """Answer `Checksum`.

        Args:
            frame: The frame of the effect.
            value: A 64-bit hash of the state, equal at all peers that hold the same state.

        Raises:
            SessionMisuseError: It was not the one asked for, or does not fit 64 bits.
        """
        checksums = self._timeline.checksums
        if not 0 <= value < 1 << 64:
            raise SessionMisuseError(f"The checksum of frame {frame} does not fit 64 bits.")
        if not checksums.add(frame, value):
            raise SessionMisuseError(
                f"No checksum of frame {frame} was asked for, or an earlier one is still due."
            )
        self._timeline.chain.add_checksum(frame, value)
        for link in self._peers.links.values():
            if frame in link.pending_checksums:
                self._compare(link, frame, link.pending_checksums.pop(frame))
        if self._closing is not None:
            self._seal_log(self._closing)
            self._next_send = -inf

    def tick(self, now: float) -> None:
        """Do what is due: at most one new frame. Call it at `next_deadline()`, or earlier at no cost.

        Raises:
            SessionMisuseError: The effects of an earlier tick were not performed.
        """
        now = self._clock.read(now)
        phase = self._phase
        if phase == "running":
            if now >= self._pacer.due_at:
                self._slot(now)
        elif phase == "hello":
            self._outbox.send(self._handshake.tick(now))
            self._begin_when_settled()
        elif self._closing is not None:
            self._tick_closing(self._closing, now)
        elif self._goodbyes and now >= self._next_send:
            self._say_goodbye(now)
        if self._phase in _PLAYING:
            self._peers.check_silence(now)

    # What goes out

    def effects(self) -> list[Effect]:
        """Return what must be done, in order, and forget it."""
        drained = self._effects.copy()
        self._effects.clear()
        return drained

    def events(self) -> list[Event]:
        """Return what happened since the last call; may be ignored."""
        drained = list(self._events)
        self._events.clear()
        return drained

    def next_deadline(self) -> float:
        """Return when to call `tick` next, in the caller's seconds; infinite when nothing is left to do."""
        phase = self._phase
        if phase == "running":
            return self._clock.caller_time(self._pacer.due_at)
        if phase == "hello":
            return self._clock.caller_time(self._handshake.next_send)
        if phase == "closing" or self.lingering:
            return self._clock.caller_time(self._next_send)
        return inf

    @property
    def current_frame(self) -> int:
        """Frames stepped; the next one has this number."""
        return self._timeline.frame

    @property
    def confirmed_frame(self) -> int:
        """The last stepped frame whose every input is here, so that it cannot change again; -1 at first.

        Play runs at most `max_prediction` frames ahead of this one. A frame is given out by `Confirm` once
        all running peers hold its inputs, about a round trip later.
        """
        return self._timeline.confirmed

    @property
    def published_frame(self) -> int:
        """The last frame given out by `Confirm`; -1 at first."""
        return self._timeline.published

    @property
    def agreed_frame(self) -> int:
        """The last frame whose every input every running peer is known to hold; -1 at first."""
        return self._peers.confirmation.frame()

    @property
    def phase(self) -> str:
        """`hello`, `running`, `closing` or `closed`."""
        return self._phase

    @property
    def lingering(self) -> bool:
        """Whether a closed session should still be ticked, for peers that have not heard its end."""
        if self._phase != "closed":
            return False
        if self._closing is not None:
            return not self._closing.finished(self._clock.latest)
        return self._goodbyes > 0

    @property
    def delay(self) -> int:
        """The input delay in frames; not settled before `DelayChosen`."""
        return self._delay

    def change_delay(self, delay: int, now: float) -> None:
        """Give this peer's seats another input delay, from the next frame on.

        A longer delay repeats the last input over the gap; a shorter one drops what overlaps.

        Raises:
            SessionMisuseError: The delay does not fit the input queue, or play has not begun.
        """
        if self._phase != "running":
            raise SessionMisuseError("The input delay can be changed only while the game runs.")
        if delay < 0 or delay > max(self._config.max_delay, self._config.delay or 0):
            raise SessionMisuseError(f"An input delay of {delay} frames is out of range.")
        if delay != self._delay:
            self._delay = delay
            self._events.append(DelayChosen(delay))

    @property
    def stats(self) -> SessionStats:
        """What was counted so far."""
        timeline = self._timeline
        return SessionStats.over(
            {link.peer: link.stats for link in self._peers.links.values()},
            frame=timeline.frame,
            confirmed_frame=timeline.confirmed,
            published_frame=timeline.published,
            rollbacks=timeline.rollbacks,
            max_rollback_frames=timeline.max_rollback_frames,
            resimulated_frames=timeline.resimulated_frames,
            stalled_frames=self._pacer.stalled_frames,
        )

    # The hello

    def _receive_hello(self, link: PeerLink, data: bytes, now: float) -> None:
        hello = decode_hello(data)
        if link.receive_header(data, now) is None:
            return
        field, replies = self._handshake.receive(link, hello, now)
        self._outbox.send(replies)
        if field and self._phase == "hello":
            self._mismatch(link, field)
        elif self._phase == "hello":
            self._begin_when_settled()

    def _foreign_version(self, link: PeerLink, data: bytes) -> None:
        if self._phase != "hello" or data[0] & 0x0F != HELLO or data[1] != self._config.epoch:
            return
        link.foreign_versions += 1
        if link.foreign_versions == FOREIGN_VERSIONS_LIMIT:
            self._mismatch(link, "protocol")

    def _mismatch(self, link: PeerLink, field: str) -> None:
        self._events.append(HelloMismatch(link.peer, field))
        self._close("mismatch", f"Peer {link.peer} has another {field} than this peer.")

    def _begin_when_settled(self) -> None:
        delay = self._handshake.delay
        if delay is None:
            return
        self._phase = "running"
        self._delay = delay
        self._pacer.start(self._handshake.start_at)
        self._events += (DelayChosen(delay), Running())
        self._timeline.start()

    # Play

    def _receive_play(self, link: PeerLink, data: bytes, now: float) -> None:
        play = decode_play(data, self._sizes)
        if link.left:
            self._answer_left(link, now)
            return
        if not link.greeted:
            raise MalformedDatagramError("play before hello")
        fresh = link.receive_header(data, now)
        if fresh is None:
            return
        if fresh:
            link.frame = play.frame
            link.frame_at = now
            link.remote_advantage = play.advantage
            self._peers.heard(link)
        last = link.last
        for player, held in enumerate(play.last):
            if held > last[player]:
                last[player] = held
        if play.blocks:
            left_players = self._peers.confirmation.left_players
            for player, first, values in play.blocks:
                if (link.player_mask | left_players) >> player & 1:
                    self._timeline.received(player, first, values)
        if play.left:
            self._peers.hear_of_leaves(link, play.left)
            self._give_up_hello(now)
        for frame, value in play.checksums:
            self._compare(link, frame, value)
        if play.closing >= 0:
            self._receive_closing(link, play, now)
        self._pacer.hurry(now)

    def _slot(self, now: float) -> None:
        """One frame's time: correct, give out, step, tell."""
        timeline, peers = self._timeline, self._peers
        confirmation = peers.confirmation
        if not timeline.check_saved():
            return
        if confirmation.left_players != confirmation.settled_players:
            confirmation.settle()
        agreed = confirmation.frame()
        stop_at = peers.stop_at()
        end = timeline.publish(agreed, stop_at)
        if end:
            self._end(now, stopped=end == "stopped")
            return
        if timeline.first_wrong < timeline.frame:
            timeline.roll_back()
        frame = timeline.frame
        # Guesses are counted from what is here, not from what is known to be everywhere: that takes a round
        # trip, and play would stall on links it can run well on. A leave cuts no earlier than what is here.
        received = timeline.received_frame
        if frame <= min(received + self._config.max_prediction, agreed + self._longest_span):
            if frame <= stop_at:
                for queue in peers.own:
                    queue.give(frame + self._delay, self._actions[queue.player])
                timeline.advance()
            self._pacer.frame_passed(now, pace(peers.frames_ahead()))
        elif self._pacer.stall(now):
            self._events.append(Stalled(frame, peers.waited_for(received)))
        self._outbox.compare_clocks(now)
        self._outbox.send_play(now)

    def _compare(self, link: PeerLink, frame: int, theirs: int) -> None:
        if found := self._timeline.checksums.compare(link, frame, theirs):
            self._events.append(found)

    # Leaves

    def _leave(self, link: PeerLink, now: float) -> None:
        if self._phase != "closed":
            self._peers.leave(link)
            self._give_up_hello(now)

    def _give_up_hello(self, now: float) -> None:
        """A game that has not begun does not begin without everyone."""
        if self._phase == "hello" and self._peers.confirmation.left_players:
            self._say_goodbye(now)
            self._close("truncated", "A peer left before the game began.")

    def _answer_left(self, link: PeerLink, now: float) -> None:
        """Tell a peer that counts as left, and plays on, that it does."""
        if now >= link.bye_at and not link.agreed:
            link.bye_at = now + _BYE_S
            self._outbox.send_bye((link,), now)

    def _say_goodbye(self, now: float) -> None:
        self._goodbyes = self._goodbyes - 1 if self._goodbyes else _GOODBYES
        self._next_send = now + _GOODBYE_S
        self._outbox.send_bye(self._peers.running, now)

    # The end

    def _end(self, now: float, *, stopped: bool) -> None:
        timeline = self._timeline
        timeline.finish(stopped=stopped)
        truncated = stopped and self._peers.confirmation.truncated_at == timeline.published
        reason = self._peers.end_reason if truncated else ""
        self._phase = "closing"
        self._closing = Closing(list(self._peers.links.values()), now, timeline.published, truncated, reason)
        self._seal_log(self._closing)
        self._outbox.send_play(now, self._closing)
        self._next_send = now + Closing.RESEND_S

    def _seal_log(self, closing: Closing) -> None:
        """Hash the whole log, unless the caller still owes a checksum."""
        if not self._timeline.checksums.waiting:
            closing.chain = self._timeline.chain.digest(closing.last_frame)

    def _receive_closing(self, link: PeerLink, play: Play, now: float) -> None:
        news = link.receive_closing(play.closing, play.last_frame, play.chain)
        closing = self._closing
        if closing is None:
            return
        if closing.finished(now):
            if not play.closing & 1 or now >= link.bye_at:
                link.bye_at = now + Closing.RESEND_S
                self._outbox.send_play(now, self._closing)
        elif news:
            self._next_send = min(self._next_send, now)

    def _tick_closing(self, closing: Closing, now: float) -> None:
        found = None if closing.agreed else closing.verdict(now)
        if found:
            closing.agreed = True
            self._close(*found)
        # Said at least once: the others may be waiting for nothing else.
        if found or (now >= self._next_send and not closing.finished(now)):
            self._next_send = now + Closing.RESEND_S
            self._outbox.send_play(now, self._closing)

    def _close(self, verdict: str, reason: str) -> None:
        self._phase = "closed"
        closing, timeline = self._closing, self._timeline
        chain = closing.chain if closing is not None else timeline.chain.digest(timeline.published)
        self._events.append(GameAgreed(verdict, timeline.published, chain, reason))
