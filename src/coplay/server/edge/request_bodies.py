"""Reads the bodies of requests, with limits on their size, type, depth and values."""

import json
import re
from typing import Any, Final

from starlette.requests import ClientDisconnect, Request

from coplay.server.refusals import RequestRefusedError

MAX_DEPTH: Final = 16
"""How deep JSON may be nested, so that code that reads or writes it later does not run out of stack."""

# PostgreSQL stores neither NUL nor lone surrogates in a text, and UTF-8 cannot encode the latter.
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")


def check_type(request: Request, expected: str) -> None:
    """Check the media type of a request's body.

    Raises:
        RequestRefusedError: The type is not the expected one.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != expected:
        raise RequestRefusedError(415, f"This must be sent as {expected}.")


def announced_size(request: Request, most: int) -> int:
    """Return an upper bound of a body's size before it is read: the announced size, at most `most` bytes."""
    announced = request.headers.get("content-length", "")
    return min(most, int(announced)) if announced.isdecimal() else most


async def read_body(request: Request, most: int) -> bytes:
    """Read a body of at most `most` bytes. Stop reading as soon as it is larger.

    Raises:
        RequestRefusedError: The body is larger, or the connection was closed.
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
            # Common, since pages are closed while they upload. The answer reaches nobody.
            raise RequestRefusedError(400, "The request broke off.") from None
    raise RequestRefusedError(413, f"This is larger than {most // 1024} KiB.")


async def read_json(request: Request, most: int) -> dict[str, Any]:
    """Read a JSON object of at most `most` bytes that every supported database can store.

    Raises:
        RequestRefusedError: The body is something else, or is nested too deeply.
    """
    try:
        body = json.loads(await read_body(request, most), parse_constant=_refuse_constant)
        _check_values(body, MAX_DEPTH)
    except (ValueError, RecursionError):
        raise RequestRefusedError(400, "The request is not JSON.") from None
    if not isinstance(body, dict):
        raise RequestRefusedError(400, "The request is not a JSON object.")
    return body


def _refuse_constant(name: str) -> float:
    # Python reads NaN and Infinity, which are not JSON, and which PostgreSQL cannot store.
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
