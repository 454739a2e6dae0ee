"""The snapshot with which a restarted peer rejoins a running game: the log, the seats and a state.

It comes from an untrusted peer, so everything in it is validated. The whole snapshot is compressed with zlib.

Layout: protocol/datagrams.md.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from coplay.netcode.config import FATES
from coplay.netcode.history.confirmed_log import ConfirmedLog
from coplay.netcode.input_queue import RING, InputQueue
from coplay.netcode.peers.seats import NOBODY, Cut, Seats
from coplay.netcode.wire.format import MAX_FRAME, MAX_RUN, MalformedDatagramError, put_varint, take_varint

MAX_SNAPSHOT = 64 << 20
"""Bytes before compression: bounds what a small malicious payload can expand to."""


@dataclass(frozen=True, slots=True)
class RejoinSnapshot:
    """A decoded snapshot of a running game.

    Attributes:
        frame: The first frame that the log does not contain; the state is about to step it.
        delay: The input delay, in frames.
        log: All players' inputs of frame 0, then of frame 1 …
        checksums: Pairs of (frame, checksum) of the log.
        writers: Per player, the peer that writes the seat; `NOBODY` for a seat with the default input.
        cuts: The settled ends of the inputs of peers that left.
        ahead: Per player, the inputs from `frame` on that the sender held.
        state: The state as `ExportState` produced it.
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
    frame: int, delay: int, log: ConfirmedLog, seats: Seats, queues: Sequence[InputQueue], state: bytes
) -> bytes:
    """Return the snapshot of a game for another peer.

    Args:
        frame: The first frame that is not published; `state` is about to step it.
        delay: The input delay, in frames.
        log: The log of the game.
        seats: The seats of the game.
        queues: Per player, the input queue.
        state: The state as `ExportState` produced it.
    """
    checksums = [entry for entry in log.checksums if entry[0] <= frame]
    out = bytearray()
    put_varint(out, frame)
    out.append(delay)
    out += log.inputs[: frame * sum(queue.size for queue in queues)]
    put_varint(out, len(checksums))
    for when, checksum in checksums:
        put_varint(out, when)
        out += checksum.to_bytes(8, "little")
    for queue in queues:
        player = queue.player
        # An orphaned seat keeps its last writer here: the receiver learns of the leave from status vectors.
        out.append(seats.writers[player] & 0xFF)
        cut = seats.cuts.get(player)
        out.append(1 + FATES.index(cut.fate) if cut is not None else 0)
        if cut is not None:
            put_varint(out, cut.last_frame + 1)
        ahead = queue.inputs_from(frame) if queue.last_given >= frame else []
        out.append(len(ahead))
        for value in ahead:
            out += value
    out += state
    return zlib.compress(bytes(out), 1)


def decode_rejoin_snapshot(data: bytes, sizes: Sequence[int]) -> RejoinSnapshot:
    """Decode a snapshot from another peer.

    Args:
        data: Untrusted result of `encode_rejoin_snapshot`.
        sizes: Per player, the length of its inputs in bytes.

    Raises:
        MalformedDatagramError: The bytes break the layout or its bounds.
    """
    inflate = zlib.decompressobj()
    try:
        # A larger snapshot stops at the bound, and then fails the check of `eof`.
        raw = inflate.decompress(data, MAX_SNAPSHOT)
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
            if fate > len(FATES) or last > MAX_FRAME:
                raise MalformedDatagramError("a seat is out of range")
            cuts.append(Cut(player, last - 1, FATES[fate - 1]))
            # One byte cannot hold NOBODY. After a cut, only a seat with the fate `bot` has a writer.
            if FATES[fate - 1] != "bot":
                writers[-1] = NOBODY
        held = raw[at]
        at += 1
        if held > RING or at + held * size > len(raw):
            raise MalformedDatagramError("inputs are out of range")
        ahead.append([raw[place : place + size] for place in range(at, at + held * size, size)])
        at += held * size
    return RejoinSnapshot(frame, delay, log, checksums, writers, cuts, ahead, raw[at:])
