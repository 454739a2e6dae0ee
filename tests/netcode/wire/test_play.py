import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coplay.netcode.wire.format import (
    HEADER_SIZE,
    MAX_DATAGRAM,
    MAX_FRAME,
    MAX_RUN,
    MalformedDatagramError,
    put_varint,
)
from coplay.netcode.wire.play import decode_play, encode_status, put_inputs, put_play

HEADER = bytes((0x11, 0, 0, 0, 0, 0, 255))
frames = st.integers(0, MAX_FRAME - 200)


def play_datagram(
    frame: int,
    last: list[int],
    left: int = 0,
    advantage: float = 0.0,
    checksums: tuple[tuple[int, int], ...] = (),
    closing: tuple[int, int, bytes] | None = None,
    blocks: tuple[tuple[int, int, list[bytes]], ...] = (),
    room: int = 10_000,
) -> bytes:
    out = bytearray(HEADER)
    put_play(out, advantage, encode_status(frame, last, left), checksums, closing)
    for player, first, values in blocks:
        put_inputs(out, player, frame, first, values, room)
    return bytes(out)


@settings(deadline=None)
@given(st.data())
def test_play_datagram_decodes_to_what_was_encoded(data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.integers(1, 64), min_size=1, max_size=8))
    players = len(sizes)
    frame = data.draw(frames)
    last = data.draw(st.lists(st.integers(-1, MAX_FRAME), min_size=players, max_size=players))
    left = data.draw(st.integers(0, (1 << players) - 1))
    checksums = tuple(
        sorted(data.draw(st.dictionaries(frames, st.integers(0, (1 << 64) - 1), max_size=32)).items())
    )
    closing = data.draw(
        st.none() | st.tuples(st.integers(0, 15), st.integers(-1, 10**6), st.binary(min_size=16, max_size=16))
    )
    blocks = []
    for player in data.draw(st.sets(st.integers(0, players - 1))):
        alphabet = data.draw(st.lists(st.binary(min_size=sizes[player], max_size=sizes[player]), min_size=1))
        values = data.draw(st.lists(st.sampled_from(alphabet), min_size=1, max_size=128))
        blocks.append((player, data.draw(frames), values))
    advantage = data.draw(st.integers(-10_000, 10_000)) / 8
    play = decode_play(play_datagram(frame, last, left, advantage, checksums, closing, tuple(blocks)), sizes)
    assert (play.frame, play.last, play.left, play.advantage) == (frame, last, left, advantage)
    assert tuple(play.checksums) == checksums
    assert play.blocks == blocks
    if closing is None:
        assert play.closing == -1
    else:
        assert (play.closing, play.last_frame, play.chain) == closing


@settings(deadline=None)
@given(
    size=st.integers(1, 64),
    changes=st.lists(st.booleans(), max_size=127),
    room=st.integers(0, 1150),
    first=st.integers(0, 300),
)
def test_inputs_never_take_more_than_their_room_and_keep_the_oldest(
    size: int, changes: list[bool], room: int, first: int
) -> None:
    values, value = [bytes(size)], 0
    for change in changes:
        value += change
        values.append(value.to_bytes(size, "little") if size > 1 else bytes((value & 0xFF,)))
    out = bytearray()
    put_inputs(out, 0, 100, first, values, room)
    assert len(out) <= room
    if not out:
        assert room < 13 + size + 1
        return
    play = decode_play(play_datagram(100, [0]) + bytes(out), [size])
    ((_, start, sent),) = play.blocks
    assert start == first
    assert sent == values[: len(sent)]


def test_128_unacked_inputs_of_one_byte_fit_one_datagram() -> None:
    values = [bytes((frame,)) for frame in range(128)]
    data = play_datagram(200, [199, 71], blocks=((0, 72, values),), room=1000)
    assert len(data) < 200
    assert decode_play(data, [1, 1]).blocks == [(0, 72, values)]


def test_two_unacked_inputs_of_two_bytes_take_24_bytes_at_most() -> None:
    data = play_datagram(3600, [3599, 3597], blocks=((0, 3598, [b"ab", b"cd"]),))
    assert len(data) <= 24


@settings(deadline=None)
@given(st.binary(max_size=MAX_DATAGRAM), st.lists(st.integers(1, 64), min_size=1, max_size=8))
def test_random_bytes_are_rejected_or_decoded_within_bounds(data: bytes, sizes: list[int]) -> None:
    try:
        play = decode_play(HEADER + data, sizes)
    except MalformedDatagramError:
        return
    assert sum(len(values) for _, _, values in play.blocks) <= 128 * len(sizes)
    assert all(first >= 0 for _, first, _ in play.blocks)
    assert all(held >= -1 for held in play.last)


@settings(deadline=None)
@given(st.integers(0, 40), st.integers(0, 255), st.booleans())
def test_damaged_play_datagram_raises_malformed_or_nothing(at: int, value: int, cut: bool) -> None:
    data = bytearray(
        play_datagram(
            300, [299, 297], checksums=((270, 5), (300, 9)), blocks=((0, 298, [b"ab", b"ab", b"cd"]),)
        )
    )
    at = min(at, len(data) - 1)
    if cut:
        del data[at:]
    else:
        data[at] = value
    try:
        decode_play(bytes(data), [2, 2])
    except MalformedDatagramError:
        return


def test_block_holds_at_most_128_inputs() -> None:
    out = bytearray(HEADER)
    put_play(out, 0.0, encode_status(300, [299], 0))
    put_inputs(out, 0, 300, 10, [b"x"] * 200, 1000)
    ((_, first, values),) = decode_play(bytes(out), [1]).blocks
    assert (first, len(values)) == (10, MAX_RUN)


@pytest.mark.parametrize("part", ["checksums", "closing"])
def test_frames_beyond_the_highest_possible_one_are_rejected(part: str) -> None:
    out = bytearray(HEADER)
    put_play(out, 0.0, encode_status(0, [-1], 0))
    number = bytearray()
    put_varint(number, MAX_FRAME + 1)
    if part == "checksums":
        out[HEADER_SIZE] = 1
        out += b"\1" + number + bytes(8)
    else:
        out[HEADER_SIZE] = 2
        out += b"\0" + number + bytes(16)
    with pytest.raises(MalformedDatagramError, match="out of range"):
        decode_play(bytes(out), [1])
