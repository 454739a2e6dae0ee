"""Puts a finished export in its place: whole or not at all, whenever the process is killed.

Files are made in a hidden folder beside their place. A new folder is then renamed at once. Into a folder that
is there already they move one by one, after a note says which: who finds the note next finishes the moves.
"""

import json
import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from coplay.errors import UsageError

_NOTE: Final = ".complete.json"


@contextmanager
def placed(out: Path) -> Iterator[Path]:
    """A folder to write into; what is in it at the end is put into `out`, replacing files of the same names.

    Raises:
        UsageError: `out` is a file.
    """
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file", "Name a folder.")
    recover(out)
    partial = _partial(out)
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
        if not (partial / _NOTE).exists():
            shutil.rmtree(partial, ignore_errors=True)


def recover(out: Path) -> None:
    """Finish what a killed process had completed for `out`, and remove what it had not."""
    partial = _partial(out)
    note = partial / _NOTE
    if note.exists():
        out.mkdir(parents=True, exist_ok=True)
        _move(partial, out, json.loads(note.read_text("utf-8")))
    shutil.rmtree(partial, ignore_errors=True)


def _partial(out: Path) -> Path:
    return out.with_name(f".{out.name}.partial")


def _write_note(partial: Path, names: Collection[str]) -> None:
    draft = partial / ".note"
    with draft.open("w", encoding="utf-8") as file:
        json.dump(list(names), file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(partial / _NOTE)


def _move(partial: Path, out: Path, names: Collection[str]) -> None:
    for name in names:
        if (source := partial / name).exists():  # else it was moved before
            if source.is_dir() and (out / name).is_dir():
                shutil.rmtree(out / name)
            source.replace(out / name)
    (partial / _NOTE).unlink()
    shutil.rmtree(partial, ignore_errors=True)
