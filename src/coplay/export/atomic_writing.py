"""Files and folders that appear complete or not at all, whenever the process is killed.

Everything is written beside its destination first, under a hidden name. A new folder is then renamed in one
step. Into a folder that exists already, the files move one by one: a note lists them beforehand, so that the
next process that finds the note finishes the moves.
"""

import contextlib
import json
import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from coplay.errors import CoplayError, UsageError

_NOTE: Final = ".complete.json"


def write_text_atomically(path: Path, text: str) -> None:
    """Write a text file, replacing an earlier one in one step.

    Args:
        path: The file; its folder must exist.
        text: What it will hold, in UTF-8.

    Raises:
        CoplayError: The file cannot be written.
    """
    partial = partial_path(path)
    try:
        partial.write_text(text, "utf-8")
        partial.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise CoplayError(
            f"{path} could not be written ({error.strerror})",
            "Check that the folder exists and that you may write there.",
        ) from error


@contextmanager
def atomic_folder(out: Path) -> Iterator[Path]:
    """Provide an empty folder to write into, and move its content to `out` at the end.

    Files of the same names are replaced; other files in `out` stay. If the block raises, `out` is unchanged.

    Args:
        out: The destination; made if it does not exist.

    Yields:
        An absolute path beside `out`, so that it stays valid for code that changes the current folder.

    Raises:
        UsageError: `out` is a file.
    """
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file", "Name a folder.")
    finish_interrupted(out)
    partial = partial_path(out)
    partial.mkdir(parents=True)
    try:
        yield partial
        if out.exists():
            names = sorted(path.name for path in partial.iterdir())
            _write_note(partial, names)
            _move(partial, out, names)
        else:
            partial.rename(out)
    finally:
        # With a note the content is complete, and only the moves are left for the next process.
        if not (partial / _NOTE).exists():
            shutil.rmtree(partial, ignore_errors=True)


def finish_interrupted(out: Path) -> None:
    """Finish the moves that a killed process had begun for `out`, or remove its incomplete files."""
    partial = partial_path(out)
    note = partial / _NOTE
    if note.exists():
        out.mkdir(parents=True, exist_ok=True)
        _move(partial, out, json.loads(note.read_text("utf-8")))
    shutil.rmtree(partial, ignore_errors=True)


def partial_path(path: Path) -> Path:
    """Return the hidden, absolute path under which `path` is prepared."""
    # Not `resolve`, which would follow a symbolic link; and "." has no name before it is made absolute.
    absolute = Path(os.path.abspath(path))
    return absolute.with_name(f".{absolute.name}.partial")


def _write_note(partial: Path, names: Collection[str]) -> None:
    draft = partial / ".note"
    with draft.open("w", encoding="utf-8") as file:
        json.dump(list(names), file)
        file.flush()
        # A note that a power cut truncated would lose the files that it does not name.
        os.fsync(file.fileno())
    draft.replace(partial / _NOTE)


def _move(partial: Path, out: Path, names: Collection[str]) -> None:
    for name in names:
        if (source := partial / name).exists():  # otherwise the killed process had moved it already
            if source.is_dir() and (out / name).is_dir():
                shutil.rmtree(out / name)
            source.replace(out / name)
    # Removed last: until then, a process that is killed leaves the note for the next one.
    (partial / _NOTE).unlink()
    shutil.rmtree(partial, ignore_errors=True)
