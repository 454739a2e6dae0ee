"""A server that is killed: what it acknowledged is there, and what it did not is brought again."""

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from tests.server.conftest import Page
from tests.server.lossy_peers import FRAMES_A_BATCH, Network, Peer, open_games, play
from tests.server.playing import until
from tests.server.study_process import StudyProcess
from tests.server.uploading import kinds, rows

from coplay.data.database.packing import unpack

pytestmark = pytest.mark.anyio

KILLS = 10
EACH = 6
"""Batches between two kills: not more frames than there could be by then."""
GAMES = int(os.environ.get("COPLAY_SOAK_GAMES", "100"))
BATCHES = 6


@pytest.fixture
async def server(tmp_path: Path, database: str) -> AsyncIterator[StudyProcess]:
    server = StudyProcess(tmp_path)
    yield server
    await server.close()


def stored(data: Path) -> dict[tuple[str, int, int], bytes]:
    found = rows(data, "SELECT game_id, peer, number, body FROM batches")
    batches = {(row.game_id, row.peer, row.number): unpack(bytes(row.body)) for row in found}
    assert len(batches) == len(found)
    return batches


def brought(peers: list[Peer], *, acked: bool = False) -> dict[tuple[str, int, int], bytes]:
    return {
        (peer.game_id, peer.player, number): body
        for peer in peers
        for number, body in peer.bodies.items()
        if not acked or number in peer.acked
    }


async def test_server_killed_at_ten_moments_of_one_game_loses_nothing(
    server: StudyProcess, tmp_path: Path
) -> None:
    data, chance = tmp_path / "data", random.Random(11)
    await server.start()
    async with aiohttp.ClientSession() as http:
        pages: list[Page] = []
        one, two = [await Page(server.base, http, pages).to_lobby() for _ in range(2)]
        configs = [await page.next("game") for page in (one, two)]
        peers = [
            Peer(config["game_id"], player, [config["token"]], play(player, EACH * KILLS, 5))
            for player, config in enumerate(configs)
        ]
        network = Network(server.base, http, chance)
        for kill in range(KILLS):
            numbers = range(EACH * kill, EACH * (kill + 1))
            began = time.monotonic()
            uploading = [asyncio.create_task(network.bring(peer, numbers)) for peer in peers]
            await asyncio.sleep(chance.uniform(0, 0.05))
            server.kill()
            # Read while no server runs: an acknowledgement was a promise.
            there = stored(data)
            assert brought(peers, acked=True).items() <= there.items(), f"kill {kill}"
            assert there.items() <= brought(peers).items()
            await server.start()
            await asyncio.wait_for(asyncio.gather(*uploading), 60)
            assert time.monotonic() - began < 60
        for page in pages:
            await page.socket.disconnect()
        for peer in peers:
            await network.report(peer, EACH * KILLS * FRAMES_A_BATCH - 1)
    assert stored(data) == brought(peers)
    (game,) = rows(data, "SELECT verdict, frames, checksums_compared FROM games")
    assert game.frames is None or tuple(game) == ("identical", EACH * KILLS * FRAMES_A_BATCH, EACH * KILLS)
    assert not {"copies_differ", "batch_conflict", "report_conflict"} & set(kinds(data))


async def test_games_are_stored_exactly_once_over_a_bad_network_and_restarts(
    server: StudyProcess, tmp_path: Path
) -> None:
    data, chance = tmp_path / "data", random.Random(5)
    peers = []
    for seed, (one, two) in enumerate(open_games(data, GAMES)):
        one.bodies, two.bodies = play(0, BATCHES, seed), play(1, BATCHES, seed)
        if seed % 5 == 0:
            # The second page begins at a frame > 0, and has frames of the first one again.
            two.bodies = play(1, BATCHES - 2, seed) | play(1, 3, seed, FRAMES_A_BATCH * 3, 1)
        peers += [one, two]
    await server.start()
    games_at_once = asyncio.Semaphore(40)
    finished = 0

    async def bring(network: Network, peer: Peer) -> None:
        nonlocal finished
        async with games_at_once:
            await network.bring(peer, list(peer.bodies))
            await network.report(peer, BATCHES * FRAMES_A_BATCH - 1)
            finished += 1

    async with aiohttp.ClientSession() as http:
        network = Network(server.base, http, chance)
        began = time.monotonic()
        bringing = [asyncio.create_task(bring(network, peer)) for peer in peers]
        for part in (0.2, 0.4, 0.6, 0.8):
            await until(lambda part=part: finished >= part * len(peers))  # type: ignore[misc]
            server.kill()
            await server.start()
        await asyncio.gather(*bringing)
        took = time.monotonic() - began
    assert stored(data) == brought(peers)
    reports = rows(data, "SELECT game_id, peer FROM reports")
    assert sorted(map(tuple, reports)) == sorted((peer.game_id, peer.player) for peer in peers)
    verdicts = rows(data, "SELECT verdict, frames FROM games")
    assert {tuple(row) for row in verdicts} == {("identical", BATCHES * FRAMES_A_BATCH)}
    assert len(verdicts) == GAMES
    assert kinds(data) == []
    print(
        f"{GAMES} games, {len(stored(data))} batches stored once each, {network.sent} sent, "
        f"{server.starts - 1} restarts, {took:.1f} s"
    )
