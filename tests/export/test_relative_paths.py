"""Commands take paths that are relative to the current folder, as the docs write them."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from coplay.cli import main

GAME = "0123456789abcdef0123"


@pytest.fixture
def study_folder(data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a data directory `data` in it."""
    monkeypatch.chdir(data.parent)
    return data.parent


def run(*words: str) -> Result:
    return CliRunner().invoke(main, [*words, "--data", "data"])


@pytest.mark.parametrize(
    ("words", "written"),
    [
        (["export", "out"], "out/games.parquet"),
        (["export", "new/folder/out", "--observations"], "new/folder/out/games.parquet"),
        (["export", "datasets", "--minari"], "datasets/meeting/meet-1/left-v0"),
        (["export", "new/folder/datasets", "--minari"], "new/folder/datasets/meeting/meet-1/left-v0"),
        (["report", "report.html"], "report.html"),
        (["datasheet", "datasheet.md"], "datasheet.md"),
        (["replay", GAME, "--gif", "game.gif", "--episode", "1"], "game.gif"),
        (["replay", GAME, "--mp4", "game.mp4", "--episode", "1"], "game.mp4"),
    ],
)
def test_command_writes_to_a_relative_path(study_folder: Path, words: list[str], written: str) -> None:
    answer = run(*words)
    assert answer.exit_code == 0, answer.output
    assert (study_folder / written).exists()
    top = written.partition("/")[0]
    assert sorted(path.name for path in study_folder.iterdir()) == sorted({"data", top})


@pytest.mark.parametrize("words", [["export", "."], ["export", ".", "--minari"], ["export", "../here"]])
def test_export_into_the_current_folder_keeps_what_is_there(
    data: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    here = data.parent / "here"
    here.mkdir()
    (here / "notes.txt").write_text("mine")
    monkeypatch.chdir(here)
    answer = CliRunner().invoke(main, [*words, "--data", "../data"])
    assert answer.exit_code == 0, answer.output
    assert (here / "notes.txt").read_text() == "mine"
    assert len(list(here.iterdir())) > 1
    assert sorted(path.name for path in data.parent.iterdir()) == ["data", "here"]


@pytest.mark.parametrize("words", [["report", "gone/report.html"], ["datasheet", "gone/datasheet.md"]])
def test_folder_that_does_not_exist_is_a_plain_error(study_folder: Path, words: list[str]) -> None:
    answer = run(*words)
    assert answer.exit_code == 2
    assert "could not be written" in answer.stderr
    assert "hint:" in answer.stderr
    assert list(study_folder.iterdir()) == [study_folder / "data"]
