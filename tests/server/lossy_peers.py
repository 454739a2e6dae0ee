"""Simulated games, uploaded as pages do it over a network that loses, repeats and reorders."""

import asyncio
import hmac
import random
import secrets
import time
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from coplay.data.batches import NUMBERS_OF_A_PAGE, FrameBatch, encode
from coplay.data.database.store import Store
from coplay.server.clock import SystemClock
from coplay.server.event_log import EventLog
from coplay.signaling import TokenSigner

FRAMES_A_BATCH = 30
RETRY_S = 0.05


@dataclass(slots=True)
class Peer:
    """One peer of a game: what it has to bring, and what was acknowledged.

    Attributes:
        game_id: The game.
        player: The seat.
        tokens: Of each page that the seat had.
        bodies: The batches, by number.
        acked: Numbers that the server has acknowledged.
    """

    game_id: str
    player: int
    tokens: list[str]
    bodies: dict[int, bytes] = field(default_factory=dict)
    acked: set[int] = field(default_factory=set)


class Network:
    """Brings what peers have to a server that may be killed at any time.

    Args:
        base: The server's address.
        http: The session.
        chance: Decides what is lost, repeated and overtaken.
    """

    def __init__(self, base: str, http: aiohttp.ClientSession, chance: random.Random) -> None:
        self.sent = 0
        self._base = base
        self._http = http
        self._chance = chance

    async def bring(self, peer: Peer, numbers: Iterable[int], at_once: int = 4) -> None:
        """Bring batches until every one is acknowledged; several at once, in any order."""
        waiting = list(numbers)
        while waiting:
            window = waiting[:at_once]
            self._chance.shuffle(window)
            copies = [number for number in window for _ in range(1 + (self._chance.random() < 0.15))]
            await asyncio.gather(*(self._send(peer, number) for number in copies))
            waiting = [number for number in waiting if number not in peer.acked]

    async def report(self, peer: Peer, last_frame: int) -> None:
        """Report the end until it is acknowledged."""
        report = {"verdict": "identical", "last_frame": last_frame, "chain_hash": "ab", "reason": ""}
        headers = {"Authorization": f"Bearer {peer.tokens[-1]}"}
        while True:
            try:
                url = f"{self._base}/api/games/{peer.game_id}/report"
                async with self._http.post(url, json=report, headers=headers) as answer:
                    await answer.read()
                    if answer.status == 200:
                        return
                    assert answer.status in (429, 503)
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(RETRY_S)

    async def _send(self, peer: Peer, number: int) -> None:
        if self._chance.random() < 0.1:
            return  # lost on its way
        token = peer.tokens[number // NUMBERS_OF_A_PAGE]
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/octet-stream"}
        url = f"{self._base}/api/games/{peer.game_id}/batches"
        self.sent += 1
        try:
            async with self._http.post(url, data=peer.bodies[number], headers=headers) as answer:
                said = await answer.json()
                if answer.status == 200:
                    assert said == {"ok": True, "acked": number}
                    if self._chance.random() < 0.9:  # the answer may get lost, too
                        peer.acked.add(number)
                    return
                assert answer.status in (429, 503), (answer.status, said)
        except aiohttp.ClientError:
            pass
        await asyncio.sleep(RETRY_S)


def open_games(data: Path, count: int) -> list[tuple[Peer, Peer]]:
    """Games in a new data directory as a server opens them, with the tokens of each peer's pages."""
    store = Store(data)
    secret = secrets.token_bytes(32)
    (data / "secret").write_bytes(secret)
    signer = TokenSigner(hmac.digest(secret, b"duel", "sha256"))
    recorder = EventLog(store, "duel", SystemClock())
    games = []
    for seed in range(count):
        game_id = secrets.token_hex(10)
        seats = [
            {"player_id": player, "participant_id": f"p-{seed}-{player}", "owner": player}
            for player in (0, 1)
        ]
        recorder.game({**_GAME, "game_id": game_id, "seats": seats, "seed": seed})
        peers = []
        for player in (0, 1):
            claims = ({"game": game_id, "player": player, "incarnation": page} for page in (0, 1))
            tokens = [signer.sign("game", claim, time.time() + 3600) for claim in claims]
            peers.append(Peer(game_id, player, tokens))
        games.append((peers[0], peers[1]))
    store.close()
    return games


_GAME = {
    "group_id": None, "version": "7", "scene": 2, "label": "duel", "input_sizes": [1, 1], "codecs": [],
    "env": "duel", "code_hash": "", "lock_hash": "", "fps": 30.0, "window": 8, "episodes": 1,
    "countdown_frames": 0,
}  # fmt: skip


def play(peer: int, batches: int, seed: int, first_frame: int = 0, incarnation: int = 0) -> dict[int, bytes]:
    """The batches of one page; the inputs follow from `seed`, and are the same for both peers."""
    bodies = {}
    for count in range(batches):
        first = first_frame + count * FRAMES_A_BATCH
        inputs = bytes((seed * 31 + frame * 7 + player) % 3 for frame in _frames(first) for player in (0, 1))
        number = incarnation * NUMBERS_OF_A_PAGE + count
        zeros = array("d", bytes(8 * FRAMES_A_BATCH))
        bodies[number] = encode(
            FrameBatch(
                number,
                peer,
                first,
                inputs,
                zeros,
                bytes(FRAMES_A_BATCH),
                bytes(2 * FRAMES_A_BATCH),
                zeros + zeros,
                bytes([4] * 2 * FRAMES_A_BATCH),
                array("H", bytes(2 * FRAMES_A_BATCH)),
                [(first, seed + first)],
                [{"t_ms": 1000.0 * count, "rollbacks": peer}],
            )
        )
    return bodies


def _frames(first: int) -> range:
    return range(first, first + FRAMES_A_BATCH)
