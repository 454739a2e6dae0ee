"""One peer's copy of some confirmed frames, as bytes: written in the browsers, read by the server.

Layout, little endian: header length (u32), header (JSON: `number peer first_frame frames checksums net
events`), then one column after another, each over all frames:

| Column | Type | A frame has |
|---|---|---|
| inputs | bytes | each player's input, in order |
| confirmed_at_ms | f64 | 1: monotonic milliseconds of this peer |
| predicted | u8 | 1: bit p is set if player p's input was a guess when the frame was first shown |
| corrected_after | u8 | n: frames until the guess was corrected, 0 if it was right, at most 255 |
| rewards | f64 | n |
| flags | u8 | n: 1 terminated, 2 truncated, 4 the environment was stepped |
| episodes | u16 | 1 |

Standard library only: this file runs in the browsers too.
"""

import json
import re
import struct
import sys
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

MAX_BATCH_BYTES: Final = 256 * 1024
MAX_ROWS: Final = 4096
MAX_DEPTH: Final = 8
"""Of the nested values in a row of `net` or `events`."""
NUMBERS_OF_A_PAGE: Final = 2**20
"""A page numbers its batches from its incarnation times this: no two pages of a seat share a number."""

TERMINATED: Final = 1
TRUNCATED: Final = 2
STEPPED: Final = 4

_MAX_NUMBER = 2**31 - 1
_CHECKSUM = re.compile(r"[0-9a-f]{16}")


class BatchError(ValueError):
    """Bytes that are no batch of this game; says why."""


@dataclass(frozen=True, slots=True)
class FrameBatch:
    """Consecutive confirmed frames, with what one peer can say about them.

    Attributes:
        number: Counts the batches of one page, from its incarnation · 2²⁰.
        peer: Whose copy it is.
        first_frame: The first frame in it; also given when there are none.
        inputs: frames × (sum of all players' input sizes) bytes.
        confirmed_at_ms: When each frame was confirmed, in the peer's monotonic milliseconds.
        predicted: One byte a frame: which players' inputs were guesses when it was first shown.
        corrected_after: frames × players bytes; see the table above.
        rewards: frames × players.
        flags: frames × players bytes.
        episodes: The episode of each frame.
        checksums: (frame, 64-bit checksum of the agreed state before it).
        net: One dict a second: figures of the network.
        events: One dict for each thing that happened.
    """

    number: int
    peer: int
    first_frame: int
    inputs: bytes
    confirmed_at_ms: "array[float]"
    predicted: bytes
    corrected_after: bytes
    rewards: "array[float]"
    flags: bytes
    episodes: "array[int]"
    checksums: list[tuple[int, int]] = field(default_factory=list)
    net: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def frames(self) -> int:
        """How many frames it holds."""
        return len(self.predicted)

    @property
    def incarnation(self) -> int:
        """Which page of its seat it is from, from 0."""
        return self.number // NUMBERS_OF_A_PAGE


def encode(batch: FrameBatch) -> bytes:
    """The bytes of a batch."""
    header = json.dumps(
        {
            "number": batch.number,
            "peer": batch.peer,
            "first_frame": batch.first_frame,
            "frames": batch.frames,
            # Hexadecimal: JavaScript would round a 64-bit number, should it ever look.
            "checksums": [[frame, f"{checksum:016x}"] for frame, checksum in batch.checksums],
            "net": batch.net,
            "events": batch.events,
        },
        separators=(",", ":"),
        allow_nan=False,
    ).encode()
    return b"".join(
        (
            struct.pack("<I", len(header)),
            header,
            batch.inputs,
            _little(batch.confirmed_at_ms),
            batch.predicted,
            batch.corrected_after,
            _little(batch.rewards),
            batch.flags,
            _little(batch.episodes),
        )
    )


