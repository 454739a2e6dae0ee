"""The frames of one game at one peer: stepped with predictions, rolled back, and published once confirmed.

The states live with the caller. The timeline knows only up to which frame they were saved with inputs that
still hold (`saved`), so that it never publishes a frame whose state is about to be replaced.
"""

from collections.abc import Callable
from typing import Literal

from coplay.errors import SessionMisuseError
from coplay.netcode.config import SessionConfig
from coplay.netcode.effects import Checksum, Confirm, Effect, LoadState, SaveState, Step, StepAgain
from coplay.netcode.history.checksums import ChecksumExchange
from coplay.netcode.history.confirmed_log import ConfirmedLog
from coplay.netcode.history.rejoin_snapshot import RejoinSnapshot
from coplay.netcode.input_queue import MASK, NO_FRAME, RING, InputQueue

GameEnd = Literal["over", "stopped"]
"""Why a game ends: the simulation ended it, or a leave or a desync did."""

_MAX_CORRECTION = 255
"""`Confirm.corrected_after` stores one byte per player."""


def _predictors(config: SessionConfig) -> list[Callable[[int, int, bytes], bytes] | None]:
    if config.prediction == "repeat":
        return [None] * len(config.owners)
    if config.prediction == "default":
        return [lambda _player, _frame, _last, value=value: value for value in config.default_inputs]  # type: ignore[misc]
    return [config.prediction] * len(config.owners)


