import json
import struct
from array import array
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coplay.data.batches import MAX_BATCH_BYTES, BatchError, FrameBatch, decode, encode

SIZES = (1, 2)


def batch(frames: int = 3, **more: object) -> FrameBatch:
    whole = FrameBatch(
        number=4,
        peer=1,
        first_frame=100,
        inputs=bytes(place % 256 for place in range(3 * frames)),
        confirmed_at_ms=array("d", [10.5 * frame for frame in range(frames)]),
        predicted=bytes([0b10] * frames),
        corrected_after=bytes(2 * frames),
        rewards=array("d", [-0.5] * 2 * frames),
        flags=bytes([4] * 2 * frames),
        episodes=array("H", [1] * frames),
        checksums=[(90, 2**64 - 1), (120, 5)],
        net=[{"rtt_ms": 12.5}],
        events=[{"kind": "hidden"}],
    )
    return replace(whole, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("frames", [0, 1, 3, 200])
def test_batch_is_the_same_after_encoding_and_decoding(frames: int) -> None:
    assert decode(encode(batch(frames)), 2, SIZES) == batch(frames)


def test_layout_is_the_documented_one() -> None:
    data = encode(batch(1))
    (length,) = struct.unpack_from("<I", data)
    header = json.loads(data[4 : 4 + length])
    assert header == {
        "number": 4,
        "peer": 1,
        "first_frame": 100,
        "frames": 1,
        "checksums": [[90, "f" * 16], [120, "0000000000000005"]],
        "net": [{"rtt_ms": 12.5}],
        "events": [{"kind": "hidden"}],
    }
    columns = bytes.fromhex(
        "000102"  # inputs: player 0 one byte, player 1 two
        "0000000000000000"  # confirmed at 0 ms
        "02"  # player 1 was a guess
        "0000"  # corrected after
        "000000000000e0bf000000000000e0bf"  # rewards -0.5
        "0404"  # flags: stepped
        "0100"  # episode 1
    )
    assert data[4 + length :] == columns


def header_with(**more: object) -> bytes:
    fields = {"number": 0, "peer": 0, "first_frame": 0, "frames": 0, "checksums": [], "net": [], "events": []}
    header = json.dumps({**fields, **more}).encode()
    return struct.pack("<I", len(header)) + header


def test_incarnation_is_in_the_number() -> None:
    assert (batch(number=5).incarnation, batch(number=3 * 2**20 + 5).incarnation) == (0, 3)


def test_values_may_be_nested_up_to_the_limit() -> None:
    nested = json.loads("[" * 7 + "]" * 7)
    assert decode(header_with(net=[{"a": nested}]), 2, SIZES).net == [{"a": nested}]


def test_smallest_header_is_a_batch() -> None:
    assert decode(header_with(), 2, SIZES).frames == 0


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0\0\0",
        struct.pack("<I", 10),
        struct.pack("<I", 2**32 - 1) + b"{}",
        struct.pack("<I", 2) + b"[]",
        struct.pack("<I", 2) + b"\xff\xff",
        struct.pack("<I", 5000) + b"[" * 5000,
        header_with(number=-1),
        header_with(number=2**40),
        header_with(number="0"),
        header_with(number=True),
        header_with(peer=2),
        header_with(peer=None),
        header_with(first_frame=-1),
        header_with(frames=1),
        header_with(frames=2**31),
        header_with(net={}),
        header_with(net=[1]),
        header_with(net=[{"a": json.loads("[" * 9 + "]" * 9)}]),
        header_with(events=[{"a": json.loads('{"a":' * 9 + "1" + "}" * 9)}]),
        header_with(checksums={}),
        header_with(checksums=[[1, "0" * 16]] * 5000),
        header_with(events=[{}] * 5000),
        header_with(net=[{"rtt_ms": float("nan")}]),
        header_with(checksums=[[1, 2]]),
        header_with(checksums=[[1, "xyz"]]),
        header_with(checksums=[[-1, "0" * 16]]),
        header_with(checksums=[[1, "-" + "0" * 15 + "x"]]),
        header_with() + b"\0",
        bytes(MAX_BATCH_BYTES + 1),
    ],
)
def test_malformed_batch_is_refused(data: bytes) -> None:
    with pytest.raises(BatchError):
        decode(data, 2, SIZES)


@given(st.binary(max_size=300), st.integers(0, 120), st.integers(0, 255))
def test_damaged_batch_is_read_or_refused_but_never_breaks(noise: bytes, place: int, value: int) -> None:
    damaged = bytearray(encode(batch()))
    damaged[place % len(damaged)] = value
    for data in (noise, bytes(damaged), bytes(damaged[: place * 2])):
        try:
            read = decode(data, 2, SIZES)
        except BatchError:
            continue
        assert len(read.inputs) == 3 * read.frames


def test_module_imports_nothing_but_the_standard_library() -> None:
    import coplay.data.batches as module

    text = Path(module.__file__).read_text()
    imports = {
        line.split()[1].split(".")[0] for line in text.splitlines() if line.startswith(("import ", "from "))
    }
    assert imports == {"json", "re", "struct", "sys", "array", "collections", "dataclasses", "typing"}
