"""The processes that `signals.py` measures: two kinds of servers, and the clients that load them.

`python -m bench.signal_traffic coplay|plain FOLDER` serves, and prints its address and process id;
`python -m bench.signal_traffic load coplay|plain ADDRESS PAIRS` reads lines `fast SECONDS` and
`steady SECONDS RATE`, and prints the result of each as JSON.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import aiohttp
import socketio
from tests.server.conftest import FakeRuntime, Page, duel_study

from coplay.data.database.store import Store
from coplay.server.app import Hosting, make_server
from coplay.server.edge import socket_limits as guard
from coplay.server.edge import sockets
from coplay.server.games.play_setup import build_play_setups
from coplay.server.running import address_of, listen, run
from coplay.server.settings import Settings
from coplay.signaling import signal_relay

IN_FLIGHT: Final = 100
"""Signals in flight, of all pairs together, while as many as possible are sent."""
RAISED: Final = 1e9
"""The value of every rate limit: its buckets are used as always, but are never empty."""


# Servers


def serve_coplay(folder: Path) -> Any:
    """Serve a whole study, with limits too high to matter."""
    for module, names in (
        (signal_relay, ("SIGNALS_PER_SECOND", "SIGNAL_BURST")),
        (guard, ("FRAMES_PER_SECOND", "FRAME_BURST")),
        (sockets, ("MESSAGES_PER_SECOND", "MESSAGE_BURST")),
    ):
        for name in names:
            setattr(module, name, RAISED)
    study = duel_study(hold=60)
    bundle = SimpleNamespace(sha256="2" * 64, data=b"PK", module="study")
    settings = Settings(begin_s=1e6)
    hosting = Hosting(
        study, folder, build_play_setups(study), FakeRuntime(folder), bundle, Store(folder / "data"), settings
    )
    return make_server(hosting).asgi


def serve_plain(_folder: Path) -> Any:
    """Serve with python-socketio alone, which forwards each message unread to the other client of a pair."""
    server = socketio.AsyncServer(async_mode="asgi")
    waiting: list[str] = []
    others: dict[str, str] = {}

    async def connect(sid: str, _environ: object) -> None:
        waiting.append(sid)
        if len(waiting) == 2:
            one, two = waiting
            others[one], others[two] = two, one
            waiting.clear()
            for player, each in enumerate((one, two)):
                await server.emit("game", {"game_id": "0" * 20, "player_id": player}, to=each)

    async def webrtc_signal(sid: str, message: Any) -> dict[str, bool]:
        await server.emit("webrtc_signal", message, to=others[sid])
        return {"ok": True}

    server.on("connect", connect)
    server.on("webrtc_signal", webrtc_signal)
    return socketio.ASGIApp(server)


# Clients


@dataclass(slots=True)
class Client:
    """A client that sends signals to the other client of its pair, and times them.

    Attributes:
        socket: The client's socket.
        message: A signal for the other client, without the number that each signal gets.
        sent: Number → when the signal was sent, for each signal in flight.
        seconds: How long each signal took that has arrived.
    """

    socket: socketio.AsyncClient
    message: dict[str, Any]
    sent: dict[int, float] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    number: int = 0
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self) -> None:
        """Send one signal and wait for the server's acknowledgement, as pages do."""
        self.number += 1
        payload = {**self.message["payload"], "seq": self.number, "message_id": f"page-{self.number}"}
        self.sent[self.number] = time.perf_counter()
        await self.socket.emit("webrtc_signal", {**self.message, "payload": payload}, callback=_acknowledged)

    def take(self, signal: dict[str, Any], *_number: str) -> None:
        """Count a signal that the other peer received."""
        self.seconds.append(time.perf_counter() - self.sent.pop(signal["payload"]["seq"]))
        self.came.set()


def _acknowledged(answer: dict[str, Any]) -> None:
    if answer != {"ok": True}:
        raise RuntimeError(f"a signal was refused: {answer}")


def _give_up(*reason: object) -> None:
    # The signals in flight to this client will never arrive.
    print(f"a client lost its connection: {reason}", file=sys.stderr, flush=True)
    os._exit(1)


