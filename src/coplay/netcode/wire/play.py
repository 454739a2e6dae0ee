"""The bytes of a play datagram, encoded and decoded with bounds.

Layout: protocol/datagrams.md. Every datagram is self-contained: no field refers to an earlier one, so the
loss of any of them is harmless.

Source: self-contained, redundant inputs after GGPO and ggrs.
"""

from collections.abc import Iterable, Sequence

from coplay.netcode.wire.format import (
    ADVANTAGE_SCALE,
    CHAIN_SIZE,
    HAS_CHECKSUMS,
    HAS_CLOSING,
    HAS_DETAIL,
    HAS_SETTLED,
    HEADER_SIZE,
    MAX_CHECKSUMS,
    MAX_DETAIL,
    MAX_FRAME,
    MAX_RUN,
    MalformedDatagramError,
    put_varint,
    put_zigzag,
    take_varint,
    take_zigzag,
)


class PlayDatagram:
    """A decoded play datagram."""

    __slots__ = (
        "advantage",
        "blocks",
        "chain",
        "checksums",
        "closing",
        "detail",
        "detail_frame",
        "frame",
        "last",
        "last_frame",
        "left",
        "settled",
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
        self.settled = 0
        """Bitmask of the players who left and whose last input is settled, as the sender knows."""
        self.detail_frame = -1
        """The frame of the last checksum in `detail`; -1 without a detail section."""
        self.detail: list[int] = []
        """Checksums of successive frames, up to a frame at which the peers' checksums differed."""
        self.checksums: list[tuple[int, int]] = []
        """Pairs of (frame, 64-bit checksum), oldest first."""
        self.closing = -1
        """Bits of the closing section; -1 without a closing section."""
        self.last_frame = -1
        """The last frame of the sender's log (closing section)."""
        self.chain = b""
        """The hash of the sender's log (closing section)."""
        self.blocks: list[tuple[int, int, list[bytes]]] = []
        """Triples of (player, first frame, inputs of successive frames)."""


# Encoding


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
    settled: int = 0,
    detail: tuple[int, Sequence[int]] | None = None,
) -> None:
    """Append the body of a play datagram up to its input blocks.

    Args:
        out: The datagram so far, which is its header.
        advantage: How many frames the receiver is ahead, by the sender's estimate.
        status: Result of `encode_status`.
        checksums: At most 32 pairs of (frame, checksum), ordered by frame.
        closing: Bits, last frame and chain hash, once the game has ended.
        settled: Bitmask of the players who left and whose last input is settled.
        detail: The last frame and the checksums of at most 64 successive frames, when states differ.
    """
    out.append(
        (HAS_CHECKSUMS if checksums else 0)
        | (HAS_CLOSING if closing else 0)
        | (HAS_SETTLED if settled else 0)
        | (HAS_DETAIL if detail else 0)
    )
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
    if settled:
        out.append(settled)
    if detail:
        frame, values = detail
        put_varint(out, frame)
        out.append(len(values))
        for value in values:
            out += value.to_bytes(8, "little")


def put_inputs(
    out: bytearray, player: int, frame: int, first: int, values: Sequence[bytes], room: int
) -> None:
    """Append a block with as many of one player's inputs as fit, oldest first.

    Args:
        out: The datagram so far.
        player: The player who gave the inputs.
        frame: The frame number in the status of the datagram.
        first: Frame of the first value.
        values: Inputs of successive frames, at least one.
        room: Upper limit on the size of the block in bytes. If not even one input fits, nothing is appended.
    """
    size = len(values[0])
    if len(values) > MAX_RUN:
        values = values[:MAX_RUN]
    # Upper bound: 12 bytes of player, start and count; then a bit and an input for each value.
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


# Decoding


def decode_play(data: bytes, sizes: Sequence[int]) -> PlayDatagram:
    """Decode the body of a play datagram; the header is read by `RemotePeer`.

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


def _decode_play(  # noqa: C901 (numbers decoded inline: it runs for every datagram)
    data: bytes, sizes: Sequence[int]
) -> PlayDatagram:
    play = PlayDatagram()
    end = len(data)
    flags = data[HEADER_SIZE]
    if flags > 15:
        raise MalformedDatagramError("unknown flags")
    at = HEADER_SIZE + 1
    value = data[at]
    at += 1
    if value >= 0x80:
        value, at = take_varint(data, at - 1)
    play.advantage = (-(value + 1 >> 1) if value & 1 else value >> 1) / ADVANTAGE_SCALE
    frame, at = take_varint(data, at)
    if frame > MAX_FRAME:
        raise MalformedDatagramError("a frame is out of range")
    play.frame = frame
    last = play.last
    for player in range(len(sizes)):
        value = data[at]
        at += 1
        if value >= 0x80:
            value, at = take_varint(data, at - 1)
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
    if flags & HAS_SETTLED:
        play.settled = data[at]
        at += 1
        if play.settled & ~play.left or not play.settled:
            raise MalformedDatagramError("a seat is settled whose player has not left")
    if flags & HAS_DETAIL:
        at = _decode_detail(data, at, play)
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


def _decode_checksums(data: bytes, at: int, play: PlayDatagram) -> int:
    count = data[at]
    at += 1
    if not 1 <= count <= MAX_CHECKSUMS:
        raise MalformedDatagramError("too many checksums")
    frame = 0
    for index in range(count):
        step, at = take_varint(data, at)
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


def _decode_detail(data: bytes, at: int, play: PlayDatagram) -> int:
    frame, at = take_varint(data, at)
    count = data[at]
    at += 1
    if not 1 <= count <= MAX_DETAIL or count > frame or frame > MAX_FRAME:
        raise MalformedDatagramError("a detail is out of range")
    end = at + 8 * count
    if end > len(data):
        raise MalformedDatagramError("it is cut short")
    play.detail_frame = frame
    play.detail = [int.from_bytes(data[place : place + 8], "little") for place in range(at, end, 8)]
    return end


def _decode_closing(data: bytes, at: int, play: PlayDatagram) -> int:
    play.closing = data[at]
    if play.closing > 15:
        raise MalformedDatagramError("unknown closing bits")
    length, at = take_varint(data, at + 1)
    if length > MAX_FRAME:
        raise MalformedDatagramError("a frame is out of range")
    play.last_frame = length - 1
    if at + CHAIN_SIZE > len(data):
        raise MalformedDatagramError("it is cut short")
    play.chain = data[at : at + CHAIN_SIZE]
    return at + CHAIN_SIZE


def _decode_block(data: bytes, at: int, play: PlayDatagram, player: int, size: int) -> int:
    offset, at = take_zigzag(data, at)
    first = play.frame + offset
    count, at = take_varint(data, at)
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
