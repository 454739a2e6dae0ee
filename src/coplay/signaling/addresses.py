"""Removes players' IP addresses from signals, for studies in which players must not learn them.

Only candidates of a TURN server remain, without the address that they stand for. A browser that follows the
study's relay-only policy sends nothing else; this module enforces the policy on browsers that do not.
"""

import re
from typing import Any, Final

UNSPECIFIED_ADDRESS: Final = "0.0.0.0"  # noqa: S104 (written into SDP, never listened on)
# An allow-list: a field that is not checked here could carry an address.
_PASSED_FIELDS: Final = ("epoch", "negotiation", "seq", "message_id", "acks", "reason")
_RELAY_CANDIDATE = re.compile(r"(?:a=)?candidate:\S+ \d+ \S+ \d+ \S+ \d+ typ relay(?: .*)?", re.IGNORECASE)
_RELATED_ADDRESS = re.compile(r" raddr \S+(?: rport \d+)?", re.IGNORECASE)
_CONNECTION_ADDRESS = re.compile(r"\bIN (?:IP4|IP6) \S+", re.IGNORECASE)


def without_addresses(kind: str, payload: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of a signal's payload that has only known fields, without addresses.

    All candidates may be removed. The signal is still relayed, with an empty list, because it may carry
    acknowledgements.

    Args:
        kind: The signal's type.
        payload: Its payload, already validated by `read_signal`.
    """
    kept: dict[str, Any] = {name: payload[name] for name in _PASSED_FIELDS if name in payload}
    if kind in ("offer", "answer"):
        kept["sdp"] = sdp_without_addresses(payload["sdp"])
    elif kind == "ice-candidate":
        given = payload.get("candidate")
        if isinstance(given, list):
            kept["candidate"] = [candidate for candidate in map(_without_address, given) if candidate != []]
        else:
            kept["candidate"] = _without_address(given)
    return kept


def sdp_without_addresses(sdp: str) -> str:
    """Return a session description with relay candidates only, and with every other address blanked."""
    lines = []
    # Browsers accept all three line endings, so a candidate must not hide behind an unusual one.
    for line in re.split(r"\r\n|\r|\n", sdp):
        start = line[:2].lower()
        if line.lower().startswith("a=candidate:"):
            if not _RELAY_CANDIDATE.fullmatch(line):
                continue
            line = _without_related_address(line)
        elif line.lower().startswith("a=remote-candidates:"):
            continue
        elif start in ("o=", "c=") or line.lower().startswith("a=rtcp:"):
            line = _CONNECTION_ADDRESS.sub(f"IN IP4 {UNSPECIFIED_ADDRESS}", line)
        lines.append(line)
    return "\r\n".join(lines)


def _without_address(candidate: dict[str, Any] | None) -> Any:
    """Return a relay candidate without its related address, an end mark unchanged, or [] for any other."""
    if candidate is None or not candidate["candidate"]:
        return candidate
    line = candidate["candidate"]
    if not _RELAY_CANDIDATE.fullmatch(line):
        return []
    return {**candidate, "candidate": _without_related_address(line)}


def _without_related_address(line: str) -> str:
    # A relay candidate names the player's own public address as its related address (RFC 8839, 5.1).
    return _RELATED_ADDRESS.sub(f" raddr {UNSPECIFIED_ADDRESS} rport 0", line)
