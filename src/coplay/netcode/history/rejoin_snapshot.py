"""All that a peer must know to go on in a game it did not see: the log, the seats, and a state.

One peer writes it, another reads it and believes nothing. Compressed by zlib as a whole.

Layout: protocol/datagrams.md.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from coplay.netcode.config import Fate
from coplay.netcode.history.agreement import Chain
from coplay.netcode.input_queue import RING, InputQueue
from coplay.netcode.peers.seats import NOBODY, Cut, Seats
from coplay.netcode.wire.format import MAX_FRAME, MAX_RUN, MalformedDatagramError, put_varint, take_varint

MAX_MEMORY = 64 << 20
"""Bytes, before compression."""
_FATES: tuple[Fate, ...] = ("end", "default", "bot")


@dataclass(frozen=True, slots=True)
class RejoinSnapshot:
    """What one peer held when it was asked.

    Attributes:
        frame: The first frame that the log does not have; the state is about to step it.
        delay: The input delay, in frames.
        log: All players' inputs of frame 0, then of frame 1 …
        checksums: Pairs of (frame, checksum) of the log.
        writers: Per player, the peer that writes it; `NOBODY` for one with the default.
        cuts: Where persons' inputs ended.
        ahead: Per player, the inputs from `frame` on that were held already.
        state: As the environment's side wrote it.
    """

    frame: int
    delay: int
    log: bytes
    checksums: list[tuple[int, int]]
    writers: list[int]
    cuts: list[Cut]
    ahead: list[list[bytes]]
    state: bytes


def encode_rejoin_snapshot(
    frame: int, delay: int, chain: Chain, seats: Seats, queues: Sequence[InputQueue], state: bytes
) -> bytes:
    """Return what another peer needs to go on from `frame`, which is the first that was not given out."""
    checksums = [entry for entry in chain.checksums if entry[0] <= frame]
    out = bytearray()
    put_varint(out, frame)
    out.append(delay)
    out += chain.inputs[: frame * sum(queue.size for queue in queues)]
    put_varint(out, len(checksums))
    for when, checksum in checksums:
        put_varint(out, when)
        out += checksum.to_bytes(8, "little")
    for queue in queues:
        player = queue.player
        # An orphan is still its former writer's, to the one who comes back: it hears of the leave anew.
        out.append(seats.writers[player] & 0xFF)
        cut = seats.cuts.get(player)
        out.append(1 + _FATES.index(cut.fate) if cut is not None else 0)
        if cut is not None:
            put_varint(out, cut.last_frame + 1)
        ahead = queue.inputs_from(frame) if queue.held >= frame else []
        out.append(len(ahead))
        for value in ahead:
            out += value
    out += state
    return zlib.compress(bytes(out), 1)


def decode_rejoin_snapshot(data: bytes, sizes: Sequence[int]) -> RejoinSnapshot:
    """Read what another peer wrote.

    Args:
        data: From `encode_rejoin_snapshot`; nothing in it is believed.
        sizes: Per player, the length of its inputs in bytes.

    Raises:
        MalformedDatagramError: The bytes break the layout or its bounds.
    """
    inflate = zlib.decompressobj()
    try:
        raw = inflate.decompress(data, MAX_MEMORY)
    except zlib.error:
        raise MalformedDatagramError("it cannot be decompressed") from None
    if not inflate.eof or inflate.unused_data:
        raise MalformedDatagramError("it does not end where it should")
    try:
        return _read(raw, sizes)
    except IndexError:
        raise MalformedDatagramError("it is cut short") from None


def _read(raw: bytes, sizes: Sequence[int]) -> RejoinSnapshot:
    frame, at = take_varint(raw, 0)
    delay = raw[at]
    end = at + 1 + frame * sum(sizes)
    if frame > MAX_FRAME or delay >= MAX_RUN or end > len(raw):
        raise MalformedDatagramError("a log is out of range")
    log = raw[at + 1 : end]
    count, at = take_varint(raw, end)
    checksums: list[tuple[int, int]] = []
    for _ in range(count):
        when, at = take_varint(raw, at)
        if when > frame or (checksums and when <= checksums[-1][0]) or at + 8 > len(raw):
            raise MalformedDatagramError("a checksum is out of range")
        checksums.append((when, int.from_bytes(raw[at : at + 8], "little")))
        at += 8
    writers, cuts, ahead = [], [], []
    for player, size in enumerate(sizes):
        writer, fate = raw[at], raw[at + 1]
        at += 2
        writers.append(writer)
        if fate:
            last, at = take_varint(raw, at)
            if fate > len(_FATES) or last > MAX_FRAME:
                raise MalformedDatagramError("a seat is out of range")
            cuts.append(Cut(player, last - 1, _FATES[fate - 1]))
            if _FATES[fate - 1] != "bot":
                writers[-1] = NOBODY
        held = raw[at]
        at += 1
        if held > RING or at + held * size > len(raw):
            raise MalformedDatagramError("inputs are out of range")
        ahead.append([raw[place : place + size] for place in range(at, at + held * size, size)])
        at += held * size
    return RejoinSnapshot(frame, delay, log, checksums, writers, cuts, ahead, raw[at:])
