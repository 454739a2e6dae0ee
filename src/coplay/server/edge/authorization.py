"""Checks whether a request is authorized: the origin of its page, and its token."""

from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request

from coplay.server.refusals import RequestRefusedError
from coplay.signaling import TokenSigner

LOOPBACK: Final = frozenset({"127.0.0.1", "::1"})
"""Addresses of this machine. Limits per address do not apply to them: tests and bots connect from here."""


def check_origin(request: Request) -> None:
    """Check that a request comes from our own pages, or from no page at all.

    A browser names the origin of the page that sends a POST request (Fetch standard, 3.1).

    Raises:
        RequestRefusedError: Another site's page sent it.
    """
    origin = request.headers.get("origin")
    # A proxy in front of us may replace the host. A page can set neither header on a request to us.
    ours = {request.headers.get("host"), request.headers.get("x-forwarded-host")}
    if origin is not None and urlsplit(origin).netloc not in ours:
        raise RequestRefusedError(403, "Only the study's own page may ask this.")


def bearer_claims(request: Request, signer: TokenSigner, kind: str, now: float) -> dict[str, str | int]:
    """Return the claims of the token in a request's `Authorization: Bearer …` header.

    Args:
        request: The request.
        signer: Verifies the token.
        kind: The kind of token that is needed.
        now: Seconds since 1970.

    Raises:
        TokenError: There is no such token, or it is not valid.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return signer.read(kind, token if scheme.lower() == "bearer" else "", now)
