"""One game of a headless peer: the driver that browsers run, here, with an agent's hands on the seat."""

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import aiohttp

from coplay.browser.controls import Controls
from coplay.browser.driver import Bot, Driver
from coplay.browser.measuring.figures import Desyncs, NetRows, details, live_figures, moment
from coplay.browser.session_setup import PreparedScene, link_epoch, make_driver
from coplay.envs import Environment
from coplay.headless.links.game_links import GameLinks
from coplay.headless.outcome import PlayedGame
from coplay.headless.uploads import Uploads
from coplay.netcode import Event, GameAgreed, HelloMismatch, PeerBack, PeerSuspected, Stalled

LINGER_S: Final = 4.0
"""After the end the links stay open for this long: the others may still wait for our last words."""
_BATCH_S: Final = 1.0
_LONGEST_SLEEP_S: Final = 0.05


class EventSender(Protocol):
    """The way to the server's socket."""

    def emit(self, event: str, data: Any) -> None:
        """Send one event, or lose it."""


class AgentControls(Controls):
    """Asks the agent for its action once a frame, where a person's hands would be on keys.

    Args:
        hands: Which it replaces.
        agent: Chooses.
        environment: What it looks at.
        player: Its seat.
        blind: Whether there is nothing to be seen yet: the game goes on somewhere, and its state is to come.
    """

    def __init__(
        self,
        hands: Controls,
        agent: Bot,
        environment: Environment,
        player: int,
        blind: Callable[[], bool],
    ) -> None:
        self.default = hands.default
        self._blind = blind
        self._agent = agent
        self._environment = environment
        self._player = player
        self._chosen: bytes | None = None

    @property
    def action(self) -> bytes:
        if self._blind():
            return self.default
        if self._chosen is None:
            wanted = self._agent(self._environment.unwrapped, self._player)
            self._chosen = self._environment.codecs[self._player].encode(wanted)
        return self._chosen

    def frame_advanced(self) -> None:
        self._chosen = None


