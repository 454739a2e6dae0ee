"""Bytes that do not fit one datagram, from peer to peer: a state, or all that a returning peer must know.

The receiver asks, again and again, and says which pieces it has; the sender answers each time with a few that
are missing. Nothing is remembered of what is under way, so anything may be lost.

Layout: protocol/datagrams.md.
"""

from collections.abc import Iterator

from coplay.netcode.wire.format import MAX_FRAME, MalformedDatagramError, put_varint, take_varint

REJOIN, EXAMINED, RESYNC = 0, 1, 2
WANT, PIECE, REFUSAL = 0, 1, 2

PIECE_SIZE = 1100
MAX_PIECES = 8192
MAX_TRANSFER = PIECE_SIZE * MAX_PIECES
PIECES_A_REQUEST = 4
MAX_TRANSFERS = 64
"""How many transfers one peer may ask for in a game."""
WANT_S = 0.015
"""How often the receiver asks."""
PATIENCE_S = 5.0
"""How long the receiver asks in vain."""


class Incoming:
    """The receiver's side of one transfer.

    Args:
        peer: Who is asked.
        ident: The number of the transfer, 0 to 255; the next one has another.
        purpose: REJOIN, EXAMINED or RESYNC.
        frame: Of the state that is asked for (EXAMINED).
        now: Seconds.
    """

    __slots__ = ("_have", "_pieces", "_total", "deadline", "frame", "ident", "next_want", "peer", "purpose")

    def __init__(self, peer: int, ident: int, purpose: int, frame: int, now: float) -> None:
        self.peer = peer
        self.ident = ident
        self.purpose = purpose
        self.frame = frame
        self.next_want = now
        self.deadline = now + PATIENCE_S
        """When it is given up; every new piece moves it on."""
        self._total = -1
        self._pieces: list[bytes | None] = []
        self._have = 0

    def put_want(self, out: bytearray, now: float) -> None:
        """Append the request for what is missing."""
        self.next_want = now + WANT_S
        out += bytes((WANT, self.ident, self.purpose))
        put_varint(out, self.frame)
        bits = 0
        for index, piece in enumerate(self._pieces):
            if piece is not None:
                bits |= 1 << index
        out += bits.to_bytes((len(self._pieces) + 7) // 8, "little")

    def receive(self, total: int, index: int, piece: bytes, now: float) -> bytes | None:
        """Take a piece; return the whole once it is complete.

        Raises:
            MalformedDatagramError: The piece does not fit the others.
        """
        if self._total < 0:
            self._total = total
            self._pieces = [None] * -(-total // PIECE_SIZE)
        if total != self._total:
            raise MalformedDatagramError("the pieces of a transfer disagree")
        if self._pieces[index] is None:
            self._pieces[index] = piece
            self._have += 1
            self.deadline = now + PATIENCE_S
            # A full round of pieces asks for the next one at once.
            self.next_want = min(self.next_want, now if self._have % PIECES_A_REQUEST == 0 else now + WANT_S)
        if self._have < len(self._pieces):
            return None
        return b"".join(piece for piece in self._pieces if piece is not None)


class Outgoing:
    """The sender's side of one transfer.

    Args:
        want: What was asked for.
    """

    __slots__ = ("_next", "data", "frame", "ident", "purpose", "refused")

    def __init__(self, want: "Want") -> None:
        self.ident = want.ident
        self.purpose = want.purpose
        self.frame = want.frame
        self.data: bytes | None = None
        """What is sent, once there is something."""
        self.refused = False
        self._next = 0

    def answers(self, want: "Want") -> Iterator[bytes]:
        """Give the bodies of the datagrams to send now."""
        if self.refused:
            yield bytes((REFUSAL, self.ident))
            return
        if self.data is None:
            return
        count = -(-len(self.data) // PIECE_SIZE)
        sent = 0
        for step in range(count):
            index = (self._next + step) % count
            if want.has(index):
                continue
            out = bytearray((PIECE, self.ident))
            put_varint(out, len(self.data))
            put_varint(out, index)
            yield bytes(out) + self.data[index * PIECE_SIZE : (index + 1) * PIECE_SIZE]
            sent += 1
            if sent == PIECES_A_REQUEST:
                break
        else:
            index = -1
        self._next = index + 1


class Want:
    """A decoded request."""

    __slots__ = ("_bits", "frame", "ident", "purpose")

    def __init__(self, ident: int, purpose: int, frame: int, bits: int) -> None:
        self.ident = ident
        self.purpose = purpose
        self.frame = frame
        self._bits = bits

    def has(self, index: int) -> bool:
        """Whether the receiver has a piece."""
        return bool(self._bits >> index & 1)


def decode_want(body: bytes) -> Want:
    """Read a request: what follows its first byte.

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
    """Read a piece, after its first byte: (number of the transfer, size of the whole, index, bytes).

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
    """Return a state together with the frame that it is about to step."""
    out = bytearray()
    put_varint(out, frame)
    return bytes(out) + state


def decode_state(whole: bytes) -> tuple[int, bytes]:
    """Read what `encode_state` wrote.

    Raises:
        MalformedDatagramError: It holds no frame.
    """
    try:
        frame, at = take_varint(whole, 0)
    except IndexError:
        raise MalformedDatagramError("it is cut short") from None
    return frame, whole[at:]
