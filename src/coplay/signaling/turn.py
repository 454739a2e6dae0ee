"""STUN and TURN servers, with credentials for one player and a short time.

The username is `<expiry>:<player>`, and the password an HMAC of it that both servers can make.

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
_STUN = re.compile(r"stuns?:[^\s?]+")
_TURN = re.compile(r"turns?:[^\s?]+(\?transport=(udp|tcp))?")


@dataclass(frozen=True, slots=True)
class IceServers:
    """What helps players' browsers to reach each other; nothing by default.

    Attributes:
        stun: Addresses such as `stun:stun.example.org:3478`.
        turn: Addresses such as `turn:turn.example.org:3478?transport=udp`.
        secret: What coturn has as `static-auth-secret`.

    Raises:
        UsageError: An address is none, or there is TURN without a secret.
    """

    stun: tuple[str, ...] = ()
    turn: tuple[str, ...] = ()
    secret: str = ""

    def __post_init__(self) -> None:
        for urls, pattern, example in (
            (self.stun, _STUN, "stun:stun.example.org:3478"),
            (self.turn, _TURN, "turn:turn.example.org:3478?transport=udp"),
        ):
            for url in urls:
                if not pattern.fullmatch(url):
                    raise UsageError(f"{url!r} is no such address", f"Write for example {example}.")
        if self.turn and not self.secret:
            raise UsageError(
                "there is a TURN server, but no secret to make credentials with",
                "Set COPLAY_TURN_SECRET to the static-auth-secret of coturn.",
            )

    @property
    def expires(self) -> bool:
        """Whether there is anything in it that has to be renewed."""
        return bool(self.turn)

    def for_player(self, player: str, now: float) -> list[dict[str, Any]]:
        """The `iceServers` of one player's `RTCPeerConnection`.

        Args:
            player: Names the player to the TURN server; no colon.
            now: Seconds since 1970, which the TURN server has to know about as well.
        """
        servers: list[dict[str, Any]] = []
        if self.stun:
            servers.append({"urls": list(self.stun)})
        if self.turn:
            username = f"{int(now) + CREDENTIALS_S}:{player}"
            mac = hmac.new(self.secret.encode(), username.encode(), hashlib.sha1).digest()
            credential = base64.b64encode(mac).decode()
            servers.append({"urls": list(self.turn), "username": username, "credential": credential})
        return servers
