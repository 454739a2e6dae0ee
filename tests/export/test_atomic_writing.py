"""A folder is written as a whole, whenever the process is killed."""

import os
from pathlib import Path

import pytest

from coplay.export.atomic_writing import atomic_folder


def test_kill_between_two_moves_is_finished_by_the_next_export(tmp_path, monkeypatch):
    out = tmp_path / "out"
    with atomic_folder(out) as folder:
        for name in ("a", "b"):
            (folder / name).write_text("old")
    moves: list[str] = []
    replace = Path.replace

    def move_once(self: Path, target: Path) -> Path:
        if self.name in ("a", "b"):
            moves.append(self.name)
            if len(moves) == 2:
                raise KeyboardInterrupt
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", move_once)
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012, SIM117 (it comes at the end of the block)
        with atomic_folder(out) as folder:
            for name in ("a", "b"):
                (folder / name).write_text("new")
    assert sorted((out / name).read_text() for name in ("a", "b")) == ["new", "old"]
    monkeypatch.undo()
    with atomic_folder(out) as folder:
        assert [(out / name).read_text() for name in ("a", "b")] == ["new", "new"]
        (folder / "c").write_text("")
    assert sorted(os.listdir(tmp_path)) == ["out"]
