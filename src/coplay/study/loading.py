"""From a study file to a `Study`, or to one sentence that says what is wrong and where."""

import ast
import importlib.util
import sys
import traceback
from pathlib import Path

from coplay.errors import StudyError
from coplay.study.scenes import Finish, Instructions, Lobby, Play, Scene
from coplay.study.study import SceneOrderError, Study, check_path


def load_study(path: str | Path) -> Study:
    """Read a study file.

    The file's folder is put on `sys.path`, so that it may import its neighbours.

    Args:
        path: The Python file; it must set a variable `study`.

    Returns:
        The study, with scenes that make a path.

    Raises:
        StudyError: It cannot be used; the message names file, line and reason.
    """
    file = Path(path).resolve()
    if not file.is_file():
        raise StudyError(
            f"there is no study file {path}", "Give the path of a Python file that defines a study."
        )
    folder = str(file.parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    study = _executed(file)
    try:
        check_path(study)
    except SceneOrderError as error:
        line = _line_of_scene(file, error.index)
        raise StudyError(f"{file.name}, line {line}: {error.message}", error.hint) from None
    _check_texts(study, file)
    return study


def text_of(scene_text: str, folder: Path) -> str:
    """The Markdown of a scene: the text itself, or the content of the file it names.

    Args:
        scene_text: Markdown, or a file name that ends in `.md`, relative to the study's folder.
        folder: Where the study file is.

    Raises:
        StudyError: There is no such file.
    """
    if not _names_file(scene_text):
        return scene_text
    file = folder / scene_text
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(f"the text {scene_text} cannot be read", f"Put it at {file}, in UTF-8.") from error


def _names_file(text: str) -> bool:
    return text.endswith(".md") and "\n" not in text


def _executed(file: Path) -> Study:
    # The name the browsers import it under too: functions that a study defines are the same ones in both.
    spec = importlib.util.spec_from_file_location("study", file)
    if spec is None or spec.loader is None:
        raise StudyError(
            f"{file.name} is no Python file", "Give the path of a Python file that defines a study."
        )
    module = importlib.util.module_from_spec(spec)
    sys.modules["study"] = module
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        where = Path(error.filename or file).name
        raise StudyError(f"{where}, line {error.lineno}: {error.msg}", "Correct the syntax.") from None
    except StudyError as error:
        line = _line_in(file, error)
        raise StudyError(f"{file.name}, line {line}: {error.message}", error.hint) from None
    except SystemExit:
        raise StudyError(f"{file.name} ends the program", "A study file only defines a study.") from None
    except Exception as error:
        reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise StudyError(f"{file.name}, line {_line_in(file, error)}: {reason}", _hint_for(error)) from error
    study = getattr(module, "study", None)
    if not isinstance(study, Study):
        found = (
            "does not set the variable `study`"
            if study is None
            else f"sets `study` to {study!r}, which is no Study"
        )
        raise StudyError(f"{file.name} {found}", 'Write study = coplay.Study("a-name") in it.')
    return study


def _hint_for(error: Exception) -> str:
    match error:
        case ModuleNotFoundError():
            return f"Install it here (pip install {error.name}), and name it in Study(packages=[…])."
        case _:
            return "Run the file with Python to see the whole error."


def _line_in(file: Path, error: BaseException) -> int:
    """The last line of `file` that the error passed through."""
    lines = [
        frame.lineno or 0
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).resolve() == file
    ]
    return lines[-1] if lines else 1


def _line_of_scene(file: Path, index: int | None) -> int:
    """Where a scene is written; the line of the list if that cannot be told, else 1."""
    line = 1
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Attribute) and target.attr == "scenes" for target in node.targets
        ):
            line = node.lineno
            if isinstance(node.value, ast.List) and index is not None and index < len(node.value.elts):
                line = node.value.elts[index].lineno
    return line


def _check_texts(study: Study, file: Path) -> None:
    for index, scene in enumerate(study.scenes):
        for text in _texts(scene):
            try:
                text_of(text, file.parent)
            except StudyError as error:
                line = _line_of_scene(file, index)
                raise StudyError(f"{file.name}, line {line}: {error.message}", error.hint) from None


def _texts(scene: Scene) -> tuple[str, ...]:
    match scene:
        case Instructions():
            return (scene.text,)
        case Lobby():
            return (scene.otherwise.text,)
        case Play():
            return (scene.controls,)
        case Finish():
            return (scene.text,)
