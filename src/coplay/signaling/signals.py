"""The layout of a signal, and its validation before it is relayed.

| Field | Type |
|---|---|
| `type` | one of `SIGNAL_TYPES` |
| `game_id` | 8 to 40 lower-case letters and digits |
| `target_player_id` | 0 to 7 |
| `payload.epoch`, `.negotiation`, `.seq` | optional whole numbers from 0 |
| `payload.message_id` | optional, 1 to 64 characters |
| `payload.sdp` | offers and answers: SDP, at most 16 KiB |
| `payload.candidate` | ICE candidates: an `RTCIceCandidateInit`, at most 512 bytes, or a list of 1 to 32 |
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeGuard

MAX_SDP_BYTES: Final = 16 * 1024
MAX_CANDIDATE_BYTES: Final = 512
MAX_CANDIDATES: Final = 32
MAX_OTHER_BYTES: Final = 4 * 1024
MAX_PLAYER_ID: Final = 7

SIGNAL_TYPES: Final = frozenset(
    {"offer", "answer", "ice-candidate", "restart-request", "rebuild-request", "bye"}
)

_CONTENT_FIELDS: Final = {"offer": "sdp", "answer": "sdp", "ice-candidate": "candidate"}
"""The payload field that holds the content; all other fields share `MAX_OTHER_BYTES`."""

_GAME_ID = re.compile(r"[a-z0-9]{8,40}")
_CANDIDATE = re.compile(r"(?:a=)?candidate:[\x20-\x7e]+|")
_CANDIDATE_FIELDS = {"candidate", "sdpMid", "sdpMLineIndex", "usernameFragment"}


class MalformedSignalError(ValueError):
    """Raised for a signal that no page of ours would send; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Signal:
    """A validated signal.

    Attributes:
        type: One of `SIGNAL_TYPES`.
        game_id: The game that it belongs to.
        target_player_id: The recipient.
        payload: The content, relayed unchanged.
        claimed_player_id: The sender's `player_id` as the sender states it, or None. Only compared, never
            trusted.
    """

    type: str
    game_id: str
    target_player_id: int
    payload: dict[str, Any]
    claimed_player_id: object = None


def read_signal(message: object) -> Signal:
    """Validate a message and return it as a signal.

    Args:
        message: The message as it came over the socket; any type.

    Raises:
        MalformedSignalError: The message is not a signal.
    """
    if not isinstance(message, dict):
        raise MalformedSignalError("a signal is an object")
    kind, game_id = message.get("type"), message.get("game_id")
    target, payload = message.get("target_player_id"), message.get("payload")
    if not isinstance(kind, str) or kind not in SIGNAL_TYPES:
        raise MalformedSignalError("unknown type of signal")
    if not isinstance(game_id, str) or not _GAME_ID.fullmatch(game_id):
        raise MalformedSignalError("game_id is not the id of a game")
    if not _is_count(target) or target > MAX_PLAYER_ID:
        raise MalformedSignalError("target_player_id is not a player")
    if not isinstance(payload, dict):
        raise MalformedSignalError("payload is not an object")
    _check_header(payload)
    content = _CONTENT_FIELDS.get(kind)
    # Encoding to measure is slow. Most payloads are smaller as a whole than each of their parts may be, so
    # that one measurement is enough.
    small = content != "sdp" and _json_size(payload) <= MAX_CANDIDATE_BYTES
    if content == "sdp":
        _check_sdp(payload.get(content))
    elif content:
        _check_candidates(payload.get(content), small)
    if not small and _json_size({key: payload[key] for key in payload if key != content}) > MAX_OTHER_BYTES:
        raise MalformedSignalError("payload is too large")
    return Signal(kind, game_id, target, payload, message.get("from_player_id"))


def _check_header(payload: Mapping[str, Any]) -> None:
    for name in ("epoch", "negotiation", "seq"):
        if name in payload and not _is_count(payload[name]):
            raise MalformedSignalError(f"{name} is not a whole number from 0")
    message_id = payload.get("message_id", "-")
    if not isinstance(message_id, str) or not 1 <= len(message_id) <= 64:
        raise MalformedSignalError("message_id is not 1 to 64 characters")


def _check_sdp(sdp: object) -> None:
    if not isinstance(sdp, str) or not sdp.startswith("v=0"):
        raise MalformedSignalError("payload.sdp is not SDP")
    if len(sdp.encode("utf-8", "replace")) > MAX_SDP_BYTES:
        raise MalformedSignalError("payload.sdp is larger than 16 KiB")


def _check_candidates(given: object, small: bool) -> None:
    candidates = given if isinstance(given, list) else [given]
    if not 1 <= len(candidates) <= MAX_CANDIDATES:
        raise MalformedSignalError(f"a signal carries 1 to {MAX_CANDIDATES} candidates")
    for candidate in candidates:
        _check_candidate(candidate, small)


def _check_candidate(candidate: object, small: bool) -> None:
    # Some browsers mark the end of candidates with None, others with the empty string of the standard.
    if candidate is None:
        return
    if not isinstance(candidate, dict) or not set(candidate) <= _CANDIDATE_FIELDS:
        raise MalformedSignalError("a candidate has an unknown field")
    line = candidate.get("candidate")
    if not isinstance(line, str) or not (small or _json_size(candidate) <= MAX_CANDIDATE_BYTES):
        raise MalformedSignalError("a candidate is larger than 512 bytes")
    if not _CANDIDATE.fullmatch(line):
        raise MalformedSignalError("a candidate's text is not an ICE candidate")
    index, fragment, mid = (candidate.get(key) for key in ("sdpMLineIndex", "usernameFragment", "sdpMid"))
    texts_fit = all(value is None or isinstance(value, str) for value in (fragment, mid))
    if not texts_fit or not (index is None or _is_count(index)):
        raise MalformedSignalError("a candidate has a field of the wrong type")


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def _json_size(value: object) -> int:
    try:
        return len(json.dumps(value))
    except (TypeError, ValueError, RecursionError) as error:
        # Socket.IO delivers binary attachments as bytes objects, which no signal has.
        raise MalformedSignalError("payload holds a value that is not JSON") from error
