"""The frames of one game at one peer: stepped on guesses, corrected, and given out once certain.

The caller's states live outside. The timeline only knows which of them were saved from inputs that still
stand (`saved`), so it never confirms a frame whose state is about to be replaced.
"""

from collections.abc import Callable

from coplay.errors import SessionMisuseError
from coplay.netcode.config import SessionConfig
from coplay.netcode.effects import Checksum, Confirm, Effect, LoadState, SaveState, Step, StepAgain
from coplay.netcode.history.agreement import Chain, Checksums
from coplay.netcode.history.rejoin_snapshot import RejoinSnapshot
from coplay.netcode.input_queue import MASK, NO_FRAME, RING, InputQueue

_MAX_CORRECTION = 255


def _predictors(config: SessionConfig) -> list[Callable[[int, int, bytes], bytes] | None]:
    if config.prediction == "repeat":
        return [None] * len(config.owners)
    if config.prediction == "default":
        return [lambda _player, _frame, _last, value=value: value for value in config.default_inputs]  # type: ignore[misc]
    return [config.prediction] * len(config.owners)


class Timeline:
    """Steps, rolls back and confirms.

    Args:
        config: The session's rules.
        effects: Where effects are put, in order.
    """

    def __init__(self, config: SessionConfig, effects: list[Effect]) -> None:
        self._effects = effects
        self._interval = config.checksum_interval
        self._none_corrected = bytes(len(config.owners))
        self.queues = [
            InputQueue(player, default, predictor)
            for player, (default, predictor) in enumerate(
                zip(config.default_inputs, _predictors(config), strict=True)
            )
        ]
        self.frame = 0
        """Frames stepped; the next one has this number."""
        self.published = -1
        """The last frame given out by `Confirm`."""
        self.saved = -1
        """The caller has answered for all states up to this one."""
        self.first_wrong = NO_FRAME
        """The first stepped frame whose prediction was wrong."""
        self.chain = Chain()
        self.checksums = Checksums()
        self.rollbacks = 0
        self.max_rollback_frames = 0
        self.resimulated_frames = 0
        self._asked_twice = False
        self._width = sum(queue.size for queue in self.queues)
        self._over = bytearray(RING)
        self._stepped: list[tuple[bytes, ...]] = [()] * RING
        self._predicted = [0] * RING
        self._corrected = [self._none_corrected] * RING

    def start(self) -> None:
        """Have the state before frame 0 saved."""
        self._effects.append(SaveState(0))

    def check_saved(self) -> bool:
        """Return whether all states that were asked for are saved; False only before the very first.

        Raises:
            SessionMisuseError: The caller did not perform the effects of an earlier tick.
        """
        if self.saved == self.frame:
            return True
        if self.frame or self._asked_twice:
            raise SessionMisuseError(
                f"The state before frame {self.saved + 1} was never saved.",
                "Perform effects() after every tick and answer each SaveState with state_saved.",
            )
        # The hello may complete and the first frame be due before the caller had a chance to save.
        self._asked_twice = True
        return False

    def state_saved(self, frame: int, over: bool) -> None:
        """Take the caller's answer to `SaveState`.

        Raises:
            SessionMisuseError: It is not the next state that was asked for.
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
        """The last frame whose every input is here; may lie ahead of the current one."""
        frame = NO_FRAME
        for queue in self.queues:
            if queue.last < frame:
                frame = queue.last
        return frame

    @property
    def confirmed(self) -> int:
        """The last stepped frame that cannot change again."""
        return min(self.received_frame, self.first_wrong - 1, self.frame - 1)

    def received(self, player: int, first: int, values: list[bytes]) -> None:
        """Take inputs of a player from another peer."""
        self.mark_wrong(self.queues[player].receive(first, values, self.published + 1 + RING))

    def mark_wrong(self, frame: int) -> None:
        """Note that a stepped frame had another input, if `frame` is one."""
        if frame < self.first_wrong:
            self.first_wrong = frame

    def advance(self) -> None:
        """Step the next frame, with what is known or guessed."""
        frame = self.frame
        inputs, predicted = self._inputs(frame)
        slot = frame & MASK
        self._stepped[slot] = inputs
        self._predicted[slot] = predicted
        self._corrected[slot] = self._none_corrected
        self.frame = frame + 1
        self._effects.append(Step(frame, inputs, predicted))
        self._effects.append(SaveState(frame + 1))

    def roll_back(self) -> None:
        """Go back to the first wrong frame and step again to the current one."""
        first, frame = self.first_wrong, self.frame
        self.first_wrong = NO_FRAME
        self._effects.append(LoadState(first))
        self._step_again(first)
        self.saved = first
        depth = frame - first
        self.rollbacks += 1
        self.resimulated_frames += depth
        if depth > self.max_rollback_frames:
            self.max_rollback_frames = depth

    def publish(self, agreed: int, stop_at: int) -> str:
        """Give out what is certain.

        Args:
            agreed: The last frame whose every input every running peer holds.
            stop_at: The last frame of the game if something other than the simulation ends it.

        Returns:
            Empty while the game goes on, `over` when the simulation ended it, `stopped` when `stop_at` did.
        """
        frame = self.published + 1
        last = min(agreed, self.saved - 1, self.first_wrong - 1, stop_at)
        while True:
            if frame <= self.saved and self._over[frame & MASK]:
                return "over"
            if frame > last:
                break
            slot = frame & MASK
            inputs = self._stepped[slot]
            self._effects.append(Confirm(frame, inputs, self._predicted[slot], self._corrected[slot]))
            self.chain.add_inputs(inputs)
            self.published = frame
            frame += 1
            if frame % self._interval == 0:
                self.ask_checksum(frame)
        return "stopped" if frame > stop_at and frame <= self.saved else ""

    def finish(self, *, stopped: bool) -> None:
        """End after the last published frame; nothing will be stepped any more."""
        frame = self.published + 1
        if stopped and self.frame > frame:
            self._effects.append(LoadState(frame))
        self.frame = self.saved = frame
        self.first_wrong = NO_FRAME
        if frame % self._interval:
            self.ask_checksum(frame)

    def recall(self, memory: RejoinSnapshot, over: bool) -> None:
        """Begin with a log that was not played here, and the state after it.

        Args:
            memory: What another peer told.
            over: Whether the game has ended in that state.
        """
        frame = memory.frame
        self.frame = frame
        self.published, self.saved = frame - 1, frame - 1
        self.first_wrong = NO_FRAME
        self._over[frame & MASK] = over
        self.chain.inputs[:] = memory.log
        self.chain.checksums[:] = memory.checksums
        self.checksums.restore(memory.checksums)
        recent = self.inputs_of_log(max(0, frame - 1), frame)
        for queue, ahead in zip(self.queues, memory.ahead, strict=True):
            values = [inputs[queue.player] for inputs in recent] + ahead
            queue.restore(frame - 1 + len(ahead), values)
        for cut in memory.cuts:
            if cut.fate == "default":
                self.queues[cut.player].close()
                self.queues[cut.player].cut = cut.last_frame

    @property
    def oldest_known(self) -> int:
        """The first frame whose every input is still here."""
        return max(0, max(queue.held for queue in self.queues) - RING + 1)

    def adopt(self, frame: int, over: bool) -> None:
        """Step again from `frame`, whose saved state is another peer's now, to the current one."""
        self._over[frame & MASK] = over
        self.first_wrong = NO_FRAME
        self._step_again(frame)
        self.saved = frame

    def _step_again(self, first: int) -> None:
        """Step the frames from `first` to the current one with what is known by now."""
        frame, stepped = self.frame, self._stepped
        given: list[tuple[bytes, ...]] = []
        guessed: list[int] = []
        for again in range(first, frame):
            inputs, predicted = self._inputs(again)
            slot = again & MASK
            shown = stepped[slot]
            if inputs != shown:
                self._corrected[slot] = self._correction(slot, shown, inputs, frame - again)
                stepped[slot] = inputs
            given.append(inputs)
            guessed.append(predicted)
        if given:
            self._effects.append(StepAgain(first, tuple(given), tuple(guessed)))

    def inputs_of_log(self, first: int, end: int) -> tuple[tuple[bytes, ...], ...]:
        """Return all players' published inputs of the frames from `first` up to `end`, exclusive."""
        log, at = self.chain.inputs, first * self._width
        frames = []
        for _ in range(first, end):
            inputs = []
            for queue in self.queues:
                inputs.append(bytes(log[at : at + queue.size]))
                at += queue.size
            frames.append(tuple(inputs))
        return tuple(frames)

    def ask_checksum(self, frame: int) -> None:
        """Have the final state before `frame` hashed, unless the log has that."""
        if self.chain.checksums and self.chain.checksums[-1][0] >= frame:
            return
        self.checksums.ask(frame)
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
        corrected = bytearray(self._corrected[slot])
        after = after if after < _MAX_CORRECTION else _MAX_CORRECTION
        for player, value in enumerate(inputs):
            if value != shown[player]:
                corrected[player] = after
        return bytes(corrected)