def decode(data: bytes, n_players: int, input_sizes: Sequence[int]) -> FrameBatch:
    """Read a batch that a peer sent.

    Args:
        data: The bytes; nothing in them is believed.
        n_players: Players of the game.
        input_sizes: Bytes of each player's input.

    Raises:
        BatchError: The bytes are no batch of such a game.
    """
    if len(data) > MAX_BATCH_BYTES:
        raise BatchError("a batch is larger than 256 KiB")
    header, offset = _header(data)
    frames = _count(header, "frames", MAX_BATCH_BYTES)
    widths = (sum(input_sizes), 8, 1, n_players, 8 * n_players, n_players, 2)
    if len(data) - offset != frames * sum(widths):
        raise BatchError(f"the columns are not those of {frames} frames")
    columns = []
    for width in widths:
        columns.append(data[offset : offset + frames * width])
        offset += frames * width
    peer = _count(header, "peer", n_players - 1)
    return FrameBatch(
        number=_count(header, "number", _MAX_NUMBER),
        peer=peer,
        first_frame=_count(header, "first_frame", _MAX_NUMBER),
        inputs=columns[0],
        confirmed_at_ms=_array("d", columns[1]),
        predicted=columns[2],
        corrected_after=columns[3],
        rewards=_array("d", columns[4]),
        flags=columns[5],
        episodes=_array("H", columns[6]),
        checksums=_checksums(header),
        net=_rows(header, "net"),
        events=_rows(header, "events"),
    )


def _header(data: bytes) -> tuple[dict[str, Any], int]:
    if len(data) < 4:
        raise BatchError("a batch has no header")
    (length,) = struct.unpack_from("<I", data)
    if length > len(data) - 4:
        raise BatchError("the header is longer than the batch")
    try:
        header = _DECODER.decode(data[4 : 4 + length].decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise BatchError("the header is not JSON") from error
    if not isinstance(header, dict):
        raise BatchError("the header is not an object")
    return header, 4 + length


def _refuse_constant(name: str) -> float:
    raise BatchError(f"the header holds {name}")


# `json.loads` would make one for each batch.
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def _count(header: dict[str, Any], name: str, most: int) -> int:
    value = header.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise BatchError(f"{name} is not a whole number from 0 to {most}")
    return value


def _rows(header: dict[str, Any], name: str) -> list[dict[str, Any]]:
    rows = header.get(name)
    if not isinstance(rows, list) or len(rows) > MAX_ROWS or not all(isinstance(row, dict) for row in rows):
        raise BatchError(f"{name} is not a list of at most {MAX_ROWS} objects")
    if not _are_shallow(rows, MAX_DEPTH):
        raise BatchError(f"{name} is nested more than {MAX_DEPTH} deep")
    return rows


def _are_shallow(values: Iterable[Any], depth: int) -> bool:
    # What reads or writes JSON later must not run out of stack.
    for value in values:
        if isinstance(value, dict):
            if not depth or not _are_shallow(value.values(), depth - 1):
                return False
        elif isinstance(value, list) and (not depth or not _are_shallow(value, depth - 1)):
            return False
    return True


def _checksums(header: dict[str, Any]) -> list[tuple[int, int]]:
    rows = header.get("checksums")
    if not isinstance(rows, list) or len(rows) > MAX_ROWS:
        raise BatchError(f"checksums is not a list of at most {MAX_ROWS}")
    checksums = []
    for row in rows:
        match row:
            case [int(frame), str(text)] if 0 <= frame <= _MAX_NUMBER and _CHECKSUM.fullmatch(text):
                checksums.append((frame, int(text, 16)))
            case _:
                raise BatchError("a checksum is not a frame with 16 digits")
    return checksums


def _little(values: "array[Any]") -> bytes:
    if sys.byteorder == "big":
        values = array(values.typecode, values)
        values.byteswap()
    return values.tobytes()


def _array(typecode: str, data: bytes) -> "array[Any]":
    values = array(typecode)
    values.frombytes(data)
    if sys.byteorder == "big":
        values.byteswap()
    return values
