"""The examples are studies that load, and short enough to be read aloud."""

from pathlib import Path

import pytest

from coplay.study import load_study, scenes

EXAMPLES = Path(__file__).parents[2] / "examples"
STUDIES = ["volley/study.py", "volley/solo.py", "overcooked/study.py", "starter/study.py"]


@pytest.mark.parametrize("name", STUDIES)
def test_study_file_loads_and_ends_with_a_finish(name: str) -> None:
    study = load_study(EXAMPLES / name)
    assert isinstance(study.scenes[-1], scenes.Finish)
    assert any(isinstance(scene, scenes.Play) for scene in study.scenes)


@pytest.mark.parametrize("name", STUDIES)
def test_study_file_has_under_sixty_lines(name: str) -> None:
    assert len((EXAMPLES / name).read_text("utf-8").splitlines()) < 60


def test_volley_keys_combine_running_and_jumping() -> None:
    study = load_study(EXAMPLES / "volley/study.py")
    play = next(scene for scene in study.scenes if isinstance(scene, scenes.Play))
    action = play.keys_for(0).action
    held = [[], ["ArrowLeft"], ["d"], [" "], ["a", "w"], ["ArrowRight", "ArrowUp"], ["ArrowLeft", "d"]]
    assert [action(keys) for keys in held] == [0, 1, 2, 3, 4, 5, 2]
