"""The handwritten vectors in protocol/vectors decode exactly as they state."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from coplay.netcode.wire.format import HEADER_SIZE, MalformedDatagramError
from coplay.netcode.wire.hello import decode_hello
from coplay.netcode.wire.play import decode_play
from coplay.netcode.wire.transfer import PIECE, WANT, decode_piece, decode_want

VECTORS = Path(__file__).resolve().parents[3] / "protocol" / "vectors"


def load(name: str) -> list[Any]:
    vectors = json.loads((VECTORS / name).read_text(encoding="utf-8"))
    return [pytest.param(vector, id=vector["name"]) for vector in vectors]


def plain(value: object) -> object:
    """Return a value as JSON represents it."""
    match value:
        case bytes():
            return value.hex()
        case list() | tuple():
            return [plain(item) for item in value]
        case dict():
            return {key: plain(item) for key, item in value.items()}
    return value


@pytest.mark.parametrize("vector", load("play.json"))
def test_play_vector_reads_as_stated(vector: dict[str, Any]) -> None:
    data = bytes.fromhex(vector["hex"])
    if "malformed" in vector:
        with pytest.raises(MalformedDatagramError, match=re.escape(vector["malformed"])):
            decode_play(data, vector["sizes"])
        return
    play = decode_play(data, vector["sizes"])
    for field, expected in vector["fields"].items():
        assert plain(getattr(play, field)) == expected, field


@pytest.mark.parametrize("vector", load("hello.json"))
def test_hello_vector_reads_as_stated(vector: dict[str, Any]) -> None:
    data = bytes.fromhex(vector["hex"])
    if "malformed" in vector:
        with pytest.raises(MalformedDatagramError, match=re.escape(vector["malformed"])):
            decode_hello(data)
        return
    hello = decode_hello(data)
    for field, expected in vector["fields"].items():
        assert plain(getattr(hello, field)) == expected, field


@pytest.mark.parametrize("vector", load("state.json"))
def test_state_vector_reads_as_stated(vector: dict[str, Any]) -> None:
    kind, body = bytes.fromhex(vector["hex"])[HEADER_SIZE], bytes.fromhex(vector["hex"])[HEADER_SIZE + 1 :]
    if "malformed" in vector:
        with pytest.raises(MalformedDatagramError, match=re.escape(vector["malformed"])):
            (decode_want if kind == WANT else decode_piece)(body)
    elif "want" in vector:
        assert kind == WANT
        want = decode_want(body)
        have = [index for index in range(16) if want.has(index)]
        found = {"ident": want.ident, "purpose": want.purpose, "frame": want.frame, "have": have}
        assert found == vector["want"]
    else:
        assert kind == PIECE
        names = ("ident", "size", "index", "bytes")
        assert dict(zip(names, plain(decode_piece(body)), strict=True)) == vector["piece"]
