"""The bundle holds the study and coplay's part for the browser, and nothing private."""

import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from coplay.errors import StudyError
from coplay.runtime import Bundle, Runtime, build_bundle, bundle


@pytest.fixture
def study(tmp_path: Path) -> Path:
    folder = tmp_path / "volley"
    (folder / "art").mkdir(parents=True)
    (folder / "study.py").write_text("NAME = 'volley'\n")
    (folder / "rules.py").write_text("")
    (folder / "welcome.md").write_text("# Hello")
    (folder / "art" / "ball.png").write_bytes(b"png")
    return folder / "study.py"


def _names(made: Bundle) -> set[str]:
    with zipfile.ZipFile(io.BytesIO(made.data)) as archive:
        return {name for name in archive.namelist() if not name.startswith("coplay/")}


def test_same_files_make_the_same_bytes(study: Path) -> None:
    first = build_bundle(study)
    os.utime(study, (1, 1))
    assert build_bundle(study).data == first.data
    study.write_text("NAME = 'other'\n")
    assert build_bundle(study).sha256 != first.sha256


def test_study_folder_is_taken_with_its_folders(study: Path) -> None:
    made = build_bundle(study)
    assert made.files == ("art/ball.png", "rules.py", "study.py", "welcome.md")
    assert made.module == "study"


def test_hidden_files_tables_and_data_are_left_out(study: Path) -> None:
    folder = study.parent
    for name in (
        ".env.py",
        "participants.csv",
        "policy.pkl",
        "data/notes.txt",
        "coplay-data/a.json",
        ".git/a.py",
    ):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("private")
    (folder / "env").mkdir()
    (folder / "env" / "pyvenv.cfg").write_text("")
    (folder / "env" / "library.py").write_text("")
    assert build_bundle(study, exclude=(folder / "data",)).files == (
        *("art/ball.png", "rules.py", "study.py", "welcome.md"),
    )


def test_link_to_a_file_elsewhere_is_left_out(study: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("private")
    (study.parent / "link.txt").symlink_to(tmp_path / "secret.txt")
    assert "link.txt" not in build_bundle(study).files


def test_study_of_another_name_is_importable_as_study(study: Path, tmp_path: Path) -> None:
    study = study.rename(study.with_name("my-volley.py"))
    made = build_bundle(study)
    with zipfile.ZipFile(io.BytesIO(made.data)) as archive:
        archive.extractall(tmp_path / "unpacked")
    program = "import study; print(study.NAME)"
    printed = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path / "unpacked", capture_output=True, text=True, check=True
    ).stdout
    assert (made.module, printed) == ("study", "volley\n")


def test_neighbour_called_study_is_not_hidden(study: Path) -> None:
    pilot = study.with_name("pilot.py")
    pilot.write_text("import study")
    made = build_bundle(pilot)
    assert made.module == "pilot"
    assert {"pilot.py", "study.py"} <= _names(made)


def test_browser_part_of_coplay_is_in_it_and_the_server_is_not(study: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(build_bundle(study).data)) as archive:
        names = archive.namelist()
    assert {"coplay/__init__.py", "coplay/errors.py", "coplay/browser/worker.py"} <= set(names)
    assert not [name for name in names if name.startswith(("coplay/server", "coplay/runtime", "coplay/cli"))]


def test_runtime_compiles_coplays_part_ahead(study: Path, runtime: Runtime) -> None:
    made = build_bundle(study, runtime)
    with zipfile.ZipFile(io.BytesIO(made.data)) as archive:
        names = set(archive.namelist())
    assert {"coplay/errors.py", "coplay/__pycache__/errors.cpython-314.pyc"} <= names
    assert build_bundle(study, runtime).data == made.data


def test_missing_study_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"no study file .*nowhere\.py"):
        build_bundle(tmp_path / "nowhere.py")


def test_large_file_is_refused(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "FILE_LIMIT", 10)
    with pytest.raises(StudyError, match=r"study\.py is too large") as caught:
        build_bundle(study)
    assert "folder of its own" in caught.value.hint


def test_folder_with_too_much_in_it_is_refused(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "COUNT_LIMIT", 3)
    with pytest.raises(StudyError, match="more than a browser should load"):
        build_bundle(study)
