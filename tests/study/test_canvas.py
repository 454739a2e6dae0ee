"""The display list's layout, its string table, and what a study author gets wrong."""

import timeit
from array import array

import numpy as np
import pytest

from coplay.errors import StudyError
from coplay.study.canvas import Canvas


def floats(*numbers: float) -> list[float]:
    return list(array("f", numbers))


def test_every_operation_has_its_layout() -> None:
    canvas = Canvas(100, 50)
    canvas.begin()
    canvas.clear("navy")
    canvas.rect(1, 2, 3, 4, "red", radius=5, id="box")
    canvas.circle(6, 7, 8, "red")
    canvas.line(1, 2, 3, 4, "red", 9)
    canvas.polygon([(0, 1), (2, 3), (4, 5)], "navy", id="hat")
    canvas.text(10, 11, "hello", 12, "red", align="right", bold=True)
    canvas.sound("hit")
    assert canvas.new_strings() == ["navy", "box", "red", "hat", "hello", "hit"]
    navy, box, red, hat, hello, hit = range(6)
    assert list(canvas.ops()) == floats(
        *(0, -1, navy),
        *(1, box, 1, 2, 3, 4, 5, red),
        *(2, -1, 6, 7, 8, red),
        *(3, -1, 1, 2, 3, 4, 9, red),
        *(4, hat, 3, navy, 0, 1, 2, 3, 4, 5),
        *(5, -1, 10, 11, 12, 2, 1, red, hello),
        *(7, -1, hit),
    )


def test_ops_are_thirty_two_bit_floats() -> None:
    canvas = Canvas()
    canvas.circle(0.1, 0, 1, "red")
    assert canvas.ops().typecode == "f"
    assert canvas.ops().itemsize == 4


def test_strings_of_earlier_frames_keep_their_index() -> None:
    canvas = Canvas()
    canvas.clear("red")
    assert canvas.new_strings() == ["red"]
    canvas.begin()
    canvas.clear("blue")
    canvas.clear("red")
    assert canvas.new_strings() == ["blue"]
    assert list(canvas.ops()) == [0, -1, 1, 0, -1, 0]
    assert canvas.new_strings() == []


def test_begin_empties_the_frame_and_keeps_the_view() -> None:
    canvas = Canvas()
    assert canvas.size == (600, 400)
    canvas.view(800, 450)
    canvas.image(0, 0, 2, 1, np.zeros((1, 2, 3), np.uint8))
    handed_over = canvas.ops()
    with memoryview(handed_over):
        canvas.begin()
        canvas.clear("red")
    assert len(handed_over) == 6
    assert canvas.size == (800, 450)
    assert canvas.pixels is None


def test_image_gives_rows_of_rgb() -> None:
    canvas = Canvas()
    picture = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    canvas.image(1, 2, 30, 20, picture[:, ::-1])
    assert canvas.pixels == picture[:, ::-1].tobytes()
    assert canvas.pixels_shape == (2, 3)
    assert list(canvas.ops()) == [6, -1, 1, 2, 30, 20]


@pytest.mark.parametrize("wrong", [np.zeros((2, 3)), np.zeros((2, 3, 4), np.uint8), np.zeros((2, 3, 3))])
def test_image_of_another_shape_or_type_is_refused(wrong: np.ndarray) -> None:
    with pytest.raises(StudyError, match=r"canvas\.image"):
        Canvas().image(0, 0, 1, 1, wrong)


def test_numbers_from_numpy_are_numbers() -> None:
    canvas = Canvas()
    canvas.circle(np.float64(1.5), np.float32(2), np.int64(3), "red")  # type: ignore[arg-type]
    assert list(canvas.ops()) == [2, -1, 1.5, 2, 3, 0]


def test_text_that_is_no_string_says_what_to_do() -> None:
    with pytest.raises(StudyError) as caught:
        Canvas().text(0, 0, 7, 12, "red")  # type: ignore[arg-type]
    assert "str(value)" in caught.value.hint


def sounds(canvas: Canvas, count: int) -> int:
    canvas.begin()
    canvas.sound("hit", count=count)
    return len(canvas.ops()) // 3


def test_counted_sound_plays_once_per_happening() -> None:
    canvas = Canvas()
    assert [sounds(canvas, count) for count in (0, 1, 1, 2, 2)] == [0, 1, 0, 1, 0]


def test_counted_sound_is_silent_when_a_correction_takes_back_and_repeats_it() -> None:
    canvas = Canvas()
    assert [sounds(canvas, count) for count in (4, 5, 4, 5, 6)] == [1, 1, 0, 0, 1]


def test_counted_sound_of_a_frame_that_nobody_took_is_still_to_come() -> None:
    canvas = Canvas()
    canvas.begin()
    canvas.sound("hit", count=1)
    assert sounds(canvas, 1) == 1


def test_counted_sound_restarts_at_zero() -> None:
    canvas = Canvas()
    assert [sounds(canvas, count) for count in (3, 0, 1)] == [1, 0, 1]


def test_fifty_operations_take_well_under_a_tenth_of_a_millisecond() -> None:
    canvas = Canvas()

    def frame() -> None:
        canvas.begin()
        for _ in range(50):
            canvas.circle(1.0, 2.0, 3.0, "red", id="ball")
        canvas.ops()

    seconds = min(timeit.repeat(frame, number=20, repeat=5)) / 20
    assert seconds < 0.0005  # 20 µs where this was written; a loaded machine gets slack
