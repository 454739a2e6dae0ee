"""Endpoints without Starlette's middleware: the same errors and headers as everywhere else."""

import json
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Message

from coplay.server.edge.http_errors import PostEndpoint, not_found
from coplay.server.edge.pages import SECURITY_HEADERS
from coplay.server.refusals import RequestRefusedError

pytestmark = pytest.mark.anyio


async def answer(app: Any, method: str = "POST") -> tuple[int, dict[bytes, bytes], Any]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": "/x",
        "query_string": b"",
        "headers": [(b"host", b"lab")],
        "scheme": "http",
        "server": ("lab", 80),
    }
    await app(scope, receive, send)
    headers = dict(sent[0]["headers"])
    assert set(SECURITY_HEADERS) <= set(headers.items())
    return sent[0]["status"], headers, json.loads(sent[1]["body"])


async def test_answer_of_an_endpoint_has_the_security_headers() -> None:
    async def endpoint(_request: Request) -> Response:
        return JSONResponse({"ok": True})

    assert (await answer(PostEndpoint(endpoint)))[::2] == (200, {"ok": True})


async def test_refusal_has_its_status_its_sentence_and_when_to_retry() -> None:
    async def endpoint(_request: Request) -> Response:
        raise RequestRefusedError(429, "Too many.", "Wait.", retry_after_s=7)

    status, headers, body = await answer(PostEndpoint(endpoint))
    assert (status, headers[b"retry-after"]) == (429, b"7")
    assert body == {"error": "Too many.", "hint": "Wait.", "reference": ""}


async def test_fault_is_answered_with_a_reference_and_no_detail() -> None:
    async def endpoint(_request: Request) -> Response:
        raise ValueError("secret detail")

    status, _, body = await answer(PostEndpoint(endpoint))
    assert status == 500
    assert body["reference"]
    assert "secret" not in json.dumps(body)


async def test_other_methods_and_unknown_paths_are_refused() -> None:
    assert (await answer(PostEndpoint(not_found), "GET"))[0] == 405
    assert (await answer(PostEndpoint(not_found)))[0] == 404
