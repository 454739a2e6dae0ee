"""Joined archives are the same bytes each time, and hold what a browser needs."""

import zipfile
from pathlib import Path

from coplay.runtime.building.archives import merge


def _zip(path: Path, members: dict[str, str]) -> str:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return str(path)


def _names(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def test_order_and_times_of_the_inputs_do_not_show(tmp_path: Path) -> None:
    members = {"b.py": "1", "a.txt": "2"}
    first = _zip(tmp_path / "1.zip", members)
    second = _zip(tmp_path / "2.zip", dict(reversed(members.items())))
    merge([first], str(tmp_path / "out1"), False, True, "/")
    merge([second], str(tmp_path / "out2"), False, True, "/")
    assert (tmp_path / "out1").read_bytes() == (tmp_path / "out2").read_bytes()


def test_tests_and_files_for_compilers_are_left_out(tmp_path: Path) -> None:
    source = _zip(tmp_path / "in.zip", {"a/tests/test_a.py": "", "a/a.pyi": "", "a/a.h": "", "a/b.py": ""})
    merge([source], str(tmp_path / "out"), False, True, "/")
    assert _names(tmp_path / "out") == ["a/b.py"]


def test_later_archive_wins(tmp_path: Path) -> None:
    inputs = [_zip(tmp_path / f"{content}.zip", {"a.txt": content}) for content in ("old", "new")]
    merge(inputs, str(tmp_path / "out"), False, True, "/")
    with zipfile.ZipFile(tmp_path / "out") as archive:
        assert archive.read("a.txt") == b"new"


def test_compiled_archive_keeps_sources_when_asked(tmp_path: Path) -> None:
    source = _zip(tmp_path / "in.zip", {"a/b.py": "x = 1"})
    assert merge([source], str(tmp_path / "out"), True, True, "/") == 1
    assert _names(tmp_path / "out") == ["a/__pycache__/b.cpython-314.pyc", "a/b.py"]
    merge([source], str(tmp_path / "out"), True, False, "/")
    assert _names(tmp_path / "out") == ["a/b.pyc"]


def test_source_that_does_not_compile_is_kept_as_it_is(tmp_path: Path) -> None:
    source = _zip(tmp_path / "in.zip", {"a.py": "{{ template }} !"})
    assert merge([source], str(tmp_path / "out"), True, False, "/") == 0
    assert _names(tmp_path / "out") == ["a.py"]
