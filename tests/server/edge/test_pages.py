"""Files, headers, and what a stranger gets."""

from pathlib import Path

import aiohttp
import pytest
from tests.server.conftest import Lab, duel_study, running

pytestmark = pytest.mark.anyio


async def test_every_answer_forbids_what_is_not_our_own(lab: Lab) -> None:
    answers = {}
    for path in ("/", "/healthz", "/nothing", "/assets/index-1.js", "/runtime/x/y"):
        _, answers[path], _ = await lab.get(path)
    batches = "/api/games/0123456789abcdef0123/batches"
    async with lab.http.post(lab.base + batches, data=b"x") as response:
        assert response.status == 401
        answers[batches] = response.headers
    for path, headers in answers.items():
        assert "default-src 'none'" in headers["Content-Security-Policy"], path
        assert "'wasm-unsafe-eval'" in headers["Content-Security-Policy"]
        assert "unsafe-inline" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"


async def test_health_is_200(lab: Lab) -> None:
    assert (await lab.get("/healthz"))[0] == 200


async def test_page_is_not_cached_and_its_parts_are_for_ever(lab: Lab) -> None:
    status, headers, body = await lab.get("/")
    assert (status, headers["Cache-Control"]) == (200, "no-cache")
    assert b"<title>page</title>" in body
    status, headers, _ = await lab.get("/assets/index-1.js")
    assert status == 200
    assert "immutable" in headers["Cache-Control"]
    assert headers["Content-Type"].startswith("text/javascript")


async def test_runtime_and_bundle_are_served_by_their_hashes(lab: Lab) -> None:
    status, headers, body = await lab.get(f"/runtime/{'1' * 64}/pyodide.mjs")
    assert (status, body) == (200, b"export {}")
    assert "immutable" in headers["Cache-Control"]
    status, _, _ = await lab.get(f"/runtime/{'1' * 64}/pyodide.mjs", headers={"If-None-Match": '"etag"'})
    assert status == 304
    status, headers, body = await lab.get(f"/bundle/{'2' * 64}.zip")
    assert (status, body, headers["Content-Type"]) == (200, b"PK", "application/zip")


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../index.html",
        "/assets/%2e%2e%2findex.html",
        "/assets/..%2f..%2fdata%2fcoplay.sqlite",
        "/runtime/" + "1" * 64 + "/..%2fdata%2fsecret",
        "/runtime/" + "3" * 64 + "/pyodide.mjs",
        "/bundle/" + "3" * 64 + ".zip",
        "/secret",
    ],
)
async def test_path_from_outside_reaches_nothing_else(lab: Lab, path: str) -> None:
    async with lab.http.get(aiohttp.client.URL(lab.base + path, encoded=True)) as response:
        assert response.status == 404


async def test_pages_that_are_not_built_say_so(tmp_path: Path) -> None:
    async with running(duel_study(), tmp_path) as lab:
        (tmp_path / "web" / "index.html").unlink()
        status, _, body = await lab.get("/")
        assert status == 503
        assert b"make install" in body


async def test_demo_page_without_a_file_says_so_too(lab: Lab) -> None:
    assert (await lab.get("/demo"))[0] == 503
