"""Signed, short-lived statements of who someone is, so that the server need not remember them.

A token is `base64url(JSON claims) . base64url(HMAC-SHA256)`. The claims name its kind, so that a token for
one purpose is worth nothing for another.

Source: the shape is that of JWT (RFC 7519) without its choice of algorithms, which is where JWT is attacked.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from functools import lru_cache

from coplay.errors import CoplayError

MAX_TOKEN_LENGTH = 1024
MAX_KNOWN = 4096
"""Genuine tokens whose claims are kept."""


class TokenError(CoplayError):
    """A token that is forged, out of date, or meant for something else."""


class TokenSigner:
    """Makes and reads tokens.

    Args:
        secret: At least 32 random bytes that only this server knows.
    """

    def __init__(self, secret: bytes) -> None:
        if len(secret) < 32:
            raise ValueError("the secret must have at least 32 bytes")
        self._secret = secret
        # A page brings the same token with each upload. Those that are none of ours are not kept.
        self._genuine_claims = lru_cache(MAX_KNOWN)(self._claims)

    def sign(self, kind: str, claims: Mapping[str, str | int], expires: float) -> str:
        """A token.

        Args:
            kind: What it is for; asked for again when it is read.
            claims: What it states.
            expires: When it stops being valid, in seconds of the clock that `read` is given.
        """
        body = json.dumps(
            {**claims, "kind": kind, "expires": int(expires)}, separators=(",", ":"), sort_keys=True
        )
        encoded = _encoded(body.encode())
        return f"{encoded}.{_encoded(self._mac(encoded))}"

    def read(self, kind: str, token: object, now: float) -> dict[str, str | int]:
        """The claims of a token.

        Raises:
            TokenError: It is not ours, not of this kind, or out of date.
        """
        if not isinstance(token, str) or len(token) > MAX_TOKEN_LENGTH or not token.isascii():
            raise TokenError("the token is not one of ours")
        claims = dict(self._genuine_claims(token))
        if claims.pop("kind") != kind:
            raise TokenError("the token is meant for something else")
        if int(claims.pop("expires")) <= now:
            raise TokenError("the token is out of date", "Reload the page.")
        return claims

    def _claims(self, token: str) -> Mapping[str, str | int]:
        encoded, _, mac = token.partition(".")
        try:
            genuine = hmac.compare_digest(_decoded(mac), self._mac(encoded))
        except (ValueError, binascii.Error):
            genuine = False
        if not genuine:
            raise TokenError("the token is not one of ours")
        claims: dict[str, str | int] = json.loads(_decoded(encoded))
        return claims

    def _mac(self, encoded: str) -> bytes:
        return hmac.new(self._secret, encoded.encode(), hashlib.sha256).digest()


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
