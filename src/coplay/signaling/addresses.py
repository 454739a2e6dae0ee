"""Takes players' addresses out of signals, in studies where players must not learn them.

Only candidates of a TURN server are left, without the address that they stand for. A browser that obeys the
study sends nothing else; what is done here holds for those that do not.
"""

import re
from typing import Any, Final

NOWHERE: Final = "0.0.0.0"  # noqa: S104 (not listened on)
_KNOWN: Final = ("epoch", "negotiation", "seq", "message_id", "acks", "reason")
_RELAYED = re.compile(r"(?:a=)?candidate:\S+ \d+ \S+ \d+ \S+ \d+ typ relay(?: .*)?", re.IGNORECASE)
_RELATED = re.compile(r" raddr \S+(?: rport \d+)?", re.IGNORECASE)
_ADDRESS = re.compile(r"\bIN (?:IP4|IP6) \S+", re.IGNORECASE)


def without_addresses(kind: str, payload: dict[str, Any]) -> dict[str, Any]:
    """What goes on of a signal that was checked: nothing but what is known, less the addresses.

    Candidates may all be gone; the signal still goes on, with an empty list, since it acknowledges others.

    Args:
        kind: The signal's type.
        payload: Its payload.
    """
    kept: dict[str, Any] = {name: payload[name] for name in _KNOWN if name in payload}
    if kind in ("offer", "answer"):
        kept["sdp"] = sdp_without_addresses(payload["sdp"])
    elif kind == "ice-candidate":
        given = payload.get("candidate")
        if isinstance(given, list):
            kept["candidate"] = [candidate for candidate in map(_clean, given) if candidate != []]
        else:
            kept["candidate"] = _clean(given)
    return kept


def sdp_without_addresses(sdp: str) -> str:
    """A session description whose candidates are relayed ones, and whose other lines name no address."""
    lines = []
    for line in re.split(r"\r\n|\r|\n", sdp):
        start = line[:2].lower()
        if line.lower().startswith("a=candidate:"):
            if not _RELAYED.fullmatch(line):
                continue
            line = _unrelated(line)
        elif line.lower().startswith("a=remote-candidates:"):
            continue
        elif start in ("o=", "c=") or line.lower().startswith("a=rtcp:"):
            line = _ADDRESS.sub(f"IN IP4 {NOWHERE}", line)
        lines.append(line)
    return "\r\n".join(lines)


def _clean(candidate: dict[str, Any] | None) -> Any:
    """A candidate as it may go on, an end mark as it is, and an empty list for what may not."""
    if candidate is None or not candidate["candidate"]:
        return candidate
    line = candidate["candidate"]
    return {**candidate, "candidate": _unrelated(line)} if _RELAYED.fullmatch(line) else []


def _unrelated(line: str) -> str:
    return _RELATED.sub(f" raddr {NOWHERE} rport 0", line)
