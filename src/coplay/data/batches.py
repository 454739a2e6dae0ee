"""One peer's copy of some confirmed frames, as bytes: encoded in the browsers, decoded by the server.

The layout, in little endian: the header's length (u32), the header (JSON: `number peer first_frame frames
checksums net events`), then one column after another, each over all frames:

| Column | Type | Values for each frame |
|---|---|---|
| inputs | bytes | each player's input, in order |
| confirmed_at_ms | f64 | 1: in this peer's monotonic milliseconds |
| predicted | u8 | 1: bit p is set if player p's input was a guess when the frame was first shown |
| corrected_after | u8 | n (one a player): frames until a wrong guess was corrected, 0 if right, at most 255 |
| rewards | f64 | n |
| flags | u8 | n: 1 terminated, 2 truncated, 4 the environment was stepped |
| episodes | u16 | 1 |

Only the standard library is used: this file runs in the browsers, too.
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
"""How deeply the values in a row of `net` or `events` may be nested."""
NUMBERS_OF_A_PAGE: Final = 2**20
"""A page counts its batches from its incarnation times this: no two pages of a seat share a number."""

TERMINATED: Final = 1
TRUNCATED: Final = 2
STEPPED: Final = 4

_MAX_NUMBER = 2**31 - 1
_CHECKSUM = re.compile(r"[0-9a-f]{16}")


class BatchError(ValueError):
    """The bytes are not a batch of this game; the message says why."""


@dataclass(frozen=True, slots=True)
class FrameBatch:
    """Consecutive confirmed frames, as one peer recorded them.

    Attributes:
        number: The batch's number; a page counts from its incarnation · 2²⁰.
        peer: The peer that recorded it.
        first_frame: The first frame; also set if the batch has no frames.
        inputs: frames × (sum of all players' input sizes) bytes.
        confirmed_at_ms: When each frame was confirmed, in the peer's monotonic milliseconds.
        predicted: One byte a frame: a bitmask of the players whose inputs were first shown as guesses.
        corrected_after: frames × players bytes; see the table above.
        rewards: frames × players numbers.
        flags: frames × players bytes; see the table above.
        episodes: The episode of each frame.
        checksums: (frame, 64-bit checksum of the agreed state before that frame).
        net: Measurements of the network, one dict per second.
        events: Events on the peer's page, one dict per event.
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
        """The number of frames in the batch."""
        return len(self.predicted)

    @property
    def incarnation(self) -> int:
        """The number of the page of this seat that recorded the batch, from 0."""
        return self.number // NUMBERS_OF_A_PAGE


def encode(batch: FrameBatch) -> bytes:
    """Return the bytes of a batch.

    Raises:
        ValueError: A number in `net` or `events` is not finite.
    """
    header = json.dumps(
        {
            "number": batch.number,
            "peer": batch.peer,
            "first_frame": batch.first_frame,
            "frames": batch.frames,
            # In hexadecimal, because JavaScript rounds 64-bit numbers.
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
    """Decode and check a batch that a peer uploaded.

    Args:
        data: The bytes, which are untrusted.
        n_players: The number of players of the game.
        input_sizes: The size of each player's input in bytes.

    Raises:
        BatchError: The bytes are not a batch of such a game.
    """
    if len(data) > MAX_BATCH_BYTES:
        raise BatchError("a batch is larger than 256 KiB")
    header, offset = _header(data)
    frames = _count(header, "frames", MAX_BATCH_BYTES)
    widths = (sum(input_sizes), 8, 1, n_players, 8 * n_players, n_players, 2)
    if len(data) - offset != frames * sum(widths):
        raise BatchError(f"the columns do not have the size of {frames} frames")
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


# Made once: `json.loads` with an option makes a decoder for every call.
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
    # Deeper values could exhaust the stack of a JSON reader or writer later on.
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
