"""What a server finds out about play scenes before anyone comes."""

import sys
import types
from typing import Any

import gymnasium
import pytest

from coplay.errors import StudyError
from coplay.server.games.play_setup import build_play_setups
from coplay.study import Study, keys, scenes


def study_of(env: Any, **given: Any) -> Study:
    study = Study("pictures", version="1")
    arrows = keys.arrows(left=0, right=1)
    study.scenes = [scenes.Play(env, keys=arrows, fps=30, **given), scenes.Finish()]
    return study


def frozen_lake(render_mode: str | None = None) -> gymnasium.Env[Any, Any]:
    return gymnasium.make("FrozenLake-v1", render_mode="ansi")


def test_environment_that_renders_text_needs_no_drawing() -> None:
    assert build_play_setups(study_of(frozen_lake))[0].n_players == 1


def test_environment_that_draws_with_what_browsers_lack_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StudyError, match=r"scene 0: the environment (cannot draw itself|draws with)"):
        build_play_setups(study_of("CartPole-v1"))
    monkeypatch.setitem(sys.modules, "pygame", types.ModuleType("pygame"))
    with pytest.raises(StudyError, match="pygame") as raised:
        build_play_setups(study_of(frozen_lake))
    assert "draw" in raised.value.hint


def test_drawing_of_the_study_makes_up_for_the_environments_own() -> None:
    stages = build_play_setups(study_of("CartPole-v1", draw=lambda env, canvas: None))
    assert stages[0].fps == 30.0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"bots": {1: "idle"}}, "a bot for player 1, who does not exist"),
        ({"bots": {0: "idle"}}, "every seat belongs to a bot"),
        ({"players": 2}, "players=2, but the environment has 1 seats"),
    ],
)
def test_scene_that_does_not_fit_its_environment_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(StudyError, match=message):
        build_play_setups(study_of(frozen_lake, **given))


def test_scene_is_named_in_the_error() -> None:
    with pytest.raises(StudyError, match=r"^scene 0: "):
        build_play_setups(study_of(frozen_lake, bots={0: "idle"}))
