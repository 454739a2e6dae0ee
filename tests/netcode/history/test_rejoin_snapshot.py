"""The snapshot for a rejoining peer decodes to what was encoded, and nothing malformed is accepted."""

import zlib

import pytest
from tests.netcode.simulation import configure

from coplay.netcode.history.confirmed_log import ConfirmedLog
from coplay.netcode.history.rejoin_snapshot import (
    MAX_SNAPSHOT,
    decode_rejoin_snapshot,
    encode_rejoin_snapshot,
)
from coplay.netcode.input_queue import InputQueue
from coplay.netcode.peers.seats import NOBODY, Cut, Seats
from coplay.netcode.wire.format import MalformedDatagramError

SIZES = (1, 2)


def encoded(state: bytes = b"state") -> bytes:
    """Three frames of two players; the second one left after frame 1 and has the default now."""
    queues = [InputQueue(0, b"-"), InputQueue(1, b"--")]
    log = ConfirmedLog()
    for frame in range(3):
        queues[0].append(bytes((frame,)))
        queues[1].append(bytes((frame, frame)))
        log.add_inputs((bytes((frame,)), bytes((frame, frame))))
    queues[0].append(b"x")
    log.checksums += [(1, 11), (3, 33), (9, 99)]
    seats = Seats(configure(0, (0, 1), fates=("default", "default")), queues)
    seats.restore([0, NOBODY], [Cut(1, 1, "default")], [])
    return encode_rejoin_snapshot(3, 2, log, seats, queues, state)


def test_snapshot_decodes_to_what_was_encoded() -> None:
    snapshot = decode_rejoin_snapshot(encoded(), SIZES)
    assert (snapshot.frame, snapshot.delay, snapshot.state) == (3, 2, b"state")
    assert snapshot.log == bytes((0, 0, 0, 1, 1, 1, 2, 2, 2))
    assert snapshot.checksums == [(1, 11), (3, 33)], "none of a frame that the log does not have"
    assert snapshot.writers == [0, NOBODY]
    assert snapshot.cuts == [Cut(1, 1, "default")]
    assert snapshot.ahead == [[b"x"], []]


def test_every_truncated_snapshot_is_rejected() -> None:
    raw = zlib.decompress(encoded(b""))
    for length in range(len(raw)):
        with pytest.raises(MalformedDatagramError):
            decode_rejoin_snapshot(zlib.compress(raw[:length]), SIZES)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"\x01\x80" + bytes(20), "log"),
        (b"\x7f\x00" + bytes(20), "log"),
        (b"\x00\x00\x01\x05" + bytes(20), "checksum"),
        (b"\x01\x00aaa\x02\x01" + bytes(8) + b"\x01" + bytes(20), "checksum"),
        (b"\x00\x00\x01\x00" + bytes(4), "checksum"),
        (b"\x00\x00\x00" + b"\x00\x04\x01" + bytes(9), "seat"),
        (b"\x00\x00\x00" + b"\x00\x00\x81" + bytes(200), "inputs"),
        (b"\x00\x00\x00" + b"\x00\x00\x05abc", "inputs"),
    ],
)
def test_snapshot_out_of_range_is_rejected(raw: bytes, reason: str) -> None:
    with pytest.raises(MalformedDatagramError, match=reason):
        decode_rejoin_snapshot(zlib.compress(raw), SIZES)


@pytest.mark.parametrize(
    "data", [b"", b"no zlib", zlib.compress(b"")[:-1], zlib.compress(b"\0") + b"more"], ids=repr
)
def test_payload_that_is_not_one_complete_zlib_stream_is_rejected(data: bytes) -> None:
    with pytest.raises(MalformedDatagramError, match=r"decompressed|end where"):
        decode_rejoin_snapshot(data, SIZES)


def test_snapshot_that_expands_beyond_the_limit_is_rejected() -> None:
    with pytest.raises(MalformedDatagramError, match="end where"):
        decode_rejoin_snapshot(zlib.compress(bytes(MAX_SNAPSHOT + 1)), SIZES)


def test_damaged_snapshot_is_rejected_or_decoded_within_bounds() -> None:
    raw = zlib.decompress(encoded())
    for at in range(len(raw)):
        for value in (0, 1, 0x7F, 0x80, 0xFF):
            damaged = raw[:at] + bytes((value,)) + raw[at + 1 :]
            try:
                snapshot = decode_rejoin_snapshot(zlib.compress(damaged), SIZES)
            except MalformedDatagramError:
                continue
            assert len(snapshot.log) == snapshot.frame * sum(SIZES)
            assert all(len(value) == SIZES[seat] for seat, row in enumerate(snapshot.ahead) for value in row)
