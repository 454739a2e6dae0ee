"""Transfer of payloads that do not fit one datagram: a state, or the snapshot for a rejoining peer.

The receiver drives: it repeats a request (*want*) that lists the pieces it has, and the sender answers each
request with a few of the missing ones. The sender keeps no record of pieces in flight, so the loss of any
datagram is harmless.

Layout: protocol/datagrams.md.
"""

from collections.abc import Iterator

from coplay.netcode.wire.format import MAX_FRAME, MalformedDatagramError, put_varint, take_varint

REJOIN, EXAMINED, RESYNC = 0, 1, 2
"""Purposes: a snapshot to rejoin with, a re-simulated state to compare, a state to adopt after a desync."""
WANT, PIECE, REFUSAL = 0, 1, 2
"""Parts of a transfer, by the first byte after the header."""

PIECE_SIZE = 1100
"""Payload bytes per datagram; with the headers, a piece stays below `MAX_DATAGRAM`."""
MAX_PIECES = 8192
MAX_TRANSFER = PIECE_SIZE * MAX_PIECES
PIECES_PER_REQUEST = 4
MAX_TRANSFERS = 64
"""Limit on the transfers that one peer may start in a game, as each makes the sender serialize a state."""
REQUEST_INTERVAL_S = 0.015
TIMEOUT_S = 5.0
"""How long the receiver repeats its request without getting a new piece."""


