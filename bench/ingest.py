"""Measures how many uploads the server commits: both pages of each game upload a batch every second."""

import asyncio
import os
import sqlite3
import time
from array import array
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import quantiles
from typing import Any

from tests.postgres import Postgres, find_binaries
from tests.server.lossy_peers import Peer, open_games
from tests.server.study_process import StudyProcess

from bench.figures import Figures, Kind, Target
from coplay.data.batches import FrameBatch, encode
from coplay.data.database.engines import DATABASE_FILE, DATABASE_VARIABLE

GAMES = 500
FPS = 30
OFFERED = GAMES * 2 * FPS

TAKEN = Kind("player-frames taken per second", "", Target("≥", 0.99 * OFFERED), f"{OFFERED} brought")
COMMIT = Kind("from sending to committed, p50", "ms")
COMMIT_TAIL = Kind("from sending to committed, p99", "ms", Target("≤", 250.0))
LATER = Kind("batches told to come later", "%")
PROCESSOR = Kind("processor time of the server, per batch", "ms", Target("≤", 0.8))
MOST = Kind("player-frames taken per second, at most", "", None, "as fast as 64 pages can")
DISK = Kind("on disk, per player and minute", "kB", Target("≤", 50.0))


@dataclass(slots=True)
class Tally:
    """The outcomes of the uploaded batches."""

    seconds: list[float] = field(default_factory=list)
    later: int = 0


