"""Packed batches are smaller, and the same when they are read."""

import random
import zlib
from array import array
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from coplay.data.batches import MAX_BATCH_BYTES, FrameBatch, encode
from coplay.data.database.packing import pack, unpack
from coplay.data.database.store import Store
from coplay.data.database.tables import batches

STORED = {"game_id": "g", "peer": 0, "first_frame": 0, "frames": 1, "utc": "", "sha256": ""}


def second_of_play() -> bytes:
    """As a page sends it: times in steps of 5 µs, some guesses, a row of figures."""
    chance = random.Random(2)
    link = {"rtt_ms": 48.34, "jitter_ms": 18.93, "loss": 0.0, "link": "direct", "advantage": 1.73}
    moment = {"t_ms": 56588.3, "utc": "2026-11-23T03:24:41.171000+00:00"}
    counts = {"rollbacks": 7, "resimulated_frames": 7, "stalled_frames": 0, "bytes_sent": 569}
    return encode(
        FrameBatch(
            number=49,
            peer=0,
            first_frame=1429,
            inputs=bytes(chance.choice((0, 1)) for _ in range(60)),
            confirmed_at_ms=array("d", [55_000 + 33.335 * n for n in range(30)]),
            predicted=bytes(chance.choice((0, 0, 2)) for _ in range(30)),
            corrected_after=bytes(60),
            rewards=array("d", bytes(480)),
            flags=bytes([4] * 60),
            episodes=array("H", bytes(60)),
            checksums=[(1440, 0xBFFDCD955DEF46B3)],
            net=[{**counts, "packets_sent": 31, **moment, "peers": {"1": link}}],
        )
    )


def test_second_of_play_is_packed_to_a_third_and_unpacked_to_the_same() -> None:
    body = second_of_play()
    assert len(pack(body)) < len(body) / 3
    assert unpack(pack(body)) == body


@given(st.binary(max_size=300))
def test_any_bytes_come_back_the_same(body: bytes) -> None:
    # The fourth byte of a batch is 0: its header is not so long.
    body = body[:3] + b"\0" + body[3:]
    assert unpack(pack(body)) == body
    assert len(pack(body)) <= len(body)


def test_largest_batch_comes_back_the_same() -> None:
    for body in (bytes(MAX_BATCH_BYTES), b"\0\0\0\0" + random.Random(1).randbytes(MAX_BATCH_BYTES - 4)):
        assert unpack(pack(body)) == body


def test_batch_that_was_stored_before_packing_is_read_as_it_is() -> None:
    assert unpack(second_of_play()) == second_of_play()


def test_damaged_bytes_are_neither_a_batch_nor_an_error() -> None:
    packed = pack(second_of_play())
    for damaged in (packed[:-1], packed[:5], packed[:4], packed[:40] + b"\xff" * 40 + packed[80:]):
        assert unpack(damaged) != second_of_play()


def test_bytes_that_unpack_to_more_than_a_batch_are_left_alone() -> None:
    deflate = zlib.compressobj(wbits=-15)
    bomb = b"pk\x00\x01" + deflate.compress(bytes(MAX_BATCH_BYTES + 1)) + deflate.flush()
    assert unpack(bomb) == bomb


def test_dictionary_is_the_one_that_data_were_written_with() -> None:
    assert unpack(bytes.fromhex(PACKED)) == b"".join((b"\x02\0\0\0{}", bytes(60), b'"events":[]}'))


def test_column_holds_the_packed_batch_and_gives_the_batch(tmp_path: Path, database: str) -> None:
    store, body = Store(tmp_path), second_of_play()
    store.insert(batches, {**STORED, "number": 0, "body": body}, "sha256").result()
    as_it_came = text(
        "INSERT INTO batches (game_id, peer, number, first_frame, frames, utc, sha256, body)"
        " VALUES ('g', 0, 1, 0, 1, '', '', :body)"
    )
    store.execute(as_it_came.bindparams(body=body)).result()
    raw = store.submit(lambda c: c.execute(text("SELECT body FROM batches ORDER BY number")).scalars().all())
    assert [len(bytes(stored)) < len(body) for stored in raw.result()] == [True, False]
    read = store.submit(lambda c: c.execute(batches.select().order_by(batches.c.number)).all())
    assert [row.body for row in read.result()] == [body, body]
    store.close()


PACKED = "706b00016302c55c2d25f18e6c1a00"
