"""The bytes on the wire: three kinds of datagram, encoded and decoded with bounds.

Layout: protocol/datagrams.md. Every datagram stands alone; no field refers to an earlier one, so any may
be lost.

Source: self-contained, redundant inputs after GGPO and ggrs; LEB128 and zigzag after Protocol Buffers.
"""

from collections.abc import Iterable, Sequence

VERSION = 1
HELLO, PLAY, BYE = 0, 1, 2
HEADER_SIZE = 7
MAX_DATAGRAM = 1150

NOTHING_RECEIVED = 255
HOLD_UNKNOWN = 254

HAS_CHECKSUMS, HAS_CLOSING = 1, 2
CLOSING_ACKED, CLOSING_AGREED, CLOSING_TRUNCATED, CLOSING_DIVERGENT = 1, 2, 4, 8
HELLO_WANTS_REPLY, HELLO_READY, HELLO_DELAY_CHOSEN = 1, 2, 4

ADVANTAGE_SCALE = 8
CHAIN_SIZE = 16
MAX_CHECKSUMS = 32
MAX_RUN = 128
MAX_FRAME = 0x7FFF_FFFF
MAX_FIELDS = 40
FIELD_HASH_SIZE = 8


class MalformedDatagramError(ValueError):
    """Bytes that are not a datagram of this protocol.

    Never leaves the netcode: it becomes `DatagramRejected`.
    """


class Play:
    """A decoded datagram of a game that runs or closes."""

    __slots__ = (
        "advantage",
        "blocks",
        "chain",
        "checksums",
        "closing",
        "frame",
        "last",
        "last_frame",
        "left",
    )

    def __init__(self) -> None:
        self.frame = 0
        """Frames that the sender has stepped."""
        self.advantage = 0.0
        """How many frames the receiver is ahead, by the sender's estimate."""
        self.last: list[int] = []
        """Per player, the last frame whose input the sender holds; -1 for none."""
        self.left = 0
        """Bitmask of the players whose peer has left, as the sender knows."""
        self.checksums: list[tuple[int, int]] = []
        """Pairs of (frame, 64-bit checksum), oldest first."""
        self.closing = -1
        """Bits of the closing section, or -1 without one."""
        self.last_frame = -1
        """The last frame of the sender's log (closing section)."""
        self.chain = b""
        """The hash of the sender's log (closing section)."""
        self.blocks: list[tuple[int, int, list[bytes]]] = []
        """Triples of (player, first frame, inputs of successive frames)."""


class Hello:
    """A decoded greeting."""

    __slots__ = ("delay", "fields", "ready", "rtt", "start_in", "step_cost", "wants_reply")

    def __init__(self) -> None:
        self.wants_reply = False
        """Whether an answer is asked for."""
        self.ready = False
        """Whether the sender has met and measured all its peers."""
        self.rtt = 0.0
        """The sender's longest round trip so far, in seconds."""
        self.step_cost = 0.0
        """What one environment step costs the sender, in seconds."""
        self.delay: int | None = None
        """The chosen input delay in frames, once there is one."""
        self.start_in = 0.0
        """Seconds from arrival until frame 0."""
        self.fields: dict[str, bytes] = {}
        """What must be equal, by name: 8 bytes of each value's hash."""


# Encoding


def put_varint(out: bytearray, value: int) -> None:
    """Append an unsigned number in 7-bit groups, lowest first."""
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)


def put_zigzag(out: bytearray, value: int) -> None:
    """Append a signed number: 0, -1, 1, -2 … become 0, 1, 2, 3 …"""
    put_varint(out, value << 1 if value >= 0 else (-value << 1) - 1)


def encode_status(frame: int, last: Iterable[int], left: int) -> bytes:
    """Return the part of a play datagram that is the same for all receivers: frame and status vector."""
    out = bytearray()
    put_varint(out, frame)
    for player, held in enumerate(last):
        value = (held - frame) << 1 | (left >> player & 1)
        value = value << 1 if value >= 0 else (-value << 1) - 1
        if value <= 0x7F:
            out.append(value)
        else:
            put_varint(out, value)
    return bytes(out)


