"""Reads the bodies of requests: how large, of which kind, from which page. Nothing in them is believed."""

import json
import re
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.requests import ClientDisconnect, Request

MAX_DEPTH: Final = 16
"""Of nested JSON. What reads or writes it later must not run out of stack."""

# PostgreSQL can hold neither of these in a text, nor can UTF-8 the latter.
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")


class RequestRefused(Exception):
    """A request that is refused with a sentence.

    Args:
        status: HTTP status.
        error: What is wrong.
        hint: What to do about it.
        retry_after_s: When to try again; 0 for never.
    """

    def __init__(self, status: int, error: str, hint: str = "", retry_after_s: int = 0) -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.hint = hint
        self.retry_after_s = retry_after_s


def check_origin(request: Request) -> None:
    """Only our own pages may ask: a browser names the origin of whoever makes it send a POST (Fetch, 3.1).

    Raises:
        RequestRefused: Another site's page asks.
    """
    origin = request.headers.get("origin")
    # No page can set these two headers on a request to us; a proxy in front of us does.
    ours = {request.headers.get("host"), request.headers.get("x-forwarded-host")}
    if origin is not None and urlsplit(origin).netloc not in ours:
        raise RequestRefused(403, "Only the study's own page may ask this.")


def check_type(request: Request, expected: str) -> None:
    """Make sure that a body is of the kind that is expected.

    Raises:
        RequestRefused: It is of another kind.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != expected:
        raise RequestRefused(415, f"This must be sent as {expected}.")


def announced_size(request: Request, most: int) -> int:
    """How many bytes a body has at most, as far as that is known before it is read; not above `most`."""
    announced = request.headers.get("content-length", "")
    return min(most, int(announced)) if announced.isdecimal() else most


async def read_body(request: Request, most: int) -> bytes:
    """A body of at most `most` bytes; more is not even read.

    Raises:
        RequestRefused: It is larger, or broke off.
    """
    announced = request.headers.get("content-length", "")
    body = bytearray()
    if not announced.isdecimal() or int(announced) <= most:
        try:
            async for chunk in request.stream():
                body += chunk
                if len(body) > most:
                    break
            else:
                return bytes(body)
        except ClientDisconnect:
            # Pages are closed while they upload; nobody is there to read this.
            raise RequestRefused(400, "The request broke off.") from None
    raise RequestRefused(413, f"This is larger than {most // 1024} KiB.")


async def read_json(request: Request, most: int) -> dict[str, Any]:
    """A JSON object that every database can store.

    Raises:
        RequestRefused: It is none, or is nested too deeply.
    """
    try:
        body = json.loads(await read_body(request, most), parse_constant=_refuse_constant)
        _check_values(body, MAX_DEPTH)
    except (ValueError, RecursionError):
        raise RequestRefused(400, "The request is not JSON.") from None
    if not isinstance(body, dict):
        raise RequestRefused(400, "The request is not a JSON object.")
    return body


def _refuse_constant(name: str) -> float:
    # Python reads NaN, which is no JSON, and which not every database can store.
    raise ValueError(name)


def _check_values(value: Any, depth: int) -> None:
    if isinstance(value, str) and _UNSTORABLE.search(value):
        raise ValueError("a text that cannot be stored")
    if isinstance(value, dict | list):
        if not depth:
            raise ValueError("nested too deeply")
        for inner in value.values() if isinstance(value, dict) else value:
            _check_values(inner, depth - 1)
        if isinstance(value, dict):
            _check_values(list(value), depth)
