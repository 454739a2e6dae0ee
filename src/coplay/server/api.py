"""The HTTP half of what pages ask: arriving, and uploading what was played."""

import asyncio
import json
import logging
import re
import secrets
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from coplay.data.batches import MAX_BATCH_BYTES
from coplay.server import clock
from coplay.server.ledger import Ledger, UploadError
from coplay.server.messenger import Messenger
from coplay.server.settings import Settings
from coplay.server.usher import Usher, failure
from coplay.server.visitors import ArrivalError, Visitors
from coplay.signaling import TokenError, TokenSigner
from coplay.signaling.bucket import TokenBucket

MAX_ARRIVAL_BYTES: Final = 16 * 1024
MAX_ADDRESSES: Final = 10_000
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1"})
_GAME_ID = re.compile(r"[0-9a-f]{20}")

_log = logging.getLogger(__name__)


class Refusal(Exception):
    """A request that is refused with a sentence."""

    def __init__(self, status: int, error: str, hint: str = "") -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.hint = hint


class Api:
    """Answers what pages ask over HTTP.

    Args:
        boot: What every page needs to start: `{study, runtime, bundle}`.
        settings: Limits and waits.
        signer: Makes and reads tokens.
        visitors: The participants.
        messenger: Reaches their pages.
        usher: Is told of reloads.
        ledger: Takes uploads.
    """

    def __init__(
        self,
        boot: dict[str, Any],
        settings: Settings,
        signer: TokenSigner,
        visitors: Visitors,
        messenger: Messenger,
        usher: Usher,
        ledger: Ledger,
    ) -> None:
        self._boot = boot
        self._settings = settings
        self._signer = signer
        self._visitors = visitors
        self._messenger = messenger
        self._usher = usher
        self._ledger = ledger
        self._arrivals: dict[str, TokenBucket] = {}
        self._buckets: dict[tuple[str, int], TokenBucket] = {}

    async def participants(self, request: Request) -> Response:
        """`POST /api/participants`: a page was loaded."""
        self._check_arrivals(request)
        body = await _json_body(request, MAX_ARRIVAL_BYTES)
        try:
            visitor, secret = self._visitors.arrive(body, request.headers.get("user-agent", ""))
        except ArrivalError as error:
            raise Refusal(error.status, error.message, error.hint) from None
        member = visitor.participant_id
        gone = failure("This study was opened in another tab.", "Go on in that tab, and close this one.")
        self._messenger.close(member, "failed", gone)
        self._usher.reloaded(visitor)
        claims: dict[str, str | int] = {"participant": member, "visit": visitor.visit}
        token = self._signer.sign("participant", claims, clock.wall() + self._settings.token_s)
        if visitor.stored is not None:
            await _stored(visitor.stored)
        return JSONResponse({"participant_id": member, "secret": secret, "token": token, **self._boot})

    async def batch(self, request: Request) -> Response:
        """`POST /api/games/<game_id>/batches`: some confirmed frames."""
        game_id, player = self._player(request)
        body = await _body(request, MAX_BATCH_BYTES)
        acked = await self._ledger.add_batch(game_id, player, body)
        return JSONResponse({"ok": True, "acked": acked})

    async def report(self, request: Request) -> Response:
        """`POST /api/games/<game_id>/report`: how a peer saw the end."""
        game_id, player = self._player(request)
        await self._ledger.add_report(game_id, player, await _json_body(request, MAX_BATCH_BYTES))
        return JSONResponse({"ok": True})

    def _check_arrivals(self, request: Request) -> None:
        """Nobody fills the database from one address; this machine itself (tests, robots) may."""
        address = request.client.host if request.client else ""
        if address in _LOOPBACK:
            return
        if address not in self._arrivals:
            if len(self._arrivals) >= MAX_ADDRESSES:
                self._arrivals.clear()
            rate, burst = self._settings.arrivals_a_second, self._settings.arrival_burst
            self._arrivals[address] = TokenBucket(rate, burst, clock.now())
        if not self._arrivals[address].take(clock.now()):
            raise Refusal(429, "Too many pages are being opened from your network.", "Try again in a minute.")

    def _player(self, request: Request) -> tuple[str, int]:
        """The game and player that a request's token is bound to."""
        _check_origin(request)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        try:
            claims = self._signer.read("game", token if scheme.lower() == "bearer" else "", clock.wall())
        except TokenError as error:
            raise Refusal(401, "This page may not upload.", error.hint or "Reload the page.") from None
        game_id, player = str(claims["game"]), int(claims["player"])
        if request.path_params["game_id"] != game_id or not _GAME_ID.fullmatch(game_id):
            raise Refusal(403, "The token is for another game.")
        bucket = self._buckets.get((game_id, player))
        if bucket is None:
            rate, burst = self._settings.uploads_a_second, self._settings.upload_burst
            bucket = self._buckets[game_id, player] = TokenBucket(rate, burst, clock.now())
        if not bucket.take(clock.now()):
            raise Refusal(429, "Too many uploads at once.", "Try again in a second.")
        return game_id, player


async def refused(_request: Request, error: Exception) -> Response:
    """The answer to a request that was refused."""
    match error:
        case Refusal():
            return JSONResponse(failure(error.error, error.hint), error.status)
        case UploadError():
            return JSONResponse(failure(error.message, ""), error.status)
        case _:
            raise error


async def broken(request: Request, error: Exception) -> Response:
    """The answer when the fault is ours: a sentence and a number; the traceback is in the log."""
    reference = secrets.token_hex(4)
    _log.error("%s %s failed (reference %s)", request.method, request.url.path, reference, exc_info=error)
    return JSONResponse(
        failure("Something went wrong on the study's server.", "Reload the page in a minute.", reference), 500
    )


async def _stored(future: Any) -> None:
    try:
        await asyncio.wrap_future(future)
    except Exception as error:
        hint = "Reload this page in a minute."
        raise Refusal(503, "The study's server cannot store data at the moment.", hint) from error


def _check_origin(request: Request) -> None:
    """Only our own pages may ask: a browser names the origin of whoever makes it send a POST (Fetch, 3.1)."""
    origin = request.headers.get("origin")
    # No page can set these two headers on a request to us; a proxy in front of us does.
    ours = {request.headers.get("host"), request.headers.get("x-forwarded-host")}
    if origin is not None and urlsplit(origin).netloc not in ours:
        raise Refusal(403, "Only the study's own page may ask this.")


async def _body(request: Request, most: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise Refusal(413, f"This is larger than {most // 1024} KiB.")
    return bytes(body)


def _refuse_constant(name: str) -> float:
    # Python reads NaN, which is no JSON, and which not every database can store.
    raise ValueError(name)


async def _json_body(request: Request, most: int) -> dict[str, Any]:
    _check_origin(request)
    try:
        body = json.loads(await _body(request, most), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise Refusal(400, "The request is not JSON.") from None
    if not isinstance(body, dict):
        raise Refusal(400, "The request is not a JSON object.")
    return body
