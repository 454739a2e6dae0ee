"""Plays one game in one peer: performs a session's effects on a simulation, in order.

The driver has no clock of its own: every call carries `now`, in monotonic seconds. It draws nothing; a tick
returns whether the state has changed.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeAlias, assert_never

from coplay.browser.controls import Controls
from coplay.browser.frame_recorder import FrameRecorder
from coplay.browser.state_exchange import StateExchange
from coplay.browser.time_samples import TimeSamples
from coplay.envs import FrameRow, Game, SavedGame
from coplay.envs.taming import original_of
from coplay.netcode import (
    Checksum,
    CompareState,
    Confirm,
    Effect,
    Event,
    Examine,
    ExportState,
    ImportState,
    LoadState,
    RollbackSession,
    SaveState,
    SendDatagram,
    Step,
    StepAgain,
)

Bot = Callable[[Any, int], Any]
Datagram = tuple[int, bytes, float]
RareEffect: TypeAlias = Checksum | ImportState | ExportState | Examine | CompareState
_ROWS = 256  # frames whose step results are kept: more than the window and the delay together


class Host(Protocol):
    """Callbacks that a driver needs from the process around it."""

    def send(self, peer: int, data: bytes) -> None:
        """Send one datagram over the link to `peer`."""

    def happened(self, event: Event) -> None:
        """Handle an event of the session."""


class Driver:
    """The body of a peer's main loop.

    Args:
        game: The simulation, not started yet.
        session: The netcode of this peer, in its hello phase.
        recorder: Records confirmed frames.
        controls: By player, the controls of the seats that people play at this peer.
        bots: By player, the policies of the seats whose inputs this peer supplies, or may have to supply
            later; called with the original environment and the player.
        host: Sends datagrams and receives events.
        clock: Returns monotonic seconds; measures work only, and never reaches the simulation.

    Attributes:
        netcode_time: Durations of the session's part of a tick, without the simulation, links, recorder and
            bots.
        step_time: Durations of frames that are stepped for the first time, with their snapshots.
        draw_time: Durations of drawing; added by the caller.
        last_checksum: Frame and checksum of the newest confirmed state that was hashed; None before that.
    """

    def __init__(
        self,
        game: Game,
        session: RollbackSession,
        recorder: FrameRecorder,
        controls: dict[int, Controls],
        bots: dict[int, Bot],
        host: Host,
        clock: Callable[[], float],
    ) -> None:
        self.game = game
        self.session = session
        self.recorder = recorder
        self.netcode_time = TimeSamples()
        self.step_time = TimeSamples()
        self.draw_time = TimeSamples()
        self.controls = controls
        self.last_checksum: tuple[int, int] | None = None
        self._bots = bots
        self._host = host
        self._clock = original_of(clock)
        # A frame is confirmed only after it was stepped, so every row was written before it is read.
        self._rows: list[FrameRow] = [None] * _ROWS  # type: ignore[list-item]
        self._states: dict[int, SavedGame] = {}
        self._oldest_state = 0
        self._exchange = StateExchange(game, session, self._states)
        self._bots_frame = -1
        self._other_seconds = 0.0
        game.start()

    def tick(self, now: float, datagrams: Sequence[Datagram] = ()) -> tuple[bool, bool]:
        """Do all work that is due at `now`.

        Args:
            now: Monotonic seconds.
            datagrams: All datagrams since the last call: (peer, bytes, arrival in seconds of the same clock).

        Returns:
            Whether the current state changed, and whether a rollback corrected it.
        """
        clock, session = self._clock, self.session
        started = clock()
        self._other_seconds = 0.0
        for peer, data, arrived in datagrams:
            session.receive_datagram(peer, data, arrived)
        frame = session.current_frame
        for player, control in self.controls.items():
            session.add_local_input(player, control.action, now)
        # A stalled game ticks several times before the same frame, for which each bot is asked once.
        if self._bots and frame != self._bots_frame and session.phase == "running":
            self._ask_bots(frame, now)
        session.tick(now)
        changed = corrected = False
        # Performing an effect may cause more, for example after an imported state.
        while effects := session.effects():
            did_change, did_correct = self._perform(effects, now)
            changed, corrected = changed or did_change, corrected or did_correct
        for event in session.events():
            self._host.happened(event)
        if session.current_frame > frame:
            for control in self.controls.values():
                control.frame_advanced()
        if session.phase == "running":
            self.netcode_time.add(clock() - started - self._other_seconds)
        return changed, corrected

    def _ask_bots(self, frame: int, now: float) -> None:
        started = self._clock()
        environment = self.game.environment
        for player in self.session.local_players:
            if player in self.controls or player not in self._bots:
                continue
            action = environment.codecs[player].encode(self._bots[player](environment.unwrapped, player))
            self.session.add_local_input(player, action, now)
        self._bots_frame = frame
        self._other_seconds += self._clock() - started

    def _perform(self, effects: Iterable[Effect], now: float) -> tuple[bool, bool]:
        changed = corrected = False
        game, clock = self.game, self._clock
        for effect in effects:
            match effect:
                case Step():
                    started = clock()
                    self._rows[effect.frame % _ROWS] = game.step(effect.inputs)
                    elapsed = clock() - started
                    self.step_time.add(elapsed)
                    self._other_seconds += elapsed
                    changed = True
                case SaveState():
                    self._save_state(effect.frame)
                case StepAgain():
                    started = clock()
                    self._step_again(effect)
                    self._other_seconds += clock() - started
                    changed = True
                case SendDatagram():
                    started = clock()
                    self._host.send(effect.peer, effect.data)
                    self._other_seconds += clock() - started
                case Confirm():
                    started = clock()
                    self.recorder.add_frame(effect, self._rows[effect.frame % _ROWS], now)
                    self._forget_states(effect.frame)
                    self._other_seconds += clock() - started
                case LoadState():
                    started = clock()
                    game.load(self._states[effect.frame])
                    self._other_seconds += clock() - started
                    changed = corrected = True
                case _:
                    if self._perform_rare(effect):
                        changed = corrected = True
        return changed, corrected

    def _perform_rare(self, effect: RareEffect) -> bool:
        """Perform an effect that few ticks have; return True if it changed the current state."""
        match effect:
            case Checksum():
                self._hash_state(effect.frame)
            case ImportState():
                if not self._states:
                    self._begin_at(effect.frame)
                return self._exchange.import_state(effect)
            case ExportState():
                self._exchange.export_state(effect)
            case Examine():
                self._exchange.examine(effect)
            case CompareState():
                self._exchange.compare(effect)
            case _:
                assert_never(effect)
        return False

    def _save_state(self, frame: int) -> None:
        if frame >= self._oldest_state:
            self._states[frame] = self.game.save()
        # The examination of a desync may start from the first state, which is not hashed.
        if frame == 0:
            self._exchange.keep(0, self._states[0])
        self.session.state_saved(frame, over=self.game.over)

    def _hash_state(self, frame: int) -> None:
        started = self._clock()
        saved = self._states[frame]
        checksum = self.game.checksum(saved)
        self._exchange.keep(frame, saved)
        self._other_seconds += self._clock() - started
        self.session.checksum_computed(frame, checksum)
        self.recorder.add_checksum(frame, checksum)
        self.last_checksum = (frame, checksum)

    def _step_again(self, effect: StepAgain) -> None:
        game, rows, states = self.game, self._rows, self._states
        state_saved = self.session.state_saved
        frame, oldest = effect.frame, self._oldest_state
        for inputs in effect.inputs:
            rows[frame % _ROWS] = game.step(inputs)
            frame += 1
            # After a resync, the re-simulation may begin before the oldest state that is kept.
            if frame >= oldest:
                states[frame] = game.save()
            state_saved(frame, game.over)

    def _begin_at(self, frame: int) -> None:
        """Start to save and record at `frame`, because an earlier process of this peer recorded the rest."""
        self._oldest_state = frame
        self.recorder.begin_at(frame)

    def _forget_states(self, confirmed: int) -> None:
        """Discard states that neither a rollback nor a checksum can need again."""
        keep_from = confirmed - 1
        while self._oldest_state < keep_from:
            self._states.pop(self._oldest_state, None)
            self._oldest_state += 1