class Timeline:
    """The frames of one game, and the effects that step, re-simulate and confirm them.

    Args:
        config: The rules of the game.
        effects: List to which effects are appended, in order.
    """

    def __init__(self, config: SessionConfig, effects: list[Effect]) -> None:
        self._effects = effects
        self._interval = config.checksum_interval
        self._no_correction = bytes(len(config.owners))
        self.queues = [
            InputQueue(player, default, predictor)
            for player, (default, predictor) in enumerate(
                zip(config.default_inputs, _predictors(config), strict=True)
            )
        ]
        self.frame = 0
        """Frames stepped; the next one has this number."""
        self.published = -1
        """The last frame given to `Confirm`."""
        self.saved = -1
        """The last frame up to which the caller has saved all states with inputs that still hold."""
        self.first_incorrect = NO_FRAME
        """The first stepped frame with a wrong prediction, or `NO_FRAME`."""
        self.log = ConfirmedLog()
        self.checksums = ChecksumExchange()
        self.rollbacks = 0
        self.max_rollback_frames = 0
        self.resimulated_frames = 0
        self._save_missed = False
        self._width = sum(queue.size for queue in self.queues)
        # Rings, indexed by `frame & MASK`: `RunningPhase` limits how far the game runs ahead of the frames
        # that all peers have acknowledged.
        self._over = bytearray(RING)
        self._stepped: list[tuple[bytes, ...]] = [()] * RING
        self._predicted = [0] * RING
        self._corrected = [self._no_correction] * RING

    def start(self) -> None:
        """Save the state before frame 0."""
        self._effects.append(SaveState(0))

    def check_saved(self) -> bool:
        """Return True if the caller has saved all states; False is possible before frame 0 only.

        Raises:
            SessionMisuseError: The caller did not perform the effects of an earlier tick.
        """
        if self.saved == self.frame:
            return True
        if self.frame or self._save_missed:
            raise SessionMisuseError(
                f"The state before frame {self.saved + 1} was never saved.",
                "Perform effects() after every tick and answer each SaveState with state_saved.",
            )
        # Frame 0 may be due in the call that ends the hello phase, before the caller could save its state.
        self._save_missed = True
        return False

    def state_saved(self, frame: int, over: bool) -> None:
        """Process the answer to `SaveState`.

        Raises:
            SessionMisuseError: Another state was to be saved next.
        """
        if frame != self.saved + 1 or frame > self.frame:
            raise SessionMisuseError(
                f"state_saved({frame}) came when the state before frame {self.saved + 1} was due.",
                "Perform effects in order and answer each SaveState once.",
            )
        self.saved = frame
        self._over[frame & MASK] = over

    @property
    def received_frame(self) -> int:
        """The last frame for which all inputs have arrived; it may lie ahead of the current one."""
        frame = NO_FRAME
        for queue in self.queues:
            if queue.last < frame:
                frame = queue.last
        return frame

    @property
    def confirmed(self) -> int:
        """The last stepped frame that cannot change again."""
        return min(self.received_frame, self.first_incorrect - 1, self.frame - 1)

    def add_inputs(self, player: int, first: int, values: list[bytes]) -> None:
        """Add inputs of a player that came from another peer.

        Args:
            player: The player's id.
            first: The frame of the first value.
            values: Inputs of successive frames.
        """
        # Inputs beyond that limit would overwrite those of frames that are not published yet.
        self.note_incorrect(self.queues[player].receive(first, values, self.published + 1 + RING))

    def note_incorrect(self, frame: int) -> None:
        """Schedule a rollback to `frame`, unless an earlier one is scheduled; `NO_FRAME` changes nothing."""
        if frame < self.first_incorrect:
            self.first_incorrect = frame

    def advance(self) -> None:
        """Step the next frame with known or predicted inputs."""
        frame = self.frame
        inputs, predicted = self._inputs(frame)
        slot = frame & MASK
        self._stepped[slot] = inputs
        self._predicted[slot] = predicted
        self._corrected[slot] = self._no_correction
        self.frame = frame + 1
        self._effects.append(Step(frame, inputs, predicted))
        self._effects.append(SaveState(frame + 1))

    def roll_back(self) -> None:
        """Load the state before the first incorrect frame and re-simulate up to the current one."""
        first, frame = self.first_incorrect, self.frame
        self.first_incorrect = NO_FRAME
        self._effects.append(LoadState(first))
        self._resimulate(first)
        # The later states belong to wrong inputs until the re-simulation has replaced them.
        self.saved = first
        depth = frame - first
        self.rollbacks += 1
        self.resimulated_frames += depth
        if depth > self.max_rollback_frames:
            self.max_rollback_frames = depth

    def publish(self, acknowledged: int, final_frame: int) -> GameEnd | None:
        """Confirm the frames that can never change again.

        Args:
            acknowledged: The last frame for which all running peers hold all inputs.
            final_frame: The last frame of the game if something other than the simulation ends it.

        Returns:
            `over` if the simulation ended the game, `stopped` if `final_frame` did, None while it goes on.
        """
        frame = self.published + 1
        # Whether a frame ends the game is known once the state after it is saved, so publish no further.
        last = min(acknowledged, self.saved - 1, self.first_incorrect - 1, final_frame)
        while True:
            # Checked before the bound: frames that were stepped after the end are not part of the game.
            if frame <= self.saved and self._over[frame & MASK]:
                return "over"
            if frame > last:
                break
            slot = frame & MASK
            inputs = self._stepped[slot]
            self._effects.append(Confirm(frame, inputs, self._predicted[slot], self._corrected[slot]))
            self.log.add_inputs(inputs)
            self.published = frame
            frame += 1
            if frame % self._interval == 0:
                self.request_checksum(frame)
        return "stopped" if frame > final_frame and frame <= self.saved else None

    def finish(self, *, stopped: bool) -> None:
        """End the game with the last published frame.

        Args:
            stopped: True if a leave or a desync ended the game, so that later frames are undone. After an end
                by the simulation, later frames change nothing.
        """
        frame = self.published + 1
        if stopped and self.frame > frame:
            self._effects.append(LoadState(frame))
        self.frame = self.saved = frame
        self.first_incorrect = NO_FRAME
        if frame % self._interval:
            self.request_checksum(frame)

    def restore(self, snapshot: RejoinSnapshot, over: bool) -> None:
        """Restore the timeline from the snapshot of another peer, to rejoin a game.

        Args:
            snapshot: The decoded snapshot.
            over: True if the game has ended in its state.
        """
        frame = snapshot.frame
        self.frame = frame
        self.published, self.saved = frame - 1, frame - 1
        self.first_incorrect = NO_FRAME
        self._over[frame & MASK] = over
        self.log.inputs[:] = snapshot.log
        self.log.checksums[:] = snapshot.checksums
        self.checksums.restore(snapshot.checksums)
        # The last logged input is included because predictions repeat it.
        recent = self.logged_inputs(max(0, frame - 1), frame)
        for queue, ahead in zip(self.queues, snapshot.ahead, strict=True):
            values = [inputs[queue.player] for inputs in recent] + ahead
            queue.restore(frame - 1 + len(ahead), values)
        for cut in snapshot.cuts:
            if cut.fate == "default":
                self.queues[cut.player].fill_with_default()
                self.queues[cut.player].cut = cut.last_frame

    @property
    def oldest_complete_frame(self) -> int:
        """The first frame for which the queues still hold all inputs."""
        return max(0, max(queue.last_given for queue in self.queues) - RING + 1)

    def adopt_state(self, frame: int, over: bool) -> None:
        """Re-simulate up to the current frame from another peer's state, which is saved for `frame`."""
        self._over[frame & MASK] = over
        self.first_incorrect = NO_FRAME
        self._resimulate(frame)
        self.saved = frame

    def _resimulate(self, first: int) -> None:
        """Re-simulate the frames from `first` to the current one with the inputs that are known by now."""
        frame, stepped = self.frame, self._stepped
        all_inputs: list[tuple[bytes, ...]] = []
        all_predicted: list[int] = []
        for earlier in range(first, frame):
            inputs, predicted = self._inputs(earlier)
            slot = earlier & MASK
            shown = stepped[slot]
            if inputs != shown:
                self._corrected[slot] = self._correction(slot, shown, inputs, frame - earlier)
                stepped[slot] = inputs
            all_inputs.append(inputs)
            all_predicted.append(predicted)
        if all_inputs:
            self._effects.append(StepAgain(first, tuple(all_inputs), tuple(all_predicted)))

    def logged_inputs(self, first: int, end: int) -> tuple[tuple[bytes, ...], ...]:
        """Return the inputs of published frames.

        Args:
            first: The first frame.
            end: The frame after the last one, at most `published` + 1.

        Returns:
            Per frame, one encoded action per player.
        """
        log, at = self.log.inputs, first * self._width
        frames = []
        for _ in range(first, end):
            inputs = []
            for queue in self.queues:
                inputs.append(bytes(log[at : at + queue.size]))
                at += queue.size
            frames.append(tuple(inputs))
        return tuple(frames)

    def request_checksum(self, frame: int) -> None:
        """Request the checksum of the confirmed state before `frame`, unless the log has it."""
        if self.log.checksums and self.log.checksums[-1][0] >= frame:
            return
        self.checksums.request(frame)
        self._effects.append(Checksum(frame))

    def _inputs(self, frame: int) -> tuple[tuple[bytes, ...], int]:
        predicted = 0
        inputs = []
        for queue in self.queues:
            if frame <= queue.last:
                inputs.append(queue.input_at(frame))
            else:
                inputs.append(queue.predict(frame))
                predicted |= queue.bit
        return tuple(inputs), predicted

    def _correction(
        self, slot: int, shown: tuple[bytes, ...], inputs: tuple[bytes, ...], after: int
    ) -> bytes:
        """Return `Confirm.corrected_after` of a frame whose inputs were corrected `after` frames later."""
        corrected = bytearray(self._corrected[slot])
        after = after if after < _MAX_CORRECTION else _MAX_CORRECTION
        for player, value in enumerate(inputs):
            if value != shown[player]:
                corrected[player] = after
        return bytes(corrected)
