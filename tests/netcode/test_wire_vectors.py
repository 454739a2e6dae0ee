"""The hand-written vectors in protocol/vectors are read exactly as they say."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from coplay.netcode.greeting import decode_hello
from coplay.netcode.packets import decode_play
from coplay.netcode.wire import MalformedDatagramError

VECTORS = Path(__file__).resolve().parents[2] / "protocol" / "vectors"


def load(name: str) -> list[Any]:
    vectors = json.loads((VECTORS / name).read_text(encoding="utf-8"))
    return [pytest.param(vector, id=vector["name"]) for vector in vectors]


def plain(value: object) -> object:
    """The value as JSON has it."""
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
