"""STUN and TURN servers, with short-lived TURN credentials for one player.

The username is `<expiry>:<player>`, and the password an HMAC of the username, which the TURN server computes
from the same secret.

Source: "A REST API For Access To TURN Services" (draft-uberti-behave-turn-rest), coturn's `use-auth-secret`.
"""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Any, Final

from coplay.errors import UsageError

CREDENTIALS_S: Final = 600
_STUN_URL = re.compile(r"stuns?:[^\s?]+")
_TURN_URL = re.compile(r"turns?:[^\s?]+(\?transport=(udp|tcp))?")


@dataclass(frozen=True, slots=True)
class IceServers:
    """The STUN and TURN servers of a study host; none by default.

    Attributes:
        stun: URLs such as `stun:stun.example.org:3478`.
        turn: URLs such as `turn:turn.example.org:3478?transport=udp`.
        secret: The `static-auth-secret` of coturn.

    Raises:
        UsageError: A URL is malformed, or there is a TURN server without a secret.
    """

    stun: tuple[str, ...] = ()
    turn: tuple[str, ...] = ()
    secret: str = ""

    def __post_init__(self) -> None:
        for urls, kind, pattern, example in (
            (self.stun, "STUN", _STUN_URL, "stun:stun.example.org:3478"),
            (self.turn, "TURN", _TURN_URL, "turn:turn.example.org:3478?transport=udp"),
        ):
            for url in urls:
                if not pattern.fullmatch(url):
                    raise UsageError(
                        f"{url!r} is not the URL of a {kind} server", f"Write for example {example}."
                    )
        if self.turn and not self.secret:
            raise UsageError(
                "there is a TURN server, but no secret to make credentials with",
                "Set COPLAY_TURN_SECRET to the static-auth-secret of coturn.",
            )

    @property
    def expires(self) -> bool:
        """True if the servers include credentials, which have to be renewed."""
        return bool(self.turn)

    def for_player(self, player: str, now: float) -> list[dict[str, Any]]:
        """Return the `iceServers` for the `RTCPeerConnection` of one player.

        Args:
            player: A name for the player, which the TURN server sees; without colons.
            now: Seconds since 1970; the TURN server compares the expiry with its own wall clock.
        """
        servers: list[dict[str, Any]] = []
        if self.stun:
            servers.append({"urls": list(self.stun)})
        if self.turn:
            username = f"{int(now) + CREDENTIALS_S}:{player}"
            # The draft prescribes SHA-1 for these credentials.
            mac = hmac.new(self.secret.encode(), username.encode(), hashlib.sha1).digest()
            credential = base64.b64encode(mac).decode()
            servers.append({"urls": list(self.turn), "username": username, "credential": credential})
        return servers