def _message(config: dict[str, Any]) -> dict[str, Any]:
    candidate = {
        "candidate": "candidate:842163049 1 udp 1677729535 203.0.113.7 46154 typ srflx raddr 192.168.1.7 "
        "rport 46154 generation 0 ufrag EsAw network-cost 999",
        "sdpMid": "0",
        "sdpMLineIndex": 0,
        "usernameFragment": "EsAw",
    }
    payload = {"epoch": 0, "negotiation": 1, "candidate": [candidate]}
    target = 1 - config["player_id"]
    about = {"type": "ice-candidate", "game_id": config["game_id"], "target_player_id": target}
    return {**about, "payload": payload}


async def open_pairs(kind: str, address: str, pairs: int, http: aiohttp.ClientSession) -> list[Client]:
    """Connect two clients for each pair, and return them ready to signal."""
    clients: list[Client] = []
    for _ in range(pairs):
        one, two = [await _enter(kind, address, http) for _ in range(2)]
        both = [Client(page.socket, _message(await page.next("game"))) for page in (one, two)]
        for page, other in ((one, both[1]), (two, both[0])):
            page.socket.handlers["/"].clear()
            page.socket.on("webrtc_signal", other.take)
            page.socket.on("disconnect", _give_up)
        clients += both
    return clients


async def _enter(kind: str, address: str, http: aiohttp.ClientSession) -> Page:
    page = Page(address, http, [])
    if kind == "coplay":
        await page.to_lobby()
    else:
        await page.socket.connect(address, transports=["websocket"])
    return page


async def send_fast(clients: list[Client], seconds: float) -> dict[str, Any]:
    """Keep a constant number of signals in flight for some seconds, and return the figures."""
    until = time.perf_counter() + seconds

    async def keep_going(client: Client, under_way: int) -> None:
        while time.perf_counter() < until:
            while len(client.sent) < under_way:
                await client.send()
            client.came.clear()
            await client.came.wait()

    async def rest(client: Client) -> None:
        while client.sent:
            client.came.clear()
            await client.came.wait()

    under_way = max(1, IN_FLIGHT // len(clients))
    return await _counted(clients, lambda client: keep_going(client, under_way), rest)


async def send_steadily(clients: list[Client], seconds: float, rate: float) -> dict[str, Any]:
    """Send signals at a steady rate, spread evenly over the clients, and return the figures."""
    began = time.perf_counter()

    async def keep_time(client: Client) -> None:
        start = began + clients.index(client) / len(clients) / rate
        for number in range(int(seconds * rate)):
            await asyncio.sleep(start + number / rate - time.perf_counter())
            await client.send()

    async def rest(client: Client) -> None:
        while client.sent:
            client.came.clear()
            await client.came.wait()

    return await _counted(clients, keep_time, rest)


async def _counted(
    clients: list[Client],
    work: Callable[[Client], Awaitable[None]],
    rest: Callable[[Client], Awaitable[None]],
) -> dict[str, Any]:
    for client in clients:
        client.seconds.clear()
    began, processor = time.perf_counter(), time.process_time()
    await asyncio.gather(*map(work, clients))
    await asyncio.gather(*map(rest, clients))
    elapsed = time.perf_counter() - began
    taken = sorted(second for client in clients for second in client.seconds)
    return {
        "signals": len(taken),
        "elapsed": elapsed,
        "p50": taken[len(taken) // 2],
        "p99": taken[len(taken) * 99 // 100],
        "busy": (time.process_time() - processor) / elapsed,
    }


async def load(kind: str, address: str, pairs: int) -> None:
    """Run the commands that are read from stdin."""
    async with aiohttp.ClientSession() as http:
        clients = await open_pairs(kind, address, pairs, http)
        print("ready", flush=True)
        loop = asyncio.get_running_loop()
        while words := (await loop.run_in_executor(None, sys.stdin.readline)).split():
            if words[0] == "fast":
                found = await send_fast(clients, float(words[1]))
            else:
                found = await send_steadily(clients, float(words[1]), float(words[2]))
            print(json.dumps(found), flush=True)
        for client in clients:
            client.socket.handlers["/"].clear()
            await client.socket.disconnect()


def main() -> None:
    """Serve or load, as the first argument says."""
    match sys.argv[1:]:
        case ["load", kind, address, pairs]:
            asyncio.run(load(kind, address, int(pairs)))
        case [kind, folder]:
            asgi = {"coplay": serve_coplay, "plain": serve_plain}[kind](Path(folder))
            listening = listen("127.0.0.1", 0)
            run(asgi, listening, lambda: print(address_of(listening), os.getpid(), flush=True))


if __name__ == "__main__":
    main()
