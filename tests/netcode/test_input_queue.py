import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coplay.errors import SessionMisuseError
from coplay.netcode.input_queue import NO_FRAME, RING, InputQueue

A, B, C = b"a", b"b", b"c"


def queue(**arguments: object) -> InputQueue:
    return InputQueue(0, b"-", **arguments)  # type: ignore[arg-type]


def test_input_after_a_gap_is_rejected() -> None:
    inputs = queue()
    inputs.receive(0, [A], RING)
    assert inputs.receive(3, [B], RING) == NO_FRAME
    assert inputs.last == 0


def test_duplicate_input_is_rejected() -> None:
    inputs = queue()
    inputs.receive(0, [A], RING)
    inputs.receive(0, [B], RING)
    assert inputs.last == 0
    assert inputs.input_at(0) == A


def test_ring_wraps_after_128_inputs() -> None:
    inputs = queue()
    for frame in range(300):
        inputs.receive(frame, [bytes((frame % 256,))], frame + 1)
    assert inputs.last == 299
    assert [inputs.input_at(frame) for frame in range(172, 300)] == inputs.inputs_from(172)


def test_inputs_beyond_the_limit_are_ignored() -> None:
    inputs = queue()
    inputs.receive(0, [A, B, C], 2)
    assert inputs.last == 1
    inputs.receive(0, [A, B, C], 3)
    assert inputs.last == 2


def test_wrong_prediction_gives_the_exact_first_frame() -> None:
    inputs = queue()
    inputs.receive(0, [A], RING)
    for frame in range(1, 6):
        assert inputs.predict(frame) == A
    assert inputs.receive(1, [A, A, B, B, C], RING) == 3


def test_right_prediction_gives_no_frame() -> None:
    inputs = queue()
    inputs.receive(0, [A], RING)
    inputs.predict(1)
    assert inputs.receive(1, [A, B], RING) == NO_FRAME


def test_input_that_was_never_predicted_causes_no_rollback() -> None:
    assert queue().receive(0, [A, B, C], RING) == NO_FRAME


def test_prediction_is_made_once_and_reused() -> None:
    calls = []

    def predictor(player: int, frame: int, last: bytes) -> bytes:
        calls.append((player, frame, last))
        return bytes((frame,))

    inputs = queue(prediction=predictor)
    assert inputs.predict(0) == inputs.predict(0) == b"\0"
    inputs.receive(0, [b"\0"], RING)
    assert inputs.predict(1) == b"\1"
    assert calls == [(0, 0, b"-"), (0, 1, b"\0")]


def test_prediction_after_a_wrong_one_is_made_again() -> None:
    inputs = queue()
    inputs.predict(0)
    assert inputs.predict(1) == b"-"
    assert inputs.receive(0, [A], RING) == 0
    assert inputs.predict(1) == A


def test_prediction_of_a_wrong_length_raises() -> None:
    with pytest.raises(SessionMisuseError, match="2 bytes"):
        queue(prediction=lambda _player, _frame, _last: b"xx").predict(0)


def test_raised_delay_fills_the_gap_with_the_last_input() -> None:
    inputs = queue()
    inputs.add_local(0, A)
    inputs.add_local(4, B)
    assert inputs.inputs_from(0) == [A, A, A, A, B]


def test_lowered_delay_drops_what_overlaps() -> None:
    inputs = queue()
    inputs.add_local(3, A)
    inputs.add_local(2, B)
    inputs.add_local(4, C)
    assert inputs.inputs_from(0) == [b"-", b"-", b"-", A, C]


@settings(deadline=None)
@given(
    truth=st.lists(st.sampled_from([A, B]), min_size=1, max_size=60),
    steps=st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(0, 12)), max_size=40),
)
def test_first_wrong_frame_is_what_a_plain_comparison_finds(
    truth: list[bytes], steps: list[tuple[int, int, int]]
) -> None:
    inputs, used, stepped = queue(), {}, 0
    for ahead, back, length in steps:
        for _ in range(ahead):
            if stepped < len(truth):
                used[stepped] = (
                    inputs.input_at(stepped) if stepped <= inputs.last else inputs.predict(stepped)
                )
                stepped += 1
        first = max(0, inputs.last + 1 - back)
        wrong = inputs.receive(first, truth[first : first + length], RING)
        known = [frame for frame in range(min(stepped, inputs.last + 1)) if used[frame] != truth[frame]]
        assert wrong == (known[0] if known else NO_FRAME)
        if wrong != NO_FRAME:
            for frame in range(wrong, stepped):
                used[frame] = truth[frame] if frame <= inputs.last else inputs.predict(frame)
