"""Plays one game in one peer: performs a session's effects, in order, on a simulation.

The driver owns no clock: every call carries `now`, in monotonic seconds. It draws nothing while frames are
re-simulated, only the state that a tick ends with.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, assert_never

from coplay.browser.controls import Controls
from coplay.browser.measuring.time_samples import TimeSamples
from coplay.browser.recorder import FrameRecorder
from coplay.browser.repairs import Repairs
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
_ROWS = 256  # frames whose step results are kept: more than the window and the delay together


class Host(Protocol):
    """What the driver needs of the process around it."""

    def send(self, peer: int, data: bytes) -> None:
        """Give one datagram to the link to `peer`."""

    def happened(self, event: Event) -> None:
        """Take note of something the session reports."""


class Driver:
    """One peer's loop body.

    Args:
        game: The simulation, not yet started.
        session: The netcode of this peer, in its hello phase.
        recorder: Takes confirmed frames.
        controls: The hands of the seats that people of this peer play, by player.
        bots: The policies of the seats that this peer writes, or may have to, by player; called with the
            original environment and the player.
        host: Sends datagrams and hears events.
        clock: Monotonic seconds, for measuring work only; never reaches the simulation.
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
        # The session's calls alone: without the simulation, the links, the recorder and the bots.
        self.netcode_time = TimeSamples()
        # A frame that is stepped for the first time: the environment's step, and the snapshot taken with it.
        self.step_time = TimeSamples()
        self.draw_time = TimeSamples()
        self.controls = controls
        self.last_checksum: tuple[int, int] | None = None
        self._bots = bots
        self._host = host
        self._clock = original_of(clock)
        # A frame is confirmed only after its step was performed, so every row that is read was written.
        self._rows: list[FrameRow] = [None] * _ROWS  # type: ignore[list-item]
        self._states: dict[int, SavedGame] = {}
        self._oldest_state = 0
        self._repairs = Repairs(game, session, self._states)
        self._bots_frame = -1
        self._other_seconds = 0.0
        game.start()

    def tick(self, now: float, datagrams: Sequence[Datagram] = ()) -> tuple[bool, bool]:
        """Do all that is due at `now`.

        Args:
            now: Monotonic seconds.
            datagrams: What arrived since the last call: (peer, bytes, arrival in seconds of the same clock).

        Returns:
            Whether the current state changed, and whether a correction was among the changes.
        """
        clock, session = self._clock, self.session
        started = clock()
        self._other_seconds = 0.0
        for peer, data, arrived in datagrams:
            session.receive_datagram(peer, data, arrived)
        frame = session.current_frame
        for player, control in self.controls.items():
            session.add_local_input(player, control.action, now)
        if self._bots and frame != self._bots_frame and session.phase == "running":
            self._ask_bots(frame, now)
        session.tick(now)
        changed = corrected = False
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
        session, game, clock = self.session, self.game, self._clock
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
                    if effect.frame >= self._oldest_state:
                        self._states[effect.frame] = game.save()
                    if effect.frame == 0:
                        self._repairs.keep(0, self._states[0])
                    session.state_saved(effect.frame, over=game.over)
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
                case Checksum():
                    started = clock()
                    saved = self._states[effect.frame]
                    checksum = game.checksum(saved)
                    self._repairs.keep(effect.frame, saved)
                    self._other_seconds += clock() - started
                    session.checksum_computed(effect.frame, checksum)
                    self.recorder.add_checksum(effect.frame, checksum)
                    self.last_checksum = (effect.frame, checksum)
                case ExportState():
                    self._repairs.export_state(effect)
                case ImportState():
                    if not self._states:
                        self._begin_at(effect.frame)
                    changed = corrected = self._repairs.import_state(effect) or changed
                case Examine():
                    self._repairs.examine(effect)
                case CompareState():
                    self._repairs.compare(effect)
                case _:
                    assert_never(effect)
        return changed, corrected

    def _step_again(self, effect: StepAgain) -> None:
        game, rows, states = self.game, self._rows, self._states
        state_saved = self.session.state_saved
        frame, oldest = effect.frame, self._oldest_state
        for inputs in effect.inputs:
            rows[frame % _ROWS] = game.step(inputs)
            frame += 1
            if frame >= oldest:
                states[frame] = game.save()
            state_saved(frame, game.over)

    def _begin_at(self, frame: int) -> None:
        """An earlier process of this peer played the frames before this one."""
        self._oldest_state = frame
        self.recorder.begin_at(frame)

    def _forget_states(self, confirmed: int) -> None:
        """Drop states that neither a rollback nor a checksum can ask for again."""
        keep_from = confirmed - 1
        while self._oldest_state < keep_from:
            self._states.pop(self._oldest_state, None)
            self._oldest_state += 1
