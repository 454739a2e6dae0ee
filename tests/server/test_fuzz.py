"""Malformed signals, packets and bodies by the thousand, from a seed: nothing breaks, nothing answers 500.

`COPLAY_FUZZ=100000` sends so many instead, `COPLAY_FUZZ_SEED` begins elsewhere.
"""

import asyncio
import copy
import json
import os
import random
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.server.playing import SDP, frames
from tests.server.siege import besieged

from coplay.server.edge import socket_limits as guard
from coplay.server.edge import sockets
from coplay.server.settings import Settings
from coplay.signaling import datagram_relay, signal_relay

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(3600)]
COUNT = int(os.environ.get("COPLAY_FUZZ", "3000"))
SEED = int(os.environ.get("COPLAY_FUZZ_SEED", "1"))
BIG = Settings(lobby_hold_s=30, begin_s=1e6, tick_s=0.02, uploads_a_second=1e9, upload_burst=1e9)

VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 7, 8, 2**31, 2**53, 2**63, -(2**64), 0.5, -0.0, 1e308, "", "x",
    "v=0", "\x00", "\ud800", "é" * 300, "candidate:1", "<script>", "../..", "A" * 6_000, [], [[]], {},
    {"": None}, {"__proto__": 1}, [0] * 500, [None] * 40, "0123456789abcdef0123",
)  # fmt: skip
NAMES = (
    "type", "game_id", "target_player_id", "payload", "from_player_id", "sdp", "candidate", "candidates",
    "epoch", "negotiation", "seq", "message_id", "acks", "reason", "index", "participant", "secret", "params",
    "player_id", "verdict", "last_frame", "chain_hash", "seats", "desyncs", "stats", "delay", "token",
)  # fmt: skip


def garbage(rng: random.Random, depth: int = 3) -> Any:
    """A value that nobody asked for."""
    match rng.randrange(5 if depth else 2):
        case 0 | 1:
            return copy.deepcopy(rng.choice(VALUES))
        case 2:
            return [garbage(rng, depth - 1) for _ in range(rng.randrange(4))]
        case 3:
            return {rng.choice(NAMES): garbage(rng, depth - 1) for _ in range(rng.randrange(5))}
        case _:
            return "".join(chr(rng.randrange(1, 0x2000)) for _ in range(rng.randrange(40)))


def mutated(rng: random.Random, valid: Any) -> Any:
    """Something valid, changed in one to three places."""
    changed = copy.deepcopy(valid)
    for _ in range(rng.randrange(1, 4)):
        at = changed
        while isinstance(at, dict) and at and rng.random() < 0.6:
            inner = at[rng.choice(list(at))]
            if not isinstance(inner, dict):
                break
            at = inner
        if not isinstance(at, dict):
            return garbage(rng)
        if at and rng.random() < 0.2:
            del at[rng.choice(list(at))]
        else:
            at[rng.choice([*at, *NAMES])] = garbage(rng)
    return changed