def put_play(
    out: bytearray,
    advantage: float,
    status: bytes,
    checksums: Sequence[tuple[int, int]] = (),
    closing: tuple[int, int, bytes] | None = None,
) -> None:
    """Append all of a play datagram's body but its inputs.

    Args:
        out: The datagram so far: its header.
        advantage: How many frames the receiver is ahead, by the sender's estimate.
        status: From `encode_status`.
        checksums: At most 32 pairs of (frame, checksum), in rising order of frames.
        closing: Bits, last frame and chain hash, once the game has ended.
    """
    out.append((HAS_CHECKSUMS if checksums else 0) | (HAS_CLOSING if closing else 0))
    scaled = round(advantage * ADVANTAGE_SCALE)
    put_zigzag(out, max(-MAX_FRAME, min(MAX_FRAME, scaled)))
    out += status
    if checksums:
        out.append(len(checksums))
        previous = 0
        for frame, value in checksums:
            put_varint(out, frame - previous)
            out += value.to_bytes(8, "little")
            previous = frame
    if closing:
        bits, last_frame, chain = closing
        out.append(bits)
        put_varint(out, last_frame + 1)
        out += chain


def put_inputs(
    out: bytearray, player: int, frame: int, first: int, values: Sequence[bytes], room: int
) -> None:
    """Append a block of one player's inputs, as many as fit, oldest first.

    Args:
        out: The datagram so far.
        player: Whose inputs.
        frame: The frame number that the datagram carries.
        first: The frame of the first value.
        values: Inputs of successive frames, at least one.
        room: How many bytes the block may take; one that cannot hold a single input writes nothing.
    """
    size = len(values[0])
    if len(values) > MAX_RUN:
        values = values[:MAX_RUN]
    # Never more than 12 bytes of head, and a bit and an input for each value.
    most = (room - 13) * 8 // (8 * size + 1)
    if most < len(values):
        if most < 1:
            return
        values = values[:most]
    count = len(values)
    out.append(player)
    put_zigzag(out, first - frame)
    put_varint(out, count)
    previous = values[0]
    if count == 1:
        out += previous
        return
    if values.count(previous) == count:
        out += bytes((count + 6) >> 3)
        out += previous
        return
    changed = 0
    bit = 1
    body = bytearray(previous)
    for value in values[1:]:
        if value != previous:
            changed |= bit
            body += value
            previous = value
        bit <<= 1
    out += changed.to_bytes((count + 6) >> 3, "little")
    out += body


def put_hello(out: bytearray, hello: Hello) -> None:
    """Append a greeting's body."""
    out.append(
        (HELLO_WANTS_REPLY if hello.wants_reply else 0)
        | (HELLO_READY if hello.ready else 0)
        | (HELLO_DELAY_CHOSEN if hello.delay is not None else 0)
    )
    out += min(0xFFFF, round(hello.rtt * 10_000)).to_bytes(2, "little")
    out += min(0xFFFF, round(hello.step_cost * 100_000)).to_bytes(2, "little")
    out.append(hello.delay or 0)
    out += min(0xFFFF, round(hello.start_in * 1_000)).to_bytes(2, "little")
    out.append(len(hello.fields))
    for name, value in hello.fields.items():
        encoded = name.encode()
        out.append(len(encoded))
        out += encoded
        out += value


# Decoding


def _varint(data: bytes, at: int) -> tuple[int, int]:
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


def _zigzag(data: bytes, at: int) -> tuple[int, int]:
    value, at = _varint(data, at)
    return (-(value + 1 >> 1) if value & 1 else value >> 1), at


def decode_play(data: bytes, sizes: Sequence[int]) -> Play:
    """Read a play datagram; its header is the link's business.

    Args:
        data: The whole datagram.
        sizes: Per player, the length of its inputs in bytes.

    Raises:
        MalformedDatagramError: The bytes break the layout or its bounds.
    """
    try:
        return _decode_play(data, sizes)
    except IndexError:
        raise MalformedDatagramError("it is cut short") from None


def _decode_play(data: bytes, sizes: Sequence[int]) -> Play:
    play = Play()
    end = len(data)
    flags = data[HEADER_SIZE]
    if flags > 3:
        raise MalformedDatagramError("unknown flags")
    at = HEADER_SIZE + 1
    value = data[at]
    at += 1
    if value >= 0x80:
        value, at = _varint(data, at - 1)
    play.advantage = (-(value + 1 >> 1) if value & 1 else value >> 1) / ADVANTAGE_SCALE
    frame, at = _varint(data, at)
    if frame > MAX_FRAME:
        raise MalformedDatagramError("a frame is out of range")
    play.frame = frame
    last = play.last
    for player in range(len(sizes)):
        value = data[at]
        at += 1
        if value >= 0x80:
            value, at = _varint(data, at - 1)
        value = -(value + 1 >> 1) if value & 1 else value >> 1
        held = frame + (value >> 1)
        if not -1 <= held <= MAX_FRAME:
            raise MalformedDatagramError("a frame is out of range")
        last.append(held)
        if value & 1:
            play.left |= 1 << player
    if flags & HAS_CHECKSUMS:
        at = _decode_checksums(data, at, play)
    if flags & HAS_CLOSING:
        at = _decode_closing(data, at, play)
    seen = 0
    while at < end:
        player = data[at]
        if player >= len(sizes):
            raise MalformedDatagramError("inputs of an unknown player")
        if seen >> player & 1:
            raise MalformedDatagramError("inputs of one player come twice")
        seen |= 1 << player
        at = _decode_block(data, at + 1, play, player, sizes[player])
    return play


