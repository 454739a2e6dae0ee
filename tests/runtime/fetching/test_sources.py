"""Files come from the first source that has them, whole; without a network, one sentence says so."""

import hashlib
import io
import socket
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from coplay.errors import RuntimeUnavailableError
from coplay.runtime.distribution import Distribution, PinnedFile, PinnedWheel
from coplay.runtime.fetching import sources as sources_module
from coplay.runtime.fetching.file_cache import FileCache
from coplay.runtime.fetching.package_clients import SourceFailedError
from coplay.runtime.fetching.sources import Sources
from coplay.runtime.progress import silent

CONTENT = b"the interpreter"
FILE = PinnedFile("core.bin", hashlib.sha256(CONTENT).hexdigest())
WHEEL = PinnedWheel("thing-1.0-py3-none-any.whl", hashlib.sha256(b"wheel").hexdigest(), "thing", "1.0")
COMPILED = PinnedWheel("fast-1.0-cp314-x_wasm32.whl", hashlib.sha256(b"fast").hexdigest(), "fast", "1.0")

Make = Callable[..., Distribution]


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def cdn(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A server on this machine in the CDN's place: its address, and the folder it serves."""
    folder = tmp_path / "cdn"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_QuietHandler, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", folder
        server.shutdown()


@pytest.fixture(autouse=True)
def no_package_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pip, no npm, unless a test puts one there."""

    def refuse(*_: object, **__: object) -> Path:
        raise SourceFailedError("no network")

    monkeypatch.setattr(sources_module, "pip_download", refuse)
    monkeypatch.setattr(sources_module, "npm_pack", refuse)


def test_file_comes_from_the_cdn(store: FileCache, cdn: tuple[str, Path], make_distribution: Make) -> None:
    address, folder = cdn
    (folder / FILE.name).write_bytes(CONTENT)
    found = Sources(make_distribution(cdn=address), store, silent).core([FILE])
    assert found[FILE.name].read_bytes() == CONTENT


def test_file_in_the_store_needs_no_source(store: FileCache, make_distribution: Make) -> None:
    path, _ = store.add_bytes(CONTENT, FILE.name)
    assert Sources(make_distribution(), store, silent).core([FILE]) == {FILE.name: path}


def test_wrong_file_from_the_cdn_is_refused_and_npm_asked(
    store: FileCache, cdn: tuple[str, Path], make_distribution: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, folder = cdn
    (folder / FILE.name).write_bytes(b"tampered")
    monkeypatch.setattr(sources_module, "npm_pack", _fake_npm)
    found = Sources(make_distribution(cdn=address), store, silent).core([FILE])
    assert found[FILE.name].read_bytes() == CONTENT


def test_silent_cdn_costs_its_patience_once(
    store: FileCache, make_distribution: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources_module, "CDN_PATIENCE_S", 0.1)
    monkeypatch.setattr(sources_module, "npm_pack", _fake_npm)
    with socket.create_server(("127.0.0.1", 0)) as listener:  # accepts, and never answers
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        sources = Sources(make_distribution(cdn=address), store, silent)
        assert sources.core([FILE])[FILE.name].read_bytes() == CONTENT
        monkeypatch.setattr(sources_module, "CDN_PATIENCE_S", 1000)
        with pytest.raises(RuntimeUnavailableError):
            sources.wheels([COMPILED])  # would hang if the CDN were asked again


def test_pure_wheel_comes_from_the_package_index(
    store: FileCache, make_distribution: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def pip_download(requirement: str, folder: Path, *_: str) -> Path:
        asked.append(requirement)
        path = folder / WHEEL.name
        path.write_bytes(b"wheel")
        return path

    monkeypatch.setattr(sources_module, "pip_download", pip_download)
    found = Sources(make_distribution(), store, silent).wheels([WHEEL])
    assert found[WHEEL.name].read_bytes() == b"wheel"
    assert asked == ["thing==1.0"]


def test_compiled_wheel_comes_out_of_the_mirror_package(
    store: FileCache, make_distribution: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pip_download(requirement: str, folder: Path, *_: str, watch: Callable[[int], None]) -> Path:
        path = folder / "nothing-1-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"folder/{COMPILED.name}", b"fast")
        return path

    monkeypatch.setattr(sources_module, "pip_download", pip_download)
    found = Sources(make_distribution(), store, silent).wheels([COMPILED])
    assert found[COMPILED.name].read_bytes() == b"fast"


def test_no_network_is_one_sentence_and_a_hint(store: FileCache, make_distribution: Make) -> None:
    with pytest.raises(RuntimeUnavailableError) as caught:
        Sources(make_distribution(), store, silent).core([FILE])
    assert caught.value.message == (
        "Pyodide 1.0 is needed in the browser and could not be fetched "
        "(Pyodide's CDN did not answer; no network)."
    )
    assert "Connect this machine" in caught.value.hint


def _fake_npm(package: str, folder: Path) -> Path:
    path = folder / "package.tgz"
    with tarfile.open(path, "w:gz") as archive:
        info = tarfile.TarInfo(f"package/{FILE.name}")
        info.size = len(CONTENT)
        archive.addfile(info, io.BytesIO(CONTENT))
    return path
