import pytest

from coplay.errors import StudyError
from coplay.study import keys

DIAGONAL = keys.Keys(
    {("ArrowUp",): "up", ("ArrowLeft",): "left", ("ArrowUp", "ArrowLeft"): "both", "w": "w"}, noop="no"
)


def test_no_key_held_gives_noop() -> None:
    assert DIAGONAL.action([]) == "no"


def test_largest_combination_held_wins() -> None:
    assert DIAGONAL.action(["ArrowLeft", "x", "ArrowUp"]) == "both"


def test_of_equal_combinations_the_most_recently_pressed_wins() -> None:
    pair = keys.Keys({"ArrowLeft": 1, "ArrowRight": 2}, noop=0)
    assert pair.action(["ArrowLeft", "ArrowRight"]) == 2
    assert pair.action(["ArrowRight", "ArrowLeft"]) == 1


def test_shifted_letter_means_the_same_key() -> None:
    assert DIAGONAL.action(["W"]) == "w"


def test_names_are_all_keys_once() -> None:
    assert DIAGONAL.names == ("ArrowLeft", "ArrowUp", "w")


@pytest.mark.parametrize(("name", "meant"), [("Space", "' '"), ("up", "ArrowUp"), ("arrowleft", "ArrowLeft")])
def test_name_no_browser_uses_is_refused_with_the_right_one(name: str, meant: str) -> None:
    with pytest.raises(StudyError) as refused:
        keys.Keys({name: 1})
    assert meant in refused.value.hint


def test_empty_combination_is_refused() -> None:
    with pytest.raises(StudyError):
        keys.Keys({(): 1})


def test_arrows_given_one_direction_mean_nothing_elsewhere() -> None:
    assert keys.arrows(up=5).mapping == {("ArrowUp",): 5}


def test_arrows_given_nothing_are_numbered() -> None:
    assert keys.arrows(noop=6).action(["ArrowRight"]) == 3


def test_unknown_mode_is_refused() -> None:
    with pytest.raises(StudyError):
        keys.Keys({"a": 1}, mode="tap")  # type: ignore[arg-type]
