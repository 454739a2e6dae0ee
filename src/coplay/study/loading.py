"""Loading a study file, with errors that name the line at fault."""

import ast
import importlib.util
import sys
import traceback
from pathlib import Path

from coplay.errors import StudyError
from coplay.study.scenes import Finish, Instructions, Lobby, Play, Scene
from coplay.study.study import SceneOrderError, Study, check_path


def load_study(path: str | Path) -> Study:
    """Load a study file.

    The folder of the file is added to `sys.path`, so that the file can import modules beside it.

    Args:
        path: The Python file; it must set a variable `study`.

    Returns:
        The study. Its scenes form a valid path.

    Raises:
        StudyError: The file cannot be used. The message names the file, the line and the reason.
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
    """Return the Markdown of a scene: the text itself, or the content of the file it names.

    Args:
        scene_text: Markdown, or a file name that ends in `.md`, relative to the study's folder.
        folder: Folder of the study file.

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
    # Browsers import it under the same name, so functions defined in the file have equal qualified names.
    spec = importlib.util.spec_from_file_location("study", file)
    if spec is None or spec.loader is None:
        raise StudyError(
            f"{file.name} is not a Python file", "Give the path of a Python file that defines a study."
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
            else f"sets `study` to {study!r}, which is not a Study"
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
    """Return the last line of `file` in the traceback of an error; 1 if it is not in there."""
    lines = [
        frame.lineno or 0
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).resolve() == file
    ]
    return lines[-1] if lines else 1


def _line_of_scene(file: Path, index: int | None) -> int:
    """Return the line that defines a scene, else the line of the list of scenes, else 1."""
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
