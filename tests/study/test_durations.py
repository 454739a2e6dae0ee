from datetime import timedelta

import pytest

from coplay.errors import StudyError
from coplay.study.durations import seconds


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("3 min", 180),
        ("90 s", 90),
        ("1.5h", 5400),
        ("500 ms", 0.5),
        (2, 2),
        (0.5, 0.5),
        (timedelta(minutes=1), 60),
    ],
)
def test_written_duration_is_read_as_seconds(written: object, expected: float) -> None:
    assert seconds(written) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize("written", ["3", "soon", "-1 s", -1, True, None, "25 h", float("nan")])
def test_unreadable_duration_is_refused(written: object) -> None:
    with pytest.raises(StudyError):
        seconds(written)  # type: ignore[arg-type]
