"""Uploads that no page of ours sends: refused, counted, nothing written, and never the server's fault."""

import asyncio
import json
import struct
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.server.conftest import Lab, Page, duel_study, running
from tests.server.playing import until
from tests.server.uploading import batch, rows

from coplay.data.batches import NUMBERS_OF_A_PAGE, encode

pytestmark = pytest.mark.anyio

JSON = "application/json"
BYTES = "application/octet-stream"


@pytest.fixture
async def lab(tmp_path: Path, database: str, anyio_backend: str) -> AsyncIterator[Lab]:
    async with running(duel_study(), tmp_path) as lab:
        yield lab


def written(data: Path) -> list[Any]:
    """Everything that an upload could have changed."""
    queries = (
        "SELECT count(*) FROM batches",
        "SELECT count(*) FROM reports",
        "SELECT game_id, verdict FROM games",
        "SELECT kind FROM events WHERE kind LIKE '%conflict' OR kind LIKE '%differ'",
    )
    return [[tuple(row) for row in rows(data, query)] for query in queries]


async def post(page: Page, path: str, token: str, body: Any, kind: str = BYTES, **headers: str) -> int:
    """The status; 0 if the server closed the connection rather than read on."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": kind, **headers}
    try:
        async with page.http.post(f"{page.base}{path}", data=body, headers=headers) as answer:
            await answer.read()
            return answer.status
    except aiohttp.ClientConnectionError:
        return 0


def header_with(**more: Any) -> bytes:
    fields = {"number": 0, "peer": 0, "first_frame": 0, "frames": 0, "checksums": [], "net": [], "events": []}
    header = json.dumps({**fields, **more}).encode()
    return struct.pack("<I", len(header)) + header


def nested(depth: int, sort: str = "list") -> Any:
    value: Any = 0
    for _ in range(depth):
        value = [value] if sort == "list" else {"a": value}
    return value


BATCHES = {
    "nothing": (b"", 400),
    "zeros": (bytes(100), 400),
    "cut off": (encode(batch(0))[:-1], 400),
    "a column too short": (encode(batch(0, inputs=bytes(7))), 400),
    "future frames": (encode(batch(0, first=10**6)), 400),
    "frames beyond every number": (header_with(first_frame=2**31), 400),
    "a checksum from the future": (header_with(checksums=[[10**8, "0" * 16]]), 400),
    "a number beyond every number": (header_with(number=2**31), 400),
    "another player": (encode(batch(1)), 403),
    "a page that comes later": (encode(batch(0, NUMBERS_OF_A_PAGE)), 403),
    "a page of long ago": (encode(batch(0, 5 * NUMBERS_OF_A_PAGE - 1)), 403),
    "deep events": (header_with(events=[{"detail": nested(100)}]), 400),
    "deep figures": (header_with(net=[nested(100, "dict")]), 400),
    "deeper than Python": (struct.pack("<I", 90_000) + b"[" * 90_000, 400),
    "300 KiB": (bytes(300 * 1024), 413),
}


async def test_batch_that_cannot_be_is_refused_and_nothing_is_written(lab: Lab) -> None:
    one, _, first, _ = await lab.pair()
    before = written(lab.data)
    for name, (body, status) in BATCHES.items():
        answered, answer = await one.upload(first, body)
        assert (name, answered) == (name, status)
        assert answer["error"].endswith(".")
        assert written(lab.data) == before, name
    # And the game is none the worse for it.
    assert (await one.upload(first, encode(batch(0))))[0] == 200


REPORTS = {
    "no frame": {"last_frame": -5},
    "a text for a frame": {"last_frame": "x"},
    "the future": {"last_frame": 10**8},
    "no hash": {"last_frame": 1, "chain_hash": "no"},
    "a long hash": {"last_frame": 1, "chain_hash": "a" * 10_000},
    "a verdict without end": {"last_frame": 1, "verdict": "x" * 10_000},
    "deep": {"last_frame": 1, "stats": nested(100)},
    "deeper": {"last_frame": 1, "stats": nested(900, "dict")},
    "a NUL": {"last_frame": 1, "reason": "a\0b"},
    "half a character": {"last_frame": 1, "reason": "\ud800"},
    "a NUL as a name": {"last_frame": 1, "stats": {"\0": 1}},
    "a seat of nobody": {"last_frame": 1, "seats": [[7, 1, "bot"]]},
    "a fate of nobody": {"last_frame": 1, "seats": [[1, 1, "eaten"]]},
    "seats without end": {"last_frame": 1, "seats": [[1, 1, "bot"]] * 1000},
    "desyncs without end": {"last_frame": 1, "desyncs": [{"frame": 1, "peer": 1}] * 1000},
    "paths that are none": {"last_frame": 1, "desyncs": [{"frame": 1, "peer": 1, "paths": [[]]}]},
}


async def test_report_that_cannot_be_is_refused_and_nothing_is_written(lab: Lab) -> None:
    one, _, first, _ = await lab.pair()
    before = written(lab.data)
    for name, report in REPORTS.items():
        status, answer = await one.report(first, **report)
        assert (name, status) == (name, 400)
        assert answer["error"].endswith(".")
        assert written(lab.data) == before, name
    assert (await one.report(first, last_frame=7))[0] == 200


async def test_upload_without_the_right_token_is_refused(lab: Lab) -> None:
    one, two, first, second = await lab.pair()
    body = encode(batch(0))
    before = written(lab.data)
    assert (await one.upload({**first, "token": "a.b"}, body))[0] == 401
    assert (await one.upload({**first, "token": ""}, body))[0] == 401
    assert (await one.upload({**first, "token": one.identity["token"]}, body))[0] == 401
    assert (await one.upload({**first, "game_id": "f" * 20}, body))[0] == 403
    assert (await two.upload(second, body))[0] == 403
    assert (await one.upload(first, body, Origin="https://evil.example"))[0] == 403
    assert written(lab.data) == before
    assert (await one.upload(first, body, Origin=lab.base))[0] == 200


async def test_ids_that_are_paths_lead_nowhere(lab: Lab) -> None:
    one, _, first, _ = await lab.pair()
    before = written(lab.data)
    for name in ("..", "%2e%2e", "..%2f..%2fetc%2fpasswd", "%00", "a" * 5000, "'; DROP TABLE games; --", "é"):
        for end in ("batches", "report"):
            status = await post(one, f"/api/games/{name}/{end}", first["token"], encode(batch(0)))
            assert status in (400, 403, 404, 405)
    assert written(lab.data) == before


async def test_body_of_another_kind_is_refused(lab: Lab) -> None:
    one, _, first, _ = await lab.pair()
    before = written(lab.data)
    at = f"/api/games/{first['game_id']}"
    report = json.dumps({"verdict": "identical", "last_frame": 1, "chain_hash": ""}).encode()
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        assert await post(one, f"{at}/batches", first["token"], encode(batch(0)), kind) == 415
        assert await post(one, f"{at}/report", first["token"], report, kind) == 415
    assert await post(one, f"{at}/batches", first["token"], encode(batch(0)), JSON) == 415
    assert written(lab.data) == before
    assert await post(one, f"{at}/report", first["token"], report, "Application/JSON; charset=utf-8") == 200


async def test_ten_megabytes_are_not_even_read(lab: Lab) -> None:
    one, _, first, _ = await lab.pair()
    before = written(lab.data)
    at = f"/api/games/{first['game_id']}"
    for end, kind in (("batches", BYTES), ("report", JSON)):
        assert await post(one, f"{at}/{end}", first["token"], BytesIO(bytes(10**7)), kind) in (413, 0)

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield bytes(10_000)

    headers = {"Authorization": f"Bearer {first['token']}", "Content-Type": BYTES}
    try:
        async with one.http.post(f"{one.base}{at}/batches", data=endless(), headers=headers) as answer:
            assert answer.status == 413
    except aiohttp.ClientConnectionError:
        pass
    assert written(lab.data) == before
    assert (await one.upload(first, encode(batch(0))))[0] == 200


@pytest.mark.parametrize(("end", "kind"), [("batches", BYTES), ("report", JSON)])
async def test_upload_that_breaks_off_is_no_fault_of_ours(
    lab: Lab, caplog: pytest.LogCaptureFixture, end: str, kind: str
) -> None:
    one, _, first, _ = await lab.pair()
    before = written(lab.data)
    host, _, port = one.base.removeprefix("http://").partition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    head = (
        f"POST /api/games/{first['game_id']}/{end} HTTP/1.1\r\nHost: study\r\n"
        f"Authorization: Bearer {first['token']}\r\nContent-Type: {kind}\r\nContent-Length: 999\r\n\r\n"
    )
    writer.write(head.encode() + b"{")
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    await until(lambda: bool(caplog.records))
    assert "broke off" in caplog.text
    assert "Traceback" not in caplog.text
    assert written(lab.data) == before


async def test_refusals_are_counted_and_logged_sparingly(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    one, _, first, _ = await lab.pair()
    for _ in range(30):
        await one.upload(first, b"")
    await one.upload({**first, "token": ""}, b"")
    said = [record.getMessage() for record in caplog.records if "were refused" in record.getMessage()]
    assert [line.split(":")[0] for line in said] == [
        "1 uploads were refused with 400",
        "10 uploads were refused with 400",
        "1 uploads were refused with 401",
    ]
