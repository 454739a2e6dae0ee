"""A fuzzer: feeds mutated datagrams to the decoders and to running sessions."""

import json
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.netcode.simulation.game import SimulatedGame
from tests.netcode.simulation.network import Conditions

from coplay.netcode.wire.format import (
    HEADER_SIZE,
    HELLO,
    MAX_DATAGRAM,
    MAX_FRAME,
    MAX_RUN,
    PLAY,
    STATE,
    MalformedDatagramError,
)
from coplay.netcode.wire.hello import decode_hello
from coplay.netcode.wire.play import PlayDatagram, decode_play, encode_status, put_inputs, put_play
from coplay.netcode.wire.transfer import PIECE_SIZE, decode_piece, decode_want

SIZES = (1, 2, 1)
FRAMES = 150
PER_FRAME = 12
"""Mutated datagrams that arrive between two frames."""
RECENT = 64
PEAK = 24 << 20
"""Limit on the memory of one game under attack, in bytes."""
VECTORS = Path(__file__).resolve().parents[3] / "protocol" / "vectors"
_BOUNDARIES = (b"\0", b"\1", b"\x7f", b"\x80\1", b"\xff\xff\xff\xff\7", b"\xff\xff\xff\xff\x0f", b"\x80\0")
_BYTES = (0, 1, 2, 3, 0x7F, 0x80, 0xFE, 0xFF)
_FRAMES = (0, 1, 127, 128, 255, 256, 65_535, MAX_FRAME - 128, MAX_FRAME)


@dataclass(slots=True)
class FuzzResult:
    """The counts and failures of a fuzzing run."""

    datagrams: int = 0
    rejected: int = 0
    """Datagrams that the decoders rejected."""
    games: int = 0
    footprint: int = 0
    peak: int = 0
    """Most memory that a game took, in bytes; 0 if it was not measured."""
    failures: list[str] = field(default_factory=list)

    def add(self, other: "FuzzResult") -> None:
        """Add the counts of another run."""
        self.datagrams += other.datagrams
        self.rejected += other.rejected
        self.games += other.games
        self.footprint = max(self.footprint, other.footprint)
        self.peak = max(self.peak, other.peak)
        self.failures += other.failures


def fuzz(seed: int, count: int, measure_memory: bool = False) -> FuzzResult:
    """Mutate datagrams, decode each, and give each to a running session.

    Args:
        seed: The same seed gives the same datagrams.
        count: How many datagrams to mutate.
        measure_memory: True to measure memory as well, which takes four times as long.
    """
    attack = Attack(seed)
    if measure_memory:
        tracemalloc.start()
    try:
        while attack.result.datagrams < count and not attack.result.failures:
            attack.play(count - attack.result.datagrams)
            if measure_memory:
                attack.result.peak = max(attack.result.peak, tracemalloc.get_traced_memory()[1])
                if attack.result.peak > PEAK:
                    attack.result.failures.append(f"seed {seed}: {attack.result.peak} bytes taken")
    finally:
        if measure_memory:
            tracemalloc.stop()
    return attack.result


class Attack:
    """Games of three peers that get mutated datagrams in addition to their own.

    Args:
        seed: Seed of the random choices.
    """

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._seed = seed
        self._written = [
            bytes.fromhex(vector["hex"])
            for name in ("hello.json", "play.json", "state.json")
            for vector in json.loads((VECTORS / name).read_text(encoding="utf-8"))
        ]
        self._recent: list[bytes] = list(self._written)
        self.result = FuzzResult()

    def play(self, most: int) -> None:
        """Play one game to its end, or until `most` datagrams were mutated."""
        random, result = self._random, self.result
        game = SimulatedGame(
            owners=(0, 1, 2),
            sizes=SIZES,
            frames=FRAMES,
            seed=random.randrange(1 << 30),
            conditions=Conditions(latency=0.03, loss=0.05),
            config={
                "delay": random.choice((0, 2, None)),
                "checksum_interval": random.choice((1, 7, 30)),
                "fates": (random.choice(("end", "default", "bot")),) * 3,
                "on_desync": random.choice(("end", "resync")),
            },
            state_size=3000,
        )
        game.network.on_send = self._note
        if random.random() < 0.3:
            at, peer = random.uniform(0.5, 2.0), random.randrange(3)
            game.plan((at, lambda: game.reload(peer)))
        result.games += 1
        attacked_until = result.datagrams + most

        def ended() -> bool:
            return bool(game.peers) and all(peer.session.phase == "closed" for peer in game.peers.values())

        until = 0.0
        data = b""
        try:
            while until < 30.0 and not ended():
                until += 1 / 60
                game.run(until=until)
                for _ in range(PER_FRAME):
                    if result.datagrams >= attacked_until:
                        return
                    data = self._mutated()
                    result.datagrams += 1
                    self._read(data)
                    target, source = random.sample(range(3), 2)
                    if target in game.peers:
                        game.peers[target].honest = False
                        game.peers[target].receive(source, data, game.network.now)
            for peer in game.peers.values():
                result.footprint = max(result.footprint, peer.check_footprint())
        except Exception as error:
            what = f"{type(error).__name__}: {error}"
            result.failures.append(f"seed {self._seed}, at {data.hex()}: {what[:300]}")

    def _note(self, _source: int, _target: int, data: bytes) -> bytes:
        self._recent.append(data)
        if len(self._recent) > RECENT:
            del self._recent[0]
        return data

    def _mutated(self) -> bytes:
        random = self._random
        data = random.choice(self._recent if random.random() < 0.9 else self._written)
        for _ in range(random.choice((1, 1, 1, 2, 3))):
            data = random.choice(MUTATORS)(random, data, self._recent)
        return data[: MAX_DATAGRAM + 1]

    def _read(self, data: bytes) -> None:
        """Read a datagram, and see that what was read is in its bounds."""
        if len(data) < HEADER_SIZE:
            return
        kind = data[0] & 15
        try:
            if kind == PLAY:
                _check_play(decode_play(data, SIZES))
            elif kind == HELLO:
                hello = decode_hello(data)
                assert len(hello.fields) <= 40
                assert hello.delay is None or hello.delay < MAX_RUN
            elif kind == STATE and len(data) > HEADER_SIZE:
                assert decode_want(data[HEADER_SIZE + 1 :]).frame <= MAX_FRAME
                _, total, index, piece = decode_piece(data[HEADER_SIZE + 1 :])
                assert index * PIECE_SIZE + len(piece) <= total
        except MalformedDatagramError:
            self.result.rejected += 1


