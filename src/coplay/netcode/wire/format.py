"""Constants, limits and number encodings that all kinds of datagram share.

What a datagram of a running game carries is in `play`; the other kinds are in `hello` and `transfer`.

Layout: protocol/datagrams.md. Source: LEB128 and zigzag after Protocol Buffers.
"""

VERSION = 1
HELLO, PLAY, BYE, OUT, STATE = 0, 1, 2, 3, 4
"""Kinds of datagram. `OUT` notifies a peer that the others have removed it from the game."""
HEADER_SIZE = 7
MAX_DATAGRAM = 1150
"""Bytes. With about 93 bytes of headers below it stays within 1280, the smallest MTU that IPv6 allows."""

NOTHING_RECEIVED = 255
"""Value of the header's hold field before any datagram came in."""
HOLD_UNKNOWN = 254
"""Value of the header's hold field for this many milliseconds or more."""

HAS_CHECKSUMS, HAS_CLOSING, HAS_SETTLED, HAS_DETAIL = 1, 2, 4, 8
CLOSING_ACKED, CLOSING_AGREED, CLOSING_TRUNCATED, CLOSING_DIVERGENT = 1, 2, 4, 8
HELLO_WANTS_REPLY, HELLO_READY, HELLO_DELAY_CHOSEN, HELLO_PLAYING, HELLO_ANEW = 1, 2, 4, 8, 16

ADVANTAGE_SCALE = 8
CHAIN_SIZE = 16
"""Bytes of the hash over the log (*chain* in the closing section)."""
MAX_CHECKSUMS = 32
MAX_DETAIL = 64
"""Checksums in a detail section: one for each frame between two compared checksums, at most."""
MAX_RUN = 128
"""Inputs in one block; input delays are below it, too."""
MAX_FRAME = 0x7FFF_FFFF
MAX_FIELDS = 40
FIELD_HASH_SIZE = 8


class MalformedDatagramError(ValueError):
    """Raised for bytes that are not a datagram of this protocol.

    It never leaves the netcode: the session catches it and reports `DatagramRejected`.
    """


def put_varint(out: bytearray, value: int) -> None:
    """Append an unsigned number in 7-bit groups, lowest first."""
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)


def put_zigzag(out: bytearray, value: int) -> None:
    """Append a signed number: 0, -1, 1, -2 are encoded as 0, 1, 2, 3, and so on."""
    put_varint(out, value << 1 if value >= 0 else (-value << 1) - 1)


def take_varint(data: bytes, at: int) -> tuple[int, int]:
    """Decode an unsigned number; return it and the offset of the next byte.

    Raises:
        MalformedDatagramError: The number is padded, or longer than 5 bytes.
        IndexError: The data ends inside the number.
    """
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if shift and not byte:
                raise MalformedDatagramError("a number is padded")
            return value, at
        shift += 7
        if shift > 28:
            raise MalformedDatagramError("a number is too long")


def take_zigzag(data: bytes, at: int) -> tuple[int, int]:
    """Decode a signed number; return it and the offset of the next byte, as `take_varint` does."""
    value, at = take_varint(data, at)
    return (-(value + 1 >> 1) if value & 1 else value >> 1), at
