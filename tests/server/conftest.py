"""A real server on a free loopback port, and pages without a browser."""

import asyncio
import json
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import aiohttp
import pytest
import socketio
from gymnasium.spaces import Discrete
from pettingzoo import ParallelEnv
from tests.messages.schema import faults
from tests.server.virtual_clock import VirtualClock

from coplay.data.database.store import Store
from coplay.runtime.serving import ServedFile
from coplay.server.app import Hosting, StudyServer, make_server
from coplay.server.edge.sockets import SocketSender
from coplay.server.games.play_setup import build_play_setups
from coplay.server.running import Server, address_of, listen
from coplay.server.settings import Settings
from coplay.signaling import IceServers
from coplay.study import Study, keys, scenes

EXAMPLE_STAMP = {"epoch": 0, "negotiation": 1, "seq": 0, "message_id": "m"}
SETTINGS = Settings(tick_s=0.02)
"""Of servers in tests: the waits of a real one, on a clock that a test advances; ticks come in real time."""
HOLD_S = 10.0
"""How long the duel's play scene holds a seat."""
WAIT_S = 60.0
"""Real seconds within which an answer must come, on however busy a machine."""


@pytest.fixture(autouse=True)
def every_event_fits_the_schema(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail a test whose server sent a page something that protocol/messages.schema.json does not describe."""
    if find_spec("jsonschema") is None:  # tests/messages fails then, and names what is missing
        yield
        return
    found: list[str] = []
    send = SocketSender.emit

    async def checked(sender: SocketSender, event: str, data: Any, *, to: str) -> None:
        sent = data[0] if isinstance(data, tuple) else data
        if event == "webrtc_signal":
            sent = {**sent, "payload": EXAMPLE_STAMP}  # what tests have their pages say is no real signal
        if event != "datagram":
            found.extend(faults("ServerEvent", json.loads(json.dumps({"event": event, "data": sent}))))
        await send(sender, event, data, to=to)

    monkeypatch.setattr(SocketSender, "emit", checked)
    yield
    assert found == []


class CountingDuel(ParallelEnv):
    """Two players, three actions each; never ends."""

    metadata: ClassVar = {"render_fps": 20, "name": "duel"}
    render_mode = None

    def __init__(self) -> None:
        self.possible_agents = ["a", "b"]
        self.agents: list[str] = []
        self._space = Discrete(3)

    def action_space(self, agent: str) -> Any:
        return self._space

    def observation_space(self, agent: str) -> Any:
        return self._space

    def reset(self, seed: int | None = None, options: Any = None) -> tuple[dict[str, int], dict[str, Any]]:
        self.agents = list(self.possible_agents)
        return dict.fromkeys(self.agents, 0), {agent: {} for agent in self.agents}

    def step(self, actions: dict[str, int]) -> tuple[Any, ...]:
        false = dict.fromkeys(self.agents, False)
        return (
            dict(actions),
            {agent: float(action) for agent, action in actions.items()},
            false,
            dict(false),
            {agent: {} for agent in self.agents},
        )

    def render(self) -> None:
        return None

    def close(self) -> None:
        pass


KEYS = keys.Keys({"ArrowLeft": 1, "ArrowRight": 2}, noop=0)


def duel_study(patience: float = 60, *, bots: bool = False, **play: Any) -> Study:
    """Two people, or one and a bot; `play` is given to the play scene."""
    study = Study("duel", version="7")
    finish = scenes.Finish("Bye.", code="DONE")
    play = {"keys": KEYS, "hold": HOLD_S, **play}
    if bots:
        study.scenes = [scenes.Play(CountingDuel, bots={1: "idle"}, **play), finish]
    else:
        study.scenes = [
            scenes.Instructions("# Hello <b>you</b>", button="Go"),
            scenes.Lobby(2, patience, otherwise=scenes.Finish("Sorry.", code="WAITED")),
            scenes.Play(CountingDuel, label="duel", controls="Press *arrows*.", **play),
            finish,
        ]
    return study


class Page:
    """What a participant's browser does, without the browser."""

    def __init__(self, base: str, http: aiohttp.ClientSession, pages: "list[Page]") -> None:
        self.pages = pages
        self.identity: dict[str, Any] = {}
        self.received: list[tuple[str, Any]] = []
        self.offset = ""
        self.tokens: asyncio.Queue[str] = asyncio.Queue()
        self._arrived = asyncio.Condition()
        self._next = 0
        self.visit(base, http)

    def visit(self, base: str, http: aiohttp.ClientSession) -> None:
        """From now on its server is at this address."""
        self.base = base
        self.http = http
        self.pages.append(self)
        self.socket = socketio.AsyncClient(reconnection=False, http_session=http)
        self.socket.on("*", self._take)

    async def _take(self, event: str, data: Any = None, number: str = "") -> None:
        if event == "resume":  # comes when it is stored, whatever else happens
            self.tokens.put_nowait(data["token"])
            return
        async with self._arrived:
            self.received.append((event, data))
            self.offset = number or self.offset
            self._arrived.notify_all()

    async def load(self, **body: Any) -> dict[str, Any]:
        async with self.http.post(f"{self.base}/api/participants", json=body) as response:
            answer = await response.json()
            if find_spec("jsonschema") is not None:
                assert faults("Participation" if response.status == 200 else "Failure", answer) == []
            answer["status"] = response.status
            if response.status == 200:
                self.identity = answer
            return answer

    async def connect(self, *, resume: bool = False, **options: Any) -> None:
        """Open the socket; `resume` asks for what was missed, as socket.io-client does."""
        auth = {"token": self.identity["token"]}
        if resume:
            auth["offset"] = self.offset
        options = {"auth": auth, "transports": ["websocket"], "wait_timeout": WAIT_S, **options}
        await self.socket.connect(self.base, **options)

    async def enter(self, **body: Any) -> "Page":
        await self.load(**body)
        await self.connect()
        return self

    async def next(self, event: str, where: Callable[[Any], bool] = lambda data: True) -> Any:
        """The next event of this name, in order; others in between are passed over."""

        def found() -> bool:
            while self._next < len(self.received):
                name, data = self.received[self._next]
                self._next += 1
                if name == event and where(data):
                    return True
            return False

        async with self._arrived:
            await asyncio.wait_for(self._arrived.wait_for(found), WAIT_S)
        return self.received[self._next - 1][1]

    async def seen(self, event: str, where: Callable[[Any], bool]) -> None:
        """Such an event has come; `next` still finds it."""

        def came() -> bool:
            return any(name == event and where(data) for name, data in self.received)

        async with self._arrived:
            await asyncio.wait_for(self._arrived.wait_for(came), WAIT_S)

    async def scene(self, kind: str) -> Any:
        return await self.next("scene", lambda scene: scene["kind"] == kind)

    async def call(self, event: str, data: Any) -> Any:
        return await self.socket.call(event, data, timeout=WAIT_S)

    async def to_lobby(self) -> "Page":
        """Into the lobby, or past it where the others are waiting."""
        await self.enter()
        scene = await self.scene("instructions")
        assert (await self.call("continue", {"index": scene["index"]}))["ok"]
        await self.seen("scene", lambda shown: shown["index"] > scene["index"])
        return self

    async def reload(self) -> "Page":
        """The same participant's next page, loaded and not connected yet."""
        page = Page(self.base, self.http, self.pages)
        answer = await page.load(participant=self.identity["participant_id"], secret=self.identity["secret"])
        assert answer["status"] == 200
        return page

    async def upload(self, config: dict[str, Any], body: bytes, **headers: str) -> tuple[int, Any]:
        url = f"{self.base}/api/games/{config['game_id']}/batches"
        headers = {"Authorization": f"Bearer {config['token']}", **headers}
        async with self.http.post(url, data=body, headers=headers) as response:
            return response.status, await response.json()

    async def report(self, config: dict[str, Any], **body: Any) -> tuple[int, Any]:
        url = f"{self.base}/api/games/{config['game_id']}/report"
        headers = {"Authorization": f"Bearer {config['token']}"}
        report = {"player_id": config["player_id"], "verdict": "identical", "chain_hash": "ab", **body}
        async with self.http.post(url, json=report, headers=headers) as response:
            return response.status, await response.json()


class Lab:
    """A running server and the pages that visit it."""

    def __init__(
        self, base: str, server: StudyServer, store: Store, http: aiohttp.ClientSession, clock: VirtualClock
    ) -> None:
        self.clock = clock
        self.base = base
        self.store = store
        self.server = server
        self.data = store.directory
        self.http = http
        self.pages: list[Page] = []

    def page(self) -> Page:
        return Page(self.base, self.http, self.pages)

    async def pair(self) -> tuple[Page, Page, dict[str, Any], dict[str, Any]]:
        """Two participants in one game, in the order of their player ids, with their configurations."""
        one, two = [await self.page().to_lobby() for _ in range(2)]
        first, second = await one.next("game"), await two.next("game")
        for page in (one, two):
            await page.scene("play")
        return one, two, first, second

    def pass_time(self, seconds: float) -> None:
        """Let time pass for the server, which notices immediately."""
        self.clock.advance(seconds)
        self.server.tick()

    async def rows(self, query: str) -> list[Any]:
        """What stands in the database, once everything that was asked for is stored."""
        await asyncio.wrap_future(self.store.submit(lambda connection: None))
        with closing(sqlite3.connect(self.data / "coplay.sqlite")) as database:
            return database.execute(query).fetchall()

    async def get(self, path: str, **options: Any) -> tuple[int, Any, bytes]:
        async with self.http.get(self.base + path, **options) as response:
            return response.status, response.headers, await response.read()


class FakeRuntime:
    """A runtime of one file."""

    lock_hash = "1" * 64

    def __init__(self, folder: Path) -> None:
        self._file = folder / "pyodide.mjs"
        self._file.write_bytes(b"export {}")

    def boot_info(self) -> dict[str, Any]:
        return {"base": f"/runtime/{self.lock_hash}/", "lock_hash": self.lock_hash, "packages": ["a.whl"]}

    def lookup(self, name: str, accept_encoding: str = "") -> ServedFile:
        if name != self._file.name:
            raise KeyError(name)
        return ServedFile(self._file, "text/javascript; charset=utf-8", None, '"etag"')


@asynccontextmanager
async def running(
    study: Study, folder: Path, settings: Settings = SETTINGS, ice: IceServers | None = None, port: int = 0
) -> AsyncIterator[Lab]:
    # It begins at the present, so that the messages of a later run have higher numbers.
    clock = VirtualClock(time.time())
    web = folder / "web"
    (web / "assets").mkdir(parents=True, exist_ok=True)
    (web / "index.html").write_text("<!doctype html><title>page</title>")
    (web / "assets" / "index-1.js").write_text("export {}")
    store = Store(folder / "data")
    bundle = SimpleNamespace(sha256="2" * 64, data=b"PK", module="study")
    hosting = Hosting(
        study,
        folder,
        build_play_setups(study),
        FakeRuntime(folder),
        bundle,
        store,
        settings,
        web,
        ice or IceServers(),
        clock,
    )
    server = make_server(hosting)
    listening = listen("127.0.0.1", port)
    ready = asyncio.Event()
    uvicorn = Server(server.asgi, ready.set)
    serving = asyncio.create_task(uvicorn.serve(sockets=[listening]))
    await asyncio.wait_for(ready.wait(), WAIT_S)
    # Let go of idle connections before the server does: it closes them after five seconds.
    connector = aiohttp.TCPConnector(keepalive_timeout=2)
    async with aiohttp.ClientSession(connector=connector) as http:
        lab = Lab(address_of(listening), server, store, http, clock)
        try:
            yield lab
        finally:
            for page in lab.pages:
                if page.socket.connected:
                    await page.socket.disconnect()
            uvicorn.should_exit = True
            await asyncio.wait_for(serving, WAIT_S)
            listening.close()
            store.close()


Opener = Callable[..., Awaitable[Lab]]


@pytest.fixture
async def lab(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Lab]:
    """A server of the duel study."""
    async with running(duel_study(), tmp_path) as lab:
        yield lab