def _check_play(play: PlayDatagram) -> None:
    assert 0 <= play.frame <= MAX_FRAME
    assert all(-1 <= last <= MAX_FRAME for last in play.last)
    assert len({player for player, _, _ in play.blocks}) == len(play.blocks)
    for player, first, values in play.blocks:
        assert first >= 0
        assert 1 <= len(values) <= MAX_RUN
        assert all(len(value) == SIZES[player] for value in values)
    frames = [frame for frame, _ in play.checksums]
    assert frames == sorted(set(frames))


# Ways to mutate a datagram: (random, datagram, other datagrams) -> bytes

Mutator = Callable[[Random, bytes, list[bytes]], bytes]


def _flip(random: Random, data: bytes, _others: list[bytes]) -> bytes:
    out = bytearray(data)
    if out:
        out[random.randrange(len(out))] ^= 1 << random.randrange(8)
    return bytes(out)


def _set(random: Random, data: bytes, _others: list[bytes]) -> bytes:
    out = bytearray(data)
    if out:
        out[random.randrange(len(out))] = random.choice(_BYTES)
    return bytes(out)


def _cut(random: Random, data: bytes, _others: list[bytes]) -> bytes:
    return data[: random.randint(0, len(data))]


def _extend(random: Random, data: bytes, _others: list[bytes]) -> bytes:
    return data + random.randbytes(random.choice((1, 2, 8, 100, 1000)))


def _splice(random: Random, data: bytes, others: list[bytes]) -> bytes:
    other = random.choice(others)
    return data[: random.randint(0, len(data))] + other[random.randint(0, len(other)) :]


def _number(random: Random, data: bytes, _others: list[bytes]) -> bytes:
    """Replace a byte by a number at some limit."""
    at = random.randint(min(HEADER_SIZE, len(data)), len(data))
    return data[:at] + random.choice(_BOUNDARIES) + data[at + 1 :]


def _renumber(random: Random, data: bytes, _others: list[bytes]) -> bytes:
    """Give it a new sequence number, so that it is not dropped as a duplicate."""
    seq = random.randrange(1 << 16).to_bytes(2, "little")
    return data[:2] + seq + data[4:]


def _rekind(random: Random, data: bytes, _others: list[bytes]) -> bytes:
    version = random.choice((1, 1, 1, 0, 2, 15))
    return bytes((version << 4 | random.randrange(16),)) + data[1:]


def _rewrite(random: Random, data: bytes, _others: list[bytes]) -> bytes:
    """Change one field of a play datagram and encode it again: well formed, but wrong."""
    try:
        play = decode_play(data, SIZES)
    except MalformedDatagramError:
        return data
    frame, last, left = play.frame, list(play.last), play.left
    checksums, settled, blocks = list(play.checksums), play.settled, list(play.blocks)
    closing = (play.closing, play.last_frame, play.chain) if play.closing >= 0 else None
    detail = (play.detail_frame, play.detail) if play.detail_frame >= 0 else None
    match random.randrange(8):
        case 0:
            frame = random.choice((*_FRAMES, frame + random.randint(-20, 20)))
        case 1:
            player = random.randrange(len(last))
            last[player] = max(-1, random.choice((*_FRAMES, last[player] + random.randint(-20, 20))))
        case 2:
            left = random.choice((0, 1, 2, 4))
        case 3:
            checksums = [(max(0, frame - random.randrange(60)), random.randrange(1 << 64))]
        case 4:
            closing = (random.randrange(16), random.choice((-1, frame, MAX_FRAME - 1)), random.randbytes(16))
        case 5:
            settled = random.randrange(8)
        case 6:
            values = [random.randbytes(SIZES[0])] * random.choice((1, 2, 128))
            blocks = [(0, max(0, random.choice((*_FRAMES[:5], frame + random.randint(-140, 140)))), values)]
        case _:
            detail = (max(0, frame), [random.randrange(1 << 64)] * random.choice((1, 64)))
    out = bytearray(data[:HEADER_SIZE])
    put_play(
        out, play.advantage, encode_status(max(0, frame), last, left), checksums, closing, settled, detail
    )
    for player, first, values in blocks:
        if values and len(out) < MAX_DATAGRAM - 64:
            put_inputs(out, player, max(0, frame), first, values, MAX_DATAGRAM - len(out))
    return bytes(out)


MUTATORS: tuple[Mutator, ...] = (
    *(_flip, _flip, _set, _set, _cut, _extend, _splice, _number, _number, _rekind),
    *(_renumber, _renumber, _rewrite, _rewrite, _rewrite, _rewrite),
)
