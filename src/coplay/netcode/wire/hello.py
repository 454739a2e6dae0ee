"""The bytes of a hello datagram, encoded and decoded with bounds. Layout: protocol/datagrams.md."""

from coplay.netcode.wire.format import (
    FIELD_HASH_SIZE,
    HEADER_SIZE,
    HELLO_ANEW,
    HELLO_DELAY_CHOSEN,
    HELLO_PLAYING,
    HELLO_READY,
    HELLO_WANTS_REPLY,
    MAX_FIELDS,
    MAX_RUN,
    MalformedDatagramError,
)


class HelloDatagram:
    """A decoded hello."""

    __slots__ = ("anew", "delay", "fields", "playing", "ready", "rtt", "start_in", "step_cost", "wants_reply")

    def __init__(self) -> None:
        self.wants_reply = False
        """True if the sender asks for a hello in return."""
        self.ready = False
        """True if the sender has a hello from every peer and has measured every round trip."""
        self.anew = False
        """True if the sender's process restarted and has not caught up with the game."""
        self.playing = False
        """True if the sender's game has started."""
        self.rtt = 0.0
        """The sender's longest round trip so far, in seconds."""
        self.step_cost = 0.0
        """Seconds that one environment step takes at the sender."""
        self.delay: int | None = None
        """The input delay in frames, or None while it is not chosen."""
        self.start_in = 0.0
        """Seconds from the arrival of this datagram until frame 0 is due."""
        self.fields: dict[str, bytes] = {}
        """By name of a field that must be equal at all peers, 8 bytes of the hash of its value."""


def put_hello(out: bytearray, hello: HelloDatagram) -> None:
    """Append the body of a hello to a datagram that already has its header."""
    out.append(
        (HELLO_WANTS_REPLY if hello.wants_reply else 0)
        | (HELLO_READY if hello.ready else 0)
        | (HELLO_DELAY_CHOSEN if hello.delay is not None else 0)
        | (HELLO_PLAYING if hello.playing else 0)
        | (HELLO_ANEW if hello.anew else 0)
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


def decode_hello(data: bytes) -> HelloDatagram:
    """Decode the body of a hello; the header is read by `RemotePeer`.

    Raises:
        MalformedDatagramError: The bytes break the layout or its bounds.
    """
    try:
        return _decode_hello(data)
    except (IndexError, UnicodeDecodeError):
        raise MalformedDatagramError("it is cut short or not text") from None


def _decode_hello(data: bytes) -> HelloDatagram:
    hello = HelloDatagram()
    flags = data[HEADER_SIZE]
    if flags > 31:
        raise MalformedDatagramError("unknown flags")
    hello.wants_reply = bool(flags & HELLO_WANTS_REPLY)
    hello.playing = bool(flags & HELLO_PLAYING)
    hello.anew = bool(flags & HELLO_ANEW)
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