class PeerGame:
    """One game, from its configuration to its report.

    Args:
        stage: The prepared scene.
        config: The server's `game` message.
        agent: Chooses the seat's actions.
        outlet: Signals and relayed datagrams leave by it.
        http: For uploads.
        base: Address of the server.
    """

    def __init__(
        self,
        stage: PreparedScene,
        config: Mapping[str, Any],
        agent: Bot,
        outlet: EventSender,
        http: aiohttp.ClientSession,
        base: str,
    ) -> None:
        self.config = config
        self.game_id: str = config["game_id"]
        self.saved: asyncio.Future[PlayedGame] = asyncio.get_running_loop().create_future()
        self._player: int = config["player_id"]
        self._incarnations = {int(player): count for player, count in config["incarnations"].items()}
        self._left: set[int] = set()
        self._outlet = outlet
        self._inbox: list[tuple[int, bytes, float]] = []
        self._woken = asyncio.Event()
        self._links = GameLinks(config, self)
        self._uploads = Uploads(http, f"{base}/api/games/{self.game_id}", config["token"])
        self._net_rows, self._desyncs = NetRows(), Desyncs()
        self._ways: dict[int, str] = {}
        self._agreed: GameAgreed | None = None
        self._fault = ""
        self._closed = False
        now = self.now()
        self._next_batch = now + _BATCH_S
        self._driver: Driver = make_driver(stage, config, self, now)
        hands = self._driver.controls[self._player]
        session, environment = self._driver.session, self._driver.game.environment
        rejoining: bool = config["rejoining"]
        self._driver.controls[self._player] = AgentControls(
            hands, agent, environment, self._player, lambda: rejoining and session.phase == "hello"
        )

    async def play(self) -> None:
        """Play to the end, and a little longer for the others' sake; `saved` resolves in between.

        Raises:
            Exception: Whatever the environment or the agent raises.
        """
        uploading = asyncio.ensure_future(self._uploads.run())
        saving = None
        ends_at = math.inf
        try:
            self._links.start()
            for player in self.config.get("left", ()):
                self.player_left(player)
            while self.now() < ends_at:
                deadline = self._tick()
                if self._agreed is not None and saving is None:
                    saving = asyncio.ensure_future(self._save(self._agreed))
                if self._closed and ends_at == math.inf:
                    ends_at = self.now() + LINGER_S
                await self._sleep(min(deadline, ends_at))
            if saving is not None:
                await saving
        finally:
            uploading.cancel()
            if saving is not None:
                saving.cancel()
            await asyncio.gather(uploading, return_exceptions=True)
            await self._links.close()

    # What the server says

    def receive_signal(self, peer: int, kind: str, payload: dict[str, Any]) -> None:
        """Another player's signal."""
        self._links.receive_signal(peer, kind, payload)

    def receive_relayed(self, message: bytes) -> None:
        """A datagram that came through the server."""
        self._links.receive_relayed(message)

    def player_left(self, player: int) -> None:
        """They will not come back."""
        if player not in self._left and player != self._player:
            self._left.add(player)
            self._links.close_peer(player)
            self._driver.session.peer_left(player, self.now())

    def player_back(self, player: int, incarnation: int, epoch: int) -> None:
        """A new page has their seat."""
        if player == self._player or player in self._left:
            return
        self._links.enter_epoch(player, epoch)
        if incarnation > self._incarnations[player]:
            self._incarnations[player] = incarnation
            pair = link_epoch(self._incarnations, self._player, player)
            self._driver.session.peer_returned(player, pair, self.now())

    def repeated(self, config: Mapping[str, Any]) -> None:
        """The server tells the game again: who left or came back meanwhile, and fresh credentials."""
        self._links.ice_servers = config["ice_servers"]
        for player in config.get("left", ()):
            self.player_left(player)
        for player, incarnation in config["incarnations"].items():
            self.player_back(int(player), incarnation, config["epochs"].get(player, 0))

    def socket_back(self) -> None:
        """The socket to the server is open again."""
        self._links.socket_back()

    # What the driver and the links ask of their host

    def now(self) -> float:
        return time.perf_counter()

    def send(self, peer: int, data: bytes) -> None:
        self._links.send(peer, data)

    def send_signal(self, peer: int, kind: str, payload: dict[str, Any]) -> None:
        signal = {"type": kind, "game_id": self.game_id, "target_player_id": peer, "payload": payload}
        self._outlet.emit("webrtc_signal", signal)

    def send_relayed(self, peer: int, data: bytes) -> None:
        self._outlet.emit("datagram", bytes([peer]) + data)

    def arrived(self, peer: int, data: bytes) -> None:
        self._inbox.append((peer, data, self.now()))
        # Before and after play an answer is not to wait for the next frame.
        if self._driver.session.phase != "running":
            self._woken.set()

    def happened(self, event: Event) -> None:
        match event:
            case GameAgreed():
                self._agreed = event
            case HelloMismatch():
                self._fault = f"the players' programs differ ({event.field})"
            case PeerSuspected() | PeerBack():
                name = "peer_back" if isinstance(event, PeerBack) else "peer_suspected"
                self._record(name, peer=event.peer)
            case Stalled():
                pass  # counted in the figures of each second
            case _:
                self._desyncs.take(event, self._driver.session.published_frame)
                self._record(type(event).__name__, **details(event))

    # The loop's body

    def _tick(self) -> float:
        self._links.tick()
        self._note_ways()
        now, driver = self.now(), self._driver
        self._woken.clear()
        datagrams, self._inbox = self._inbox, []
        driver.tick(now, datagrams)
        if now >= self._next_batch:
            self._next_batch = now + _BATCH_S
            self._cut_batch(now)
        deadline = driver.session.next_deadline()
        if deadline == math.inf:
            self._closed = True
        return deadline

    async def _sleep(self, until: float) -> None:
        wait = min(until - self.now(), _LONGEST_SLEEP_S)
        if wait <= 0:
            await asyncio.sleep(0)
            return
        try:
            async with asyncio.timeout(wait):
                await self._woken.wait()
        except TimeoutError:
            pass

    def _note_ways(self) -> None:
        for peer, way in self._links.ways().items():
            if self._ways.get(peer) != way:
                self._ways[peer] = way
                self._record("link_changed", peer=peer, link=way)

    def _record(self, kind: str, **detail: Any) -> None:
        self._driver.recorder.add_event({**moment(self.now()), "kind": kind, "detail": detail})

    def _cut_batch(self, now: float) -> None:
        self._driver.recorder.add_net(
            self._net_rows.take(self._driver, self._ways, self._links.buffered(), now)
        )
        cut = self._driver.recorder.cut()
        if cut is not None:
            self._uploads.add_batch(cut[1])

    # The end

    async def _save(self, agreed: GameAgreed) -> None:
        """Bring everything to the server, then tell."""
        driver, session = self._driver, self._driver.session
        self._cut_batch(self.now())
        figures = live_figures(self.config, driver)
        reason, chain_hash = agreed.reason or self._fault, agreed.chain_hash.hex()
        report = {
            "player_id": self._player,
            "verdict": agreed.verdict,
            "last_frame": agreed.last_frame,
            "chain_hash": chain_hash,
            "reason": reason,
            "delay": session.delay,
            "total_scores": driver.game.total_scores,
            "seats": [[cut.player, cut.last_frame, cut.fate] for cut in session.cuts],
            "desyncs": self._desyncs.rows(),
            "stats": figures,
        }
        self._uploads.add_report(report)
        await self._uploads.all_brought()
        await self._until(lambda: self._closed, LINGER_S)
        self.saved.set_result(
            PlayedGame(
                game_id=self.game_id,
                player_id=self._player,
                verdict=agreed.verdict,
                frames=agreed.last_frame + 1,
                reason=reason,
                chain_hash=chain_hash,
                scores=tuple(driver.game.total_scores),
                links=dict(self._ways),
                stats=figures,
                refused_uploads=self._uploads.refused,
            )
        )

    async def _until(self, holds: Callable[[], bool], limit_s: float) -> None:
        deadline = self.now() + limit_s
        while not holds() and self.now() < deadline:
            await asyncio.sleep(_LONGEST_SLEEP_S)