class IncomingTransfer:
    """The receiver's side of one transfer.

    Args:
        peer: The sender.
        ident: Number of the transfer, 0 to 255, different from the previous one's.
        purpose: `REJOIN`, `EXAMINED` or `RESYNC`.
        frame: Frame of the requested state; used with `EXAMINED` only.
        now: Seconds.
    """

    __slots__ = (
        "_have",
        "_pieces",
        "_total",
        "deadline",
        "frame",
        "ident",
        "next_request",
        "peer",
        "purpose",
    )

    def __init__(self, peer: int, ident: int, purpose: int, frame: int, now: float) -> None:
        self.peer = peer
        self.ident = ident
        self.purpose = purpose
        self.frame = frame
        self.next_request = now
        self.deadline = now + TIMEOUT_S
        """When the transfer fails, in seconds; every new piece extends it."""
        self._total = -1
        self._pieces: list[bytes | None] = []
        self._have = 0

    def put_want(self, out: bytearray, now: float) -> None:
        """Append a request for the missing pieces, and schedule the next one."""
        self.next_request = now + REQUEST_INTERVAL_S
        out += bytes((WANT, self.ident, self.purpose))
        put_varint(out, self.frame)
        bits = 0
        for index, piece in enumerate(self._pieces):
            if piece is not None:
                bits |= 1 << index
        out += bits.to_bytes((len(self._pieces) + 7) // 8, "little")

    def receive(self, total: int, index: int, piece: bytes, now: float) -> bytes | None:
        """Add a piece; return the whole payload once it is complete.

        Args:
            total: Size of the whole payload in bytes.
            index: Index of the piece, as checked by `decode_piece`.
            piece: The bytes of the piece.
            now: Seconds.

        Raises:
            MalformedDatagramError: The piece states another total size than the earlier ones.
        """
        # `decode_piece` has bounded the total, so an adversary cannot make this list large.
        if self._total < 0:
            self._total = total
            self._pieces = [None] * -(-total // PIECE_SIZE)
        if total != self._total:
            raise MalformedDatagramError("the pieces of a transfer disagree")
        if self._pieces[index] is None:
            self._pieces[index] = piece
            self._have += 1
            self.deadline = now + TIMEOUT_S
            # After a full round of pieces the next request goes out immediately, to keep the pipe busy.
            interval = 0.0 if self._have % PIECES_PER_REQUEST == 0 else REQUEST_INTERVAL_S
            self.next_request = min(self.next_request, now + interval)
        if self._have < len(self._pieces):
            return None
        return b"".join(piece for piece in self._pieces if piece is not None)


class OutgoingTransfer:
    """The sender's side of one transfer.

    Args:
        want: The first request of the transfer.
    """

    __slots__ = ("_next", "data", "frame", "ident", "purpose", "refused")

    def __init__(self, want: "Want") -> None:
        self.ident = want.ident
        self.purpose = want.purpose
        self.frame = want.frame
        self.data: bytes | None = None
        """The payload; None until the caller has exported it."""
        self.refused = False
        """True if there is no such state to send."""
        self._next = 0

    def answers(self, want: "Want") -> Iterator[bytes]:
        """Yield the bodies of the datagrams that answer a request: a refusal, or a few missing pieces."""
        if self.refused:
            yield bytes((REFUSAL, self.ident))
            return
        if self.data is None:
            return
        count = -(-len(self.data) // PIECE_SIZE)
        sent = 0
        # Continue after the last piece sent: the request may be older than pieces that are in flight.
        for step in range(count):
            index = (self._next + step) % count
            if want.has(index):
                continue
            out = bytearray((PIECE, self.ident))
            put_varint(out, len(self.data))
            put_varint(out, index)
            yield bytes(out) + self.data[index * PIECE_SIZE : (index + 1) * PIECE_SIZE]
            sent += 1
            if sent == PIECES_PER_REQUEST:
                break
        else:
            index = -1
        self._next = index + 1


class Want:
    """A decoded request for pieces of a payload."""

    __slots__ = ("_bits", "frame", "ident", "purpose")

    def __init__(self, ident: int, purpose: int, frame: int, bits: int) -> None:
        self.ident = ident
        self.purpose = purpose
        self.frame = frame
        self._bits = bits

    def has(self, index: int) -> bool:
        """Return True if the receiver already has a piece."""
        return bool(self._bits >> index & 1)


def decode_want(body: bytes) -> Want:
    """Decode a request from the bytes that follow its first byte.

    Raises:
        MalformedDatagramError: The bytes break the layout or its bounds.
    """
    try:
        ident, purpose = body[0], body[1]
        frame, at = take_varint(body, 2)
    except IndexError:
        raise MalformedDatagramError("it is cut short") from None
    if purpose > RESYNC or frame > MAX_FRAME or len(body) - at > MAX_PIECES // 8:
        raise MalformedDatagramError("a request is out of range")
    return Want(ident, purpose, frame, int.from_bytes(body[at:], "little"))


def decode_piece(body: bytes) -> tuple[int, int, int, bytes]:
    """Decode a piece from the bytes that follow its first byte.

    Returns:
        Number of the transfer, size of the whole payload, index of the piece, bytes of the piece.

    Raises:
        MalformedDatagramError: The bytes break the layout or its bounds.
    """
    try:
        ident = body[0]
        total, at = take_varint(body, 1)
        index, at = take_varint(body, at)
    except IndexError:
        raise MalformedDatagramError("it is cut short") from None
    piece = body[at:]
    if not 1 <= total <= MAX_TRANSFER or index * PIECE_SIZE >= total:
        raise MalformedDatagramError("a piece is out of range")
    if len(piece) != min(PIECE_SIZE, total - index * PIECE_SIZE):
        raise MalformedDatagramError("a piece has a wrong length")
    return ident, total, index, piece


def encode_state(frame: int, state: bytes) -> bytes:
    """Return a payload of a state and the frame that it is about to step."""
    out = bytearray()
    put_varint(out, frame)
    return bytes(out) + state


def decode_state(whole: bytes) -> tuple[int, bytes]:
    """Decode a payload of `encode_state`: the frame and the state.

    Raises:
        MalformedDatagramError: The payload does not begin with a frame.
    """
    try:
        frame, at = take_varint(whole, 0)
    except IndexError:
        raise MalformedDatagramError("it is cut short") from None
    return frame, whole[at:]
