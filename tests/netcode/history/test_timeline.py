import pytest
from tests.netcode.simulation import configure

from coplay.errors import SessionMisuseError
from coplay.netcode import Checksum, Confirm, Effect, LoadState, SaveState, Step, StepAgain
from coplay.netcode.history.timeline import Timeline
from coplay.netcode.input_queue import NO_FRAME

FOREVER = NO_FRAME


class Caller:
    """Peer 0 of two players; answers every save."""

    def __init__(self, **changes: object) -> None:
        self.effects: list[Effect] = []
        self.timeline = Timeline(configure(0, (0, 1), **changes), self.effects)
        self.timeline.start()
        self.over_at = NO_FRAME
        self.perform()

    def perform(self) -> list[Effect]:
        done = self.effects.copy()
        self.effects.clear()
        for effect in done:
            if isinstance(effect, SaveState):
                self._saved(effect.frame)
            elif isinstance(effect, StepAgain):
                for frame, _ in enumerate(effect.inputs, start=effect.frame + 1):
                    self._saved(frame)
        return done

    def _saved(self, frame: int) -> None:
        self.timeline.state_saved(frame, frame >= self.over_at)

    def advance(self, frames: int) -> list[Effect]:
        for _ in range(frames):
            self.timeline.queues[0].add_local(self.timeline.frame, b"a")
            self.timeline.advance()
        return self.perform()


def test_frame_is_stepped_then_saved() -> None:
    assert Caller().advance(1) == [Step(0, (b"a", b"\0"), 0b10), SaveState(1)]


def test_roll_back_loads_steps_and_saves_to_the_current_frame() -> None:
    caller = Caller()
    caller.advance(3)
    caller.timeline.add_inputs(1, 0, [b"\0", b"x"])
    assert caller.timeline.first_incorrect == 1
    caller.timeline.roll_back()
    assert caller.perform() == [
        LoadState(1),
        StepAgain(1, ((b"a", b"x"), (b"a", b"x")), (0, 0b10)),
    ]
    assert (caller.timeline.rollbacks, caller.timeline.resimulated_frames) == (1, 2)


def test_frame_is_published_only_with_its_corrected_state_saved() -> None:
    caller = Caller()
    caller.advance(3)
    caller.timeline.add_inputs(1, 0, [b"\0", b"x", b"x"])
    caller.timeline.publish(2, FOREVER)
    assert caller.perform() == [Confirm(0, (b"a", b"\0"), 0b10, b"\0\0")]
    caller.timeline.roll_back()
    caller.timeline.publish(2, FOREVER)
    assert not any(isinstance(effect, Confirm) for effect in caller.perform())
    caller.timeline.publish(2, FOREVER)
    assert caller.perform() == [
        Confirm(1, (b"a", b"x"), 0b10, b"\0\2"),
        Confirm(2, (b"a", b"x"), 0b10, b"\0\1"),
    ]


def test_published_frame_requests_due_checksums() -> None:
    caller = Caller(checksum_interval=2)
    caller.advance(5)
    caller.timeline.add_inputs(1, 0, [b"\0"] * 5)
    caller.timeline.publish(4, FOREVER)
    asked = [effect for effect in caller.perform() if isinstance(effect, Checksum)]
    assert asked == [Checksum(2), Checksum(4)]


def test_confirmed_state_that_is_over_ends_the_game_before_its_frame() -> None:
    caller = Caller()
    caller.over_at = 2
    caller.advance(4)
    caller.timeline.add_inputs(1, 0, [b"\0"] * 4)
    assert caller.timeline.publish(3, FOREVER) == "over"
    assert caller.timeline.published == 1
    caller.timeline.finish(stopped=False)
    assert caller.timeline.frame == 2
    assert not any(isinstance(effect, LoadState) for effect in caller.perform())


def test_end_that_follows_from_a_wrong_prediction_is_undone() -> None:
    caller = Caller()
    caller.over_at = 2
    caller.advance(3)
    caller.over_at = NO_FRAME
    caller.timeline.add_inputs(1, 0, [b"\0", b"x", b"x"])
    assert caller.timeline.publish(2, FOREVER) is None
    caller.timeline.roll_back()
    caller.perform()
    assert caller.timeline.publish(2, FOREVER) is None
    assert caller.timeline.published == 2


def test_stop_loads_the_state_after_the_last_frame() -> None:
    caller = Caller()
    caller.advance(4)
    caller.timeline.add_inputs(1, 0, [b"\0"] * 2)
    assert caller.timeline.publish(1, 1) == "stopped"
    caller.perform()
    caller.timeline.finish(stopped=True)
    assert caller.perform() == [LoadState(2), Checksum(2)]


def test_confirmed_frame_excludes_frames_that_will_be_rolled_back() -> None:
    caller = Caller()
    caller.advance(4)
    caller.timeline.add_inputs(1, 0, [b"\0", b"x", b"x"])
    assert caller.timeline.received_frame == 2
    assert caller.timeline.confirmed == 0
    caller.timeline.roll_back()
    assert caller.timeline.confirmed == 2


def test_adopted_state_is_resimulated_to_the_current_frame() -> None:
    caller = Caller()
    caller.advance(3)
    caller.timeline.adopt_state(1, over=False)
    assert caller.perform() == [StepAgain(1, ((b"a", b"\0"),) * 2, (0b10, 0b10))]
    caller.timeline.adopt_state(3, over=False)
    assert caller.perform() == [], "there is nothing to step from the current frame"
    assert (caller.timeline.saved, caller.timeline.first_incorrect) == (3, NO_FRAME)


def test_state_saved_out_of_order_raises() -> None:
    caller = Caller()
    with pytest.raises(SessionMisuseError, match="frame 1 was due"):
        caller.timeline.state_saved(1, False)