class PageConnection(asyncio.Protocol):
    """One browser's HTTP connection, which sends one request after another.

    It is written by hand because a library's client would need more processor time than the server, on the
    same two cores.
    """

    def __init__(self) -> None:
        self._answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note that the server has accepted the connection."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Find the end of an answer by its length."""
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end:
            return
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        if len(body) >= length:
            self._received = b""
            self._answer.set_result(int(head[9:12]))

    def connection_lost(self, error: Exception | None) -> None:
        """Fail the pending answer, since the server closed the connection."""
        if not self._answer.done():
            self._answer.set_exception(error or ConnectionError("the server closed the connection"))
            self._answer.exception()

    async def post(self, peer: Peer, body: bytes) -> int:
        """Send a batch and return the HTTP status of the response."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        head = (
            f"POST /api/games/{peer.game_id}/batches HTTP/1.1\r\nHost: study\r\n"
            f"Authorization: Bearer {peer.tokens[0]}\r\nContent-Type: application/octet-stream\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        self._transport.write(head.encode() + body)
        return await self._answer

    def close(self) -> None:
        """Close the connection."""
        assert self._transport is not None
        self._transport.close()


def measure_ingest(figures: Figures, new_folder: Callable[[str], Path], seconds: float) -> None:
    """Measure 500 games of two players at 30 frames a second, on each kind of database."""
    section = f"Data of {GAMES} games at {FPS} frames a second, SQLite"
    _run(_measure(figures, section, new_folder("ingest"), seconds, _sqlite_size))
    section = section.replace("SQLite", "PostgreSQL")
    if find_binaries() is None:
        for kind in (TAKEN, COMMIT_TAIL):
            figures.add(section, kind, None)
        return
    server = Postgres(safe=True)
    try:
        with server.database("ingest") as address:
            os.environ[DATABASE_VARIABLE] = address
            _run(_measure(figures, section, new_folder("ingest"), seconds, lambda _: server.size("ingest")))
    finally:
        os.environ.pop(DATABASE_VARIABLE, None)
        server.close()


def _run(measuring: Coroutine[Any, Any, None]) -> None:
    # In a separate thread, because Playwright may run an event loop in this one.
    with ThreadPoolExecutor(1) as threads:
        threads.submit(asyncio.run, measuring).result()


async def _measure(
    figures: Figures, section: str, folder: Path, seconds: float, size: Callable[[Path], int]
) -> None:
    server = StudyProcess(folder, going_on=True)
    games = open_games(folder / "data", GAMES + 32)
    peers = [peer for game in games for peer in game]
    _write_batches(peers[: 2 * GAMES], round(seconds) + 1)
    _write_batches(peers[2 * GAMES :], 60)
    before = size(folder / "data")
    await server.start()
    try:
        loop = asyncio.get_running_loop()
        host, _, port = server.base.removeprefix("http://").partition(":")
        connections = []
        for _ in peers:
            connections.append((await loop.create_connection(PageConnection, host, int(port)))[1])
        pages = list(zip(peers, connections, strict=True))
        tally, began, processor = Tally(), time.monotonic(), server.processor_s()
        await asyncio.gather(
            *(
                _bring_steadily(*page, began + 1 + place / len(pages), tally)
                for place, page in enumerate(pages[: 2 * GAMES])
            )
        )
        elapsed = time.monotonic() - began - 1
        whole = len(tally.seconds)
        minutes = whole / 60
        figures.add(section, TAKEN, whole * FPS / elapsed)
        figures.add(section, COMMIT, 1000 * quantiles(tally.seconds, n=100)[49])
        figures.add(section, COMMIT_TAIL, 1000 * quantiles(tally.seconds, n=100)[98])
        figures.add(section, PROCESSOR, 1000 * (server.processor_s() - processor) / whole)
        figures.add(section, LATER, 100 * tally.later / whole)
        figures.add(section, DISK, (size(folder / "data") - before) / minutes / 1000)
        tally, began = Tally(), time.monotonic()
        await asyncio.gather(*(_bring_fast(*page, tally) for page in pages[2 * GAMES :]))
        figures.add(section, MOST, len(tally.seconds) * FPS / (time.monotonic() - began))
        for connection in connections:
            connection.close()
    finally:
        await server.close()


async def _bring_steadily(peer: Peer, connection: PageConnection, start: float, tally: Tally) -> None:
    """Upload a batch every second, retrying after 503; its time counts from when it was due."""
    for number, body in peer.bodies.items():
        due = start + number
        await asyncio.sleep(due - time.monotonic())
        while (status := await connection.post(peer, body)) != 200:
            assert status == 503, f"refused with {status}"
            tally.later += 1
            await asyncio.sleep(0.5)
        tally.seconds.append(time.monotonic() - due)


async def _bring_fast(peer: Peer, connection: PageConnection, tally: Tally) -> None:
    for body in peer.bodies.values():
        began = time.monotonic()
        if await connection.post(peer, body) == 200:
            tally.seconds.append(time.monotonic() - began)


def _write_batches(peers: list[Peer], count: int) -> None:
    """Create batches like those of pages: a second of play, its measurements, and a checksum."""
    chance = Random(7)
    for peer in peers:
        for number in range(count):
            peer.bodies[number] = encode(_batch(peer.player, number, chance))


def _batch(player: int, number: int, chance: Random) -> FrameBatch:
    first = number * FPS
    link = {
        "rtt_ms": 31.0 + round(chance.random(), 2),
        "jitter_ms": 1.25,
        "loss": 0.0,
        "link": "direct",
        "advantage": round(chance.random(), 2),
        "browser_rtt_ms": 30.0 + chance.randrange(4),
        "path_bytes_sent": 2800 + chance.randrange(99),
        "path_bytes_received": 2800 + chance.randrange(99),
        "buffered_amount": 0,
    }
    return FrameBatch(
        number,
        player,
        first,
        bytes((first + place) // 7 % 3 for place in range(2 * FPS)),
        # Browsers round their clocks to microseconds or more.
        array("d", (round(1000 * number + 33.3 * frame + chance.random(), 3) for frame in range(FPS))),
        bytes(chance.choice((0, 2)) for _ in range(FPS)),
        bytes(2 * FPS),
        array("d", bytes(16 * FPS)),
        bytes([4] * 2 * FPS),
        array("H", bytes(2 * FPS)),
        [(first, first * 0x9E3779B97F4A7C15 % 2**64)],
        [
            {
                "t_ms": 1000.0 * number,
                "utc": "2026-01-01T00:00:00.000+00:00",
                "rollbacks": chance.randrange(30),
                "resimulated_frames": chance.randrange(90),
                "stalled_frames": 0,
                "packets_sent": 30 * number,
                "bytes_sent": 900 * number,
                "peers": {str(1 - player): link},
            }
        ],
    )


def _sqlite_size(data: Path) -> int:
    with closing(sqlite3.connect(data / DATABASE_FILE, timeout=30)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return (data / DATABASE_FILE).stat().st_size
