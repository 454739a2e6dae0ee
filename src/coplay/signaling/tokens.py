"""Signed, short-lived tokens that state who someone is, so that the server keeps no sessions.

A token is `base64url(JSON claims) . base64url(HMAC-SHA256)`. The claims include the token's kind, so that a
token for one purpose is rejected for any other.

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
MAX_CACHED_TOKENS = 4096


class TokenError(CoplayError):
    """Raised for a token that is forged, expired, or of another kind."""


class TokenSigner:
    """A signer and verifier of tokens.

    Args:
        secret: At least 32 random bytes that only this server knows.

    Raises:
        ValueError: The secret is too short.
    """

    def __init__(self, secret: bytes) -> None:
        if len(secret) < 32:
            raise ValueError("the secret must have at least 32 bytes")
        self._secret = secret
        # A page sends the same token with each upload, a thousand times a second in all, so verified tokens
        # are cached. `lru_cache` does not cache exceptions, so forged tokens cannot fill the cache.
        self._cached_claims = lru_cache(MAX_CACHED_TOKENS)(self._verified_claims)

    def sign(self, kind: str, claims: Mapping[str, str | int], expires: float) -> str:
        """Return a signed token.

        Args:
            kind: The token's purpose; `read` requires the same.
            claims: What the token states.
            expires: When the token expires, in seconds of the clock that `read` is given.
        """
        body = json.dumps(
            {**claims, "kind": kind, "expires": int(expires)}, separators=(",", ":"), sort_keys=True
        )
        encoded = _encoded(body.encode())
        return f"{encoded}.{_encoded(self._mac(encoded))}"

    def read(self, kind: str, token: object, now: float) -> dict[str, str | int]:
        """Verify a token and return its claims.

        Args:
            kind: The expected purpose.
            token: The token as a client sent it; any type.
            now: Seconds of the clock that `expires` was given in.

        Raises:
            TokenError: The token is forged, of another kind, or expired.
        """
        if not isinstance(token, str) or len(token) > MAX_TOKEN_LENGTH or not token.isascii():
            raise TokenError("the token was not issued by this server")
        # A copy, because the cached claims must stay complete.
        claims = dict(self._cached_claims(token))
        if claims.pop("kind") != kind:
            raise TokenError("the token is for another purpose")
        if int(claims.pop("expires")) <= now:
            raise TokenError("the token has expired", "Reload the page.")
        return claims

    def _verified_claims(self, token: str) -> Mapping[str, str | int]:
        encoded, _, mac = token.partition(".")
        try:
            # In constant time: response times must not reveal how much of a forged signature is right.
            genuine = hmac.compare_digest(_decoded(mac), self._mac(encoded))
        except (ValueError, binascii.Error):
            genuine = False
        if not genuine:
            raise TokenError("the token was not issued by this server")
        # Parsed only once the signature is verified, so that no claim of a stranger reaches the parser.
        claims: dict[str, str | int] = json.loads(_decoded(encoded))
        return claims

    def _mac(self, encoded: str) -> bytes:
        return hmac.new(self._secret, encoded.encode(), hashlib.sha256).digest()


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
