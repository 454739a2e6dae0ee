from pathlib import Path

import pytest

from coplay.errors import StudyError
from coplay.study.loading import load_study, text_of

HEAD = "import coplay\nfrom coplay import scenes, keys\nstudy = coplay.Study('s')\nK = keys.Keys({'a': 1})\n"


def load(folder: Path, text: str, name: str = "study.py") -> object:
    file = folder / name
    file.write_text(text)
    return load_study(file)


def refusal(folder: Path, text: str) -> StudyError:
    with pytest.raises(StudyError) as refused:
        load(folder, text)
    assert refused.value.hint
    return refused.value


def test_good_file_gives_its_study(tmp_path: Path) -> None:
    study = load(tmp_path, HEAD + "study.scenes = [scenes.Finish()]")
    assert repr(study) == "Study('s', version='1', scenes=1)"


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="nowhere"):
        load_study(tmp_path / "nowhere.py")


def test_syntax_error_names_file_and_line(tmp_path: Path) -> None:
    assert "study.py, line 2:" in refusal(tmp_path, "x = 1\ny = = 2\n").message


def test_exception_names_file_line_and_reason(tmp_path: Path) -> None:
    assert (
        refusal(tmp_path, "x = 1\n\nx / 0\n").message
        == "study.py, line 3: ZeroDivisionError: division by zero"
    )


def test_module_that_is_not_installed_is_named_in_the_hint(tmp_path: Path) -> None:
    assert "pip install not_there_at_all" in refusal(tmp_path, "import not_there_at_all").hint


def test_unusable_option_names_its_line(tmp_path: Path) -> None:
    assert refusal(tmp_path, HEAD + "\nscenes.Lobby(size=2,\n  patience='soon')\n").message.startswith(
        "study.py, line 6: the Lobby's patience"
    )


def test_file_without_study_says_so(tmp_path: Path) -> None:
    assert "does not set the variable `study`" in refusal(tmp_path, "x = 1").message


def test_file_that_exits_says_so(tmp_path: Path) -> None:
    assert "ends the program" in refusal(tmp_path, "raise SystemExit(3)").message


@pytest.mark.parametrize(
    ("path", "line", "reason"),
    [
        ("[]", 5, "no scenes"),
        ("[\n  scenes.Instructions('hi'),\n]", 6, "without a Finish"),
        ("[\n  scenes.Finish(),\n  scenes.Finish(),\n]", 6, "the path ends there"),
        ("[\n  scenes.Play('x', players=2, keys=K),\n  scenes.Finish(),\n]", 6, "no Lobby comes before it"),
        (
            "[\n  scenes.Lobby(3),\n  scenes.Play('x', players=2, keys=K),\n  scenes.Finish(),\n]",
            7,
            "makes groups of 3",
        ),
        ("[\n  'hello',\n  scenes.Finish(),\n]", 6, "which is not a scene"),
        ("[\n  scenes.Instructions('gone.md'),\n  scenes.Finish(),\n]", 6, "gone.md cannot be read"),
    ],
)
def test_path_that_does_not_work_names_the_scenes_line(
    tmp_path: Path, path: str, line: int, reason: str
) -> None:
    message = refusal(tmp_path, HEAD + f"study.scenes = {path}\n").message
    assert message.startswith(f"study.py, line {line}: ")
    assert reason in message


def test_neighbours_of_the_file_can_be_imported(tmp_path: Path) -> None:
    (tmp_path / "neighbour_of_a_study.py").write_text("NAME = 'n'")
    text = HEAD.replace("'s'", "neighbour_of_a_study.NAME") + "study.scenes = [scenes.Finish()]"
    assert repr(load(tmp_path, "import neighbour_of_a_study\n" + text)).startswith("Study('n'")


def test_text_is_markdown_or_a_file_beside_the_study(tmp_path: Path) -> None:
    (tmp_path / "hello.md").write_text("# Hello")
    assert text_of("hello.md", tmp_path) == "# Hello"
    assert text_of("Read hello.md\nfirst", tmp_path) == "Read hello.md\nfirst"
