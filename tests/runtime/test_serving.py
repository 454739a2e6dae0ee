"""A request is answered with the smallest form that the client takes."""

import gzip
from pathlib import Path

import brotli
import pytest

from coplay.runtime import Runtime
from coplay.runtime.serving import IMMUTABLE, accepted, compress

BROWSER = "gzip, deflate, br, zstd"


def test_browser_gets_brotli(runtime: Runtime) -> None:
    served = runtime.lookup("pyodide.asm.wasm", BROWSER)
    assert served.headers["Content-Encoding"] == "br"
    assert served.headers["Content-Type"] == "application/wasm"
    assert served.headers["Cache-Control"] == IMMUTABLE
    assert brotli.decompress(served.path.read_bytes()) == runtime.file("pyodide.asm.wasm").read_bytes()


def test_client_without_brotli_gets_gzip(runtime: Runtime) -> None:
    served = runtime.lookup("pyodide.mjs", "gzip")
    assert served.encoding == "gzip"
    assert gzip.decompress(served.path.read_bytes()) == runtime.file("pyodide.mjs").read_bytes()


def test_client_without_compression_gets_the_plain_file(runtime: Runtime) -> None:
    served = runtime.lookup("pyodide.mjs")
    assert served.path == runtime.file("pyodide.mjs")
    assert "Content-Encoding" not in served.headers


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("pyodide.mjs", "text/javascript; charset=utf-8"),
        ("pyodide-lock.json", "application/json"),
        ("base-packages.zip", "application/zip"),
        ("numpy-2.4.3-cp314-cp314-pyemscripten_2026_0_wasm32.whl", "application/zip"),
    ],
)
def test_media_type_goes_by_the_name(runtime: Runtime, name: str, media_type: str) -> None:
    assert runtime.lookup(name, BROWSER).media_type == media_type


def test_tag_differs_by_form(runtime: Runtime) -> None:
    tags = {runtime.lookup("pyodide.mjs", encoding).etag for encoding in ("", "gzip", "br")}
    assert len(tags) == 3


@pytest.mark.parametrize(
    "name", ["", "nothing", "../lock.json", "manifest.json", "pyodide.mjs.br", "/etc/passwd"]
)
def test_other_names_are_not_there(runtime: Runtime, name: str) -> None:
    with pytest.raises(KeyError):
        runtime.lookup(name, BROWSER)


def test_refused_encodings_are_not_used() -> None:
    assert set(accepted("br;q=0, gzip;q=0.5, x;q=0.0")) == {"gzip"}
    assert "br" in accepted("BR")


def test_compressed_forms_are_the_same_each_time(tmp_path: Path) -> None:
    assert compress(b"data" * 100) == compress(b"data" * 100)
