from typing import Any

import pytest

from coplay.errors import StudyError
from coplay.study import keys, scenes

KEYS = keys.Keys({"a": 1})


@pytest.mark.parametrize(
    "options",
    [
        {"keys": None},
        {"keys": {0: "a"}},
        {"players": 9},
        {"episodes": 0},
        {"max_frames": 0},
        {"fps": 0},
        {"fps": 240},
        {"input_delay": "fast"},
        {"input_delay": 9},
        {"max_prediction": 0},
        {"countdown": "a while"},
        {"bots": {0: "clever"}},
        {"bots": {"0": "idle"}},
        {"draw": "nicely"},
        {"when_someone_leaves": "wait"},
        {"when_someone_leaves": "bot"},
        {"when_someone_leaves": "end", "substitute": "idle"},
        {"when_someone_leaves": "bot", "substitute": "clever"},
        {"hold": "1 h"},
        {"on_desync": "ignore"},
    ],
)
def test_play_with_an_unusable_option_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(StudyError):
        scenes.Play("x", **{"keys": KEYS, **options})


@pytest.mark.parametrize(
    "options", [{"size": 1}, {"size": 9}, {"size": 2, "patience": 0}, {"size": 2, "otherwise": 3}]
)
def test_lobby_with_an_unusable_option_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(StudyError):
        scenes.Lobby(**options)


def test_redirect_that_is_no_address_is_refused() -> None:
    with pytest.raises(StudyError):
        scenes.Finish(redirect="javascript:alert(1)")


def test_keys_for_one_player_are_theirs() -> None:
    other = keys.Keys({"b": 2})
    play = scenes.Play("x", keys={0: KEYS, 1: other})
    assert play.keys_for(1) is other
    with pytest.raises(StudyError):
        play.keys_for(2)