def _decode_checksums(data: bytes, at: int, play: Play) -> int:
    count = data[at]
    at += 1
    if not 1 <= count <= MAX_CHECKSUMS:
        raise MalformedDatagramError("too many checksums")
    frame = 0
    for index in range(count):
        step, at = _varint(data, at)
        if index and not step:
            raise MalformedDatagramError("checksums are out of order")
        frame += step
        if frame > MAX_FRAME:
            raise MalformedDatagramError("a frame is out of range")
        if at + 8 > len(data):
            raise MalformedDatagramError("it is cut short")
        play.checksums.append((frame, int.from_bytes(data[at : at + 8], "little")))
        at += 8
    return at


def _decode_closing(data: bytes, at: int, play: Play) -> int:
    play.closing = data[at]
    if play.closing > 15:
        raise MalformedDatagramError("unknown closing bits")
    length, at = _varint(data, at + 1)
    if length > MAX_FRAME:
        raise MalformedDatagramError("a frame is out of range")
    play.last_frame = length - 1
    if at + CHAIN_SIZE > len(data):
        raise MalformedDatagramError("it is cut short")
    play.chain = data[at : at + CHAIN_SIZE]
    return at + CHAIN_SIZE


def _decode_block(data: bytes, at: int, play: Play, player: int, size: int) -> int:
    offset, at = _zigzag(data, at)
    first = play.frame + offset
    count, at = _varint(data, at)
    if not 1 <= count <= MAX_RUN:
        raise MalformedDatagramError("too many inputs")
    if first < 0 or first + count > MAX_FRAME:
        raise MalformedDatagramError("a frame is out of range")
    end = len(data)
    changed = 0
    if count > 1:
        width = (count + 6) >> 3
        if at + width > end:
            raise MalformedDatagramError("it is cut short")
        changed = data[at] if width == 1 else int.from_bytes(data[at : at + width], "little")
        if changed >> count - 1:
            raise MalformedDatagramError("inputs beyond the count")
        at += width
    if at + size * (1 + changed.bit_count()) > end:
        raise MalformedDatagramError("it is cut short")
    value = data[at : at + size]
    at += size
    if not changed:
        play.blocks.append((player, first, [value] * count))
        return at
    values = [value]
    for _ in range(count - 1):
        if changed & 1:
            value = data[at : at + size]
            at += size
        changed >>= 1
        values.append(value)
    play.blocks.append((player, first, values))
    return at


def decode_hello(data: bytes) -> Hello:
    """Read a greeting; its header is the link's business.

    Raises:
        MalformedDatagramError: The bytes break the layout or its bounds.
    """
    try:
        return _decode_hello(data)
    except (IndexError, UnicodeDecodeError):
        raise MalformedDatagramError("it is cut short or not text") from None


def _decode_hello(data: bytes) -> Hello:
    hello = Hello()
    flags = data[7]
    if flags > 7:
        raise MalformedDatagramError("unknown flags")
    hello.wants_reply = bool(flags & HELLO_WANTS_REPLY)
    hello.ready = bool(flags & HELLO_READY)
    hello.rtt = (data[8] | data[9] << 8) / 10_000
    hello.step_cost = (data[10] | data[11] << 8) / 100_000
    if data[12] >= MAX_RUN:
        raise MalformedDatagramError("the delay is out of range")
    hello.delay = data[12] if flags & HELLO_DELAY_CHOSEN else None
    hello.start_in = (data[13] | data[14] << 8) / 1_000
    count = data[15]
    if count > MAX_FIELDS:
        raise MalformedDatagramError("too many fields")
    at = 16
    for _ in range(count):
        length = data[at]
        at += 1
        if at + length + FIELD_HASH_SIZE > len(data):
            raise MalformedDatagramError("it is cut short")
        name = data[at : at + length].decode()
        at += length
        if name in hello.fields:
            raise MalformedDatagramError("a field comes twice")
        hello.fields[name] = data[at : at + FIELD_HASH_SIZE]
        at += FIELD_HASH_SIZE
    if at != len(data):
        raise MalformedDatagramError("bytes are left over")
    return hello
