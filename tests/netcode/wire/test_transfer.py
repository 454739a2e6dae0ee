"""Transfers in pieces: the whole payload arrives or nothing does, with any loss of datagrams."""

from random import Random

import pytest

from coplay.netcode.wire.format import MAX_FRAME, MalformedDatagramError, put_varint
from coplay.netcode.wire.transfer import (
    MAX_TRANSFER,
    PIECE,
    PIECE_SIZE,
    PIECES_PER_REQUEST,
    REFUSAL,
    REJOIN,
    RESYNC,
    WANT,
    IncomingTransfer,
    OutgoingTransfer,
    decode_piece,
    decode_state,
    decode_want,
    encode_state,
)


def want_of(incoming: IncomingTransfer, now: float = 0.0) -> bytes:
    out = bytearray()
    incoming.put_want(out, now)
    assert out[0] == WANT
    return bytes(out[1:])


@pytest.mark.parametrize("size", [1, PIECE_SIZE, PIECE_SIZE + 1, 20 * PIECE_SIZE + 7])
@pytest.mark.parametrize("loss", [0.0, 0.4])
def test_payload_is_complete_after_its_last_piece(size: int, loss: float) -> None:
    random = Random(size)
    data = random.randbytes(size)
    incoming = IncomingTransfer(1, 7, REJOIN, 0, 0.0)
    outgoing = OutgoingTransfer(decode_want(want_of(incoming)))
    outgoing.data = data
    for _ in range(200):
        if random.random() < loss:
            continue
        answers = list(outgoing.answers(decode_want(want_of(incoming))))
        assert len(answers) <= PIECES_PER_REQUEST
        for body in answers:
            assert body[0] == PIECE
            ident, total, index, piece = decode_piece(body[1:])
            assert (ident, total) == (7, size)
            if random.random() < loss:
                continue
            whole = incoming.receive(total, index, piece, 0.0)
            if whole is not None:
                assert whole == data
                return
    pytest.fail("it never arrived")


def test_duplicate_piece_counts_once() -> None:
    incoming = IncomingTransfer(1, 0, REJOIN, 0, 0.0)
    piece = bytes(PIECE_SIZE)
    for _ in range(5):
        assert incoming.receive(2 * PIECE_SIZE, 0, piece, 1.0) is None
    assert incoming.receive(2 * PIECE_SIZE, 1, piece, 1.0) == bytes(2 * PIECE_SIZE)


def test_pieces_of_different_payloads_are_rejected() -> None:
    incoming = IncomingTransfer(1, 0, REJOIN, 0, 0.0)
    incoming.receive(2 * PIECE_SIZE, 0, bytes(PIECE_SIZE), 0.0)
    with pytest.raises(MalformedDatagramError, match="disagree"):
        incoming.receive(3 * PIECE_SIZE, 1, bytes(PIECE_SIZE), 0.0)


def test_new_pieces_extend_the_deadline_and_a_full_round_requests_immediately() -> None:
    incoming = IncomingTransfer(1, 0, REJOIN, 0, 0.0)
    want_of(incoming, 10.0)
    for index in range(PIECES_PER_REQUEST):
        assert incoming.next_request > 10.0
        incoming.receive(9 * PIECE_SIZE, index, bytes(PIECE_SIZE), 10.0)
    assert incoming.next_request == 10.0
    assert incoming.deadline == 15.0


def test_request_is_ignored_until_the_payload_is_there_and_refused_if_there_is_none() -> None:
    want = decode_want(want_of(IncomingTransfer(1, 3, RESYNC, 0, 0.0)))
    outgoing = OutgoingTransfer(want)
    assert list(outgoing.answers(want)) == []
    outgoing.refused = True
    assert list(outgoing.answers(want)) == [bytes((REFUSAL, 3))]


def test_receiver_with_all_pieces_is_sent_nothing() -> None:
    outgoing = OutgoingTransfer(decode_want(bytes((0, REJOIN, 0))))
    outgoing.data = b"all"
    assert list(outgoing.answers(decode_want(bytes((0, REJOIN, 0, 1))))) == []


def number(value: int) -> bytes:
    out = bytearray()
    put_varint(out, value)
    return bytes(out)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "short"),
        (bytes((0, REJOIN)), "short"),
        (bytes((0, 3, 0)), "range"),
        (bytes((0, REJOIN)) + number(MAX_FRAME + 1), "range"),
        (bytes((0, REJOIN, 0)) + bytes(1100), "range"),
    ],
)
def test_malformed_request_is_rejected(body: bytes, reason: str) -> None:
    with pytest.raises(MalformedDatagramError, match=reason):
        decode_want(body)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "short"),
        (bytes((0, 5)), "short"),
        (bytes((0, 0, 0)), "range"),
        (bytes((0,)) + number(MAX_TRANSFER + 1) + b"\0", "range"),
        (bytes((0, 5, 1)), "range"),
        (bytes((0, 5, 0)) + b"four", "length"),
    ],
)
def test_malformed_piece_is_rejected(body: bytes, reason: str) -> None:
    with pytest.raises(MalformedDatagramError, match=reason):
        decode_piece(body)


def test_state_payload_contains_its_frame() -> None:
    assert decode_state(encode_state(300, b"state")) == (300, b"state")
    with pytest.raises(MalformedDatagramError):
        decode_state(b"\x80")