def mutated_bytes(rng: random.Random, valid: bytes) -> bytes:
    """Bytes with some of them changed, cut off, or added."""
    data = bytearray(valid)
    for _ in range(rng.randrange(1, 6)):
        match rng.randrange(4):
            case 0 if data:
                data[rng.randrange(len(data))] = rng.randrange(256)
            case 1:
                del data[rng.randrange(len(data) + 1) :]
            case 2:
                data[rng.randrange(len(data) + 1) : 0] = rng.randbytes(rng.randrange(1, 30))
            case _ if data:
                start = rng.randrange(len(data))
                data[start : start + 4] = rng.choice((b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff", b"null"))
    return bytes(data)


@pytest.fixture(autouse=True)
def no_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood is refused before it is read, which is what is tested elsewhere."""
    for module, name in (
        (signal_relay, "SIGNALS_PER_SECOND"), (signal_relay, "SIGNAL_BURST"),
        (signal_relay, "OFFERS_PER_SECOND"), (signal_relay, "OFFER_BURST"),
        (sockets, "MESSAGES_PER_SECOND"), (sockets, "MESSAGE_BURST"),
        (sockets, "CONNECTIONS_PER_SECOND"), (sockets, "CONNECTION_BURST"),
        (guard, "FRAMES_PER_SECOND"), (guard, "FRAME_BURST"),
        (datagram_relay, "DATAGRAMS_PER_SECOND"), (datagram_relay, "DATAGRAM_BURST"),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, 1e9)


def signals_of(config: dict[str, Any]) -> list[dict[str, Any]]:
    stamp = {"epoch": 0, "negotiation": 1, "seq": 1, "message_id": "m", "acks": ["n"]}
    candidate = {
        "candidate": "candidate:1 1 udp 1 192.0.2.1 5000 typ host",
        "sdpMid": "0",
        "sdpMLineIndex": 0,
    }
    payloads = {
        "offer": {"sdp": SDP},
        "answer": {"sdp": SDP},
        "ice-candidate": {"candidate": [candidate, {"candidate": ""}]},
        "bye": {},
        "rebuild-request": {"reason": "suspect"},
    }
    about = {"game_id": config["game_id"], "target_player_id": 1}
    return [{"type": kind, **about, "payload": {**stamp, **payload}} for kind, payload in payloads.items()]


async def test_malformed_signals_change_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rng = random.Random(SEED)
    async with besieged(tmp_path, caplog, strict=False) as siege:
        valid = signals_of(siege.first)
        server = siege.lab.server
        # So many at a time that answers to the server's pings, which wait behind them, are never late.
        for first in range(0, COUNT, 100):
            for _ in range(min(100, COUNT - first)):
                event = rng.choice(
                    ("webrtc_signal",) * 6 + ("continue", "game_over", "prepared", "datagram", "resume_kept")
                )
                sent = mutated(rng, rng.choice(valid)) if rng.random() < 0.8 else garbage(rng)
                if event == "datagram" and rng.random() < 0.5:
                    sent = rng.randbytes(rng.choice((0, 1, 2, 20, 1201, 1300)))
                if isinstance(sent, dict):
                    sent.pop("from_player_id", None)  # for which sockets are closed
                    if event == "game_over":
                        sent.pop("game_id", None)  # that would be meant
                await siege.one.socket.emit(event, sent)
            assert await siege.one.socket.call("webrtc_signal", valid[3], timeout=60) == {"ok": True}
        assert server.coordinator.relay.signals.refused["malformed"] > COUNT / 10
        assert not server.asgi.closed
        await siege.two.next("webrtc_signal", lambda signal: signal["payload"].get("message_id") == "m")


async def test_malformed_packets_end_their_sockets_and_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rng = random.Random(SEED)
    async with besieged(tmp_path, caplog) as siege:
        page = siege.lab.page()
        await page.load()
        texts = [
            '42["prepared",{"index":0}]',
            '421["webrtc_signal",{}]',
            '451-["datagram",{"_placeholder":true,"num":0}]',
        ]
        for _ in range(max(30, COUNT // 30)):
            wire = await siege.wire({"token": page.identity["token"]})
            for _ in range(5):
                try:
                    if rng.random() < 0.2:
                        await wire.socket.send_bytes(rng.randbytes(rng.randrange(50)))
                    else:
                        text = mutated_bytes(rng, rng.choice(texts).encode()).decode("utf-8", "replace")
                        await wire.socket.send_str(text)
                except (ConnectionError, aiohttp.ClientError):
                    break
            await wire.socket.close()
            siege.wires.remove(wire)


async def test_malformed_bodies_are_refused_with_a_sentence(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rng = random.Random(SEED)
    async with besieged(tmp_path, caplog, BIG) as siege:
        game = f"/api/games/{siege.first['game_id']}"
        # Of a player whose report does not count: the siege needs its own two.
        token = siege.lab.server.signer.sign(
            "game",
            {"game": siege.first["game_id"], "player": 0, "participant": "x", "incarnation": 0},
            2**33,
        )
        report = {
            "player_id": 0,
            "verdict": "identical",
            "last_frame": 9,
            "chain_hash": "ab",
            "reason": "",
            "stats": {},
        }
        arrival = {"participant": "ann", "secret": "x", "params": {"A": "b"}}

        async def one() -> int:
            kind = rng.randrange(4)
            headers = {"Authorization": f"Bearer {token}"}
            if kind == 0:
                path, headers["Content-Type"] = f"{game}/batches", "application/octet-stream"
                body = mutated_bytes(rng, frames(0, rng.randrange(3), rng.randrange(9)))
            elif kind == 1:
                path, headers["Content-Type"] = f"{game}/report", "application/json"
                body = json.dumps(
                    {**mutated(rng, report), "last_frame": rng.choice(("x", -9, None))}
                ).encode()
            elif kind == 2:
                path, headers["Content-Type"] = "/api/participants", "application/json"
                body = json.dumps(mutated(rng, arrival)).encode()
            else:
                path = rng.choice(("/api/participants", f"{game}/report", f"{game}/batches", "/nowhere"))
                headers["Content-Type"] = rng.choice(
                    ("application/json", "text/plain", "x", "application/octet-stream")
                )
                body = mutated_bytes(rng, json.dumps(rng.choice((report, arrival))).encode())
                headers["Authorization"] = rng.choice(
                    ("", "Bearer", "Bearer a.b", "Basic x", f"Bearer {token[:-1]}")
                )
            status, answer = await siege.post(path, data=body, headers=headers)
            assert status < 500, (path, body)
            if status >= 400 and path.startswith("/api"):
                assert answer["error"], (path, body, answer)
            return status

        statuses = []
        for first in range(0, COUNT, 50):
            statuses += await asyncio.gather(*(one() for _ in range(min(50, COUNT - first))))
            siege.texts.clear()
        assert sum(status >= 400 for status in statuses) > COUNT / 3


def test_fuzz_is_the_same_from_the_same_seed() -> None:
    assert mutated(random.Random(5), {"a": 1}) == mutated(random.Random(5), {"a": 1})
