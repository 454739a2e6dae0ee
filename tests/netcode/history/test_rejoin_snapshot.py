"""What a returning peer is told: read as it was written, and nothing else."""

import zlib

import pytest
from tests.netcode.simulation import configure

from coplay.netcode.history.agreement import Chain
from coplay.netcode.history.rejoin_snapshot import MAX_MEMORY, decode_rejoin_snapshot, encode_rejoin_snapshot
from coplay.netcode.input_queue import InputQueue
from coplay.netcode.peers.seats import NOBODY, Cut, Seats
from coplay.netcode.wire.format import MalformedDatagramError

SIZES = (1, 2)


def written(state: bytes = b"state") -> bytes:
    """Three frames of two players; the second one left after frame 1 and has the default now."""
    queues = [InputQueue(0, b"-"), InputQueue(1, b"--")]
    chain = Chain()
    for frame in range(3):
        queues[0].append(bytes((frame,)))
        queues[1].append(bytes((frame, frame)))
        chain.add_inputs((bytes((frame,)), bytes((frame, frame))))
    queues[0].append(b"x")
    chain.checksums += [(1, 11), (3, 33), (9, 99)]
    seats = Seats(configure(0, (0, 1), fates=("default", "default")), queues)
    seats.restore([0, NOBODY], [Cut(1, 1, "default")], [])
    return encode_rejoin_snapshot(3, 2, chain, seats, queues, state)


def test_memory_comes_back_as_it_was_written() -> None:
    memory = decode_rejoin_snapshot(written(), SIZES)
    assert (memory.frame, memory.delay, memory.state) == (3, 2, b"state")
    assert memory.log == bytes((0, 0, 0, 1, 1, 1, 2, 2, 2))
    assert memory.checksums == [(1, 11), (3, 33)], "none of a frame that the log does not have"
    assert memory.writers == [0, NOBODY]
    assert memory.cuts == [Cut(1, 1, "default")]
    assert memory.ahead == [[b"x"], []]


def test_every_shorter_memory_is_refused_or_lacks_a_part_of_the_state() -> None:
    raw = zlib.decompress(written(b""))
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
def test_memory_out_of_range_is_refused(raw: bytes, reason: str) -> None:
    with pytest.raises(MalformedDatagramError, match=reason):
        decode_rejoin_snapshot(zlib.compress(raw), SIZES)


@pytest.mark.parametrize(
    "data", [b"", b"no zlib", zlib.compress(b"")[:-1], zlib.compress(b"\0") + b"more"], ids=repr
)
def test_what_is_not_compressed_as_a_whole_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedDatagramError, match=r"decompressed|end where"):
        decode_rejoin_snapshot(data, SIZES)


def test_memory_that_swells_beyond_all_bounds_is_refused() -> None:
    with pytest.raises(MalformedDatagramError, match="end where"):
        decode_rejoin_snapshot(zlib.compress(bytes(MAX_MEMORY + 1)), SIZES)


def test_damaged_memory_is_refused_or_read_within_bounds() -> None:
    raw = zlib.decompress(written())
    for at in range(len(raw)):
        for value in (0, 1, 0x7F, 0x80, 0xFF):
            damaged = raw[:at] + bytes((value,)) + raw[at + 1 :]
            try:
                memory = decode_rejoin_snapshot(zlib.compress(damaged), SIZES)
            except MalformedDatagramError:
                continue
            assert len(memory.log) == memory.frame * sum(SIZES)
            assert all(len(value) == SIZES[seat] for seat, row in enumerate(memory.ahead) for value in row)
