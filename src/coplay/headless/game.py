"""One game of a headless peer: the same driver that browsers run, with an agent in the seat."""

import asyncio
import math
import time
from collections.abc import Callable
from typing import Any, Final, Protocol

import aiohttp

from coplay.browser.driver import Bot, Driver
from coplay.browser.measuring.event_rows import DesyncLog, event_detail, timestamps
from coplay.browser.measuring.game_stats import game_stats
from coplay.browser.measuring.net_rows import NetRows
from coplay.browser.session_setup import PreparedScene, link_epoch, make_driver
from coplay.headless.agent_controls import AgentControls
from coplay.headless.links.game_links import GameLinks
from coplay.headless.outcome import PlayedGame
from coplay.headless.uploads import Uploads
from coplay.messages.encoding import to_json
from coplay.messages.game import GameConfig, GameReport
from coplay.netcode import Event, GameAgreed, HelloMismatch, PeerBack, PeerSuspected, Stalled

LINGER_S: Final = 4.0
"""How long links stay open after the end, because other peers may lack this peer's last datagrams."""
_BATCH_S: Final = 1.0
_LONGEST_SLEEP_S: Final = 0.05


class EventSender(Protocol):
    """Sends Socket.IO events to the server."""

    def emit(self, event: str, data: Any) -> None:
        """Send one event; it may be lost."""


class PeerGame:
    """One game, from its configuration to its report.

    Args:
        prepared: The prepared scene.
        config: The game, as the server configured it.
        agent: Chooses the seat's actions.
        sender: Sends signals and relayed datagrams.
        http: Sends the uploads.
        base_url: Address of the server.

    Attributes:
        game_id: As in the data.
        saved: Resolves when the server has all of this peer's data.
    """

    def __init__(
        self,
        prepared: PreparedScene,
        config: GameConfig,
        agent: Bot,
        sender: EventSender,
        http: aiohttp.ClientSession,
        base_url: str,
    ) -> None:
        self.game_id = config.game_id
        self.saved: asyncio.Future[PlayedGame] = asyncio.get_running_loop().create_future()
        self._config = config
        self._player = self._config.player_id
        self._incarnations = {int(player): count for player, count in self._config.incarnations.items()}
        self._left: set[int] = set()
        self._sender = sender
        self._inbox: list[tuple[int, bytes, float]] = []
        self._woken = asyncio.Event()
        self._links = GameLinks(config, self)
        self._uploads = Uploads(http, f"{base_url}/api/games/{self.game_id}", self._config.token)
        self._net_rows, self._desync_log = NetRows(), DesyncLog()
        self._paths: dict[int, str] = {}
        self._agreed: GameAgreed | None = None
        self._mismatch = ""
        self._closed = False
        now = self.now()
        self._next_batch = now + _BATCH_S
        self._driver: Driver = make_driver(prepared, self._config, self, now)
        keyboard = self._driver.controls[self._player]
        session, environment = self._driver.session, self._driver.game.environment
        rejoining = self._config.rejoining
        self._driver.controls[self._player] = AgentControls(
            keyboard, agent, environment, self._player, lambda: rejoining and session.phase == "hello"
        )

    async def play(self) -> None:
        """Play to the end, and keep the links open a little longer for the others.

        `saved` resolves before this method returns.

        Raises:
            Exception: Any error that the environment or the agent raises.
        """
        uploading = asyncio.ensure_future(self._uploads.run())
        saving = None
        ends_at = math.inf
        try:
            self._links.start()
            for player in self._config.left:
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

    # From the server

    def receive_signal(self, peer: int, kind: str, payload: dict[str, Any]) -> None:
        """Process another player's signal.

        Args:
            peer: The player who sent it.
            kind: The signal's type, such as `offer`.
            payload: Untrusted content, see protocol/connections.md.
        """
        self._links.receive_signal(peer, kind, payload)

    def receive_relayed(self, message: bytes) -> None:
        """Process a datagram that came through the server; its first byte is the sender's player id."""
        self._links.receive_relayed(message)

    def player_left(self, player: int) -> None:
        """Continue without a player who will not come back."""
        if player not in self._left and player != self._player:
            self._left.add(player)
            self._links.close_peer(player)
            self._driver.session.peer_left(player, self.now())

    def player_back(self, player: int, incarnation: int, epoch: int) -> None:
        """Connect to a player's new page or process.

        Args:
            player: Whose seat it is.
            incarnation: Number of the page or process in that seat.
            epoch: The signaling epoch of the pair from now on.
        """
        if player == self._player or player in self._left:
            return
        self._links.enter_epoch(player, epoch)
        if incarnation > self._incarnations[player]:
            self._incarnations[player] = incarnation
            pair = link_epoch(self._incarnations, self._player, player)
            self._driver.session.peer_returned(player, pair, self.now())

    def update(self, config: GameConfig) -> None:
        """Process a repeated `game` message: players who left or came back, and new TURN credentials."""
        self._links.ice_servers = config.ice_servers
        for player in config.left:
            self.player_left(player)
        for seat, incarnation in config.incarnations.items():
            self.player_back(int(seat), incarnation, config.epochs.get(seat, 0))

    def socket_reopened(self) -> None:
        """Resend unacknowledged signals after the socket to the server was closed for a while."""
        self._links.socket_reopened()

    # Callbacks of the driver and the links

    def now(self) -> float:
        """Return monotonic seconds."""
        return time.perf_counter()

    def send(self, peer: int, data: bytes) -> None:
        """Send a datagram to a peer; it may be lost."""
        self._links.send(peer, data)

    def send_signal(self, peer: int, kind: str, payload: dict[str, Any]) -> None:
        """Send a signal to a peer through the server."""
        signal = {"type": kind, "game_id": self.game_id, "target_player_id": peer, "payload": payload}
        self._sender.emit("webrtc_signal", signal)

    def send_relayed(self, peer: int, data: bytes) -> None:
        """Send a datagram to a peer through the server."""
        self._sender.emit("datagram", bytes([peer]) + data)

    def datagram_received(self, peer: int, data: bytes) -> None:
        """Keep a peer's datagram for the next tick."""
        self._inbox.append((peer, data, self.now()))
        # While the game runs, the next frame is soon enough. Before and after, an answer would be late.
        if self._driver.session.phase != "running":
            self._woken.set()

    def happened(self, event: Event) -> None:
        """Record an event of the session."""
        match event:
            case GameAgreed():
                self._agreed = event
            case HelloMismatch():
                self._mismatch = f"the players' programs differ ({event.field})"
            case PeerSuspected() | PeerBack():
                name = "peer_back" if isinstance(event, PeerBack) else "peer_suspected"
                self._record(name, peer=event.peer)
            case Stalled():
                pass  # counted in the figures of each second
            case _:
                self._desync_log.take(event, self._driver.session.published_frame)
                self._record(type(event).__name__, **event_detail(event))

    # The loop's body

    def _tick(self) -> float:
        self._links.tick()
        self._record_paths()
        now, driver = self.now(), self._driver
        self._woken.clear()
        datagrams, self._inbox = self._inbox, []
        driver.tick(now, datagrams)
        if now >= self._next_batch:
            self._next_batch = now + _BATCH_S
            self._upload_batch(now)
        deadline = driver.session.next_deadline()
        if deadline == math.inf:
            self._closed = True
        return deadline

    async def _sleep(self, until: float) -> None:
        wait = min(until - self.now(), _LONGEST_SLEEP_S)
        if wait <= 0:
            # A peer that is always late must still let the connections' tasks run.
            await asyncio.sleep(0)
            return
        try:
            async with asyncio.timeout(wait):
                await self._woken.wait()
        except TimeoutError:
            pass

    def _record_paths(self) -> None:
        for peer, path in self._links.paths().items():
            if self._paths.get(peer) != path:
                self._paths[peer] = path
                self._record("link_changed", peer=peer, link=path)

    def _record(self, kind: str, **detail: Any) -> None:
        self._driver.recorder.add_event({**timestamps(self.now()), "kind": kind, "detail": detail})

    def _upload_batch(self, now: float) -> None:
        self._driver.recorder.add_net(
            self._net_rows.take(self._driver, self._paths, self._links.take_buffered(), now)
        )
        cut = self._driver.recorder.cut()
        if cut is not None:
            self._uploads.add_batch(cut[1])

    # The end

    async def _save(self, agreed: GameAgreed) -> None:
        """Upload the rest and the report, and resolve `saved`."""
        driver, session = self._driver, self._driver.session
        self._upload_batch(self.now())
        stats = game_stats(self._config, driver)
        reason, chain_hash = agreed.reason or self._mismatch, agreed.chain_hash.hex()
        report = GameReport(
            player_id=self._player,
            verdict=agreed.verdict,
            last_frame=agreed.last_frame,
            chain_hash=chain_hash,
            reason=reason,
            delay=session.delay,
            total_scores=driver.game.total_scores,
            seats=tuple((cut.player, cut.last_frame, cut.fate) for cut in session.cuts),
            desyncs=self._desync_log.rows(),
            stats=stats,
        )
        self._uploads.add_report(to_json(report))
        await self._uploads.join()
        await self._wait_until(lambda: self._closed, LINGER_S)
        self.saved.set_result(
            PlayedGame(
                game_id=self.game_id,
                player_id=self._player,
                verdict=agreed.verdict,
                frames=agreed.last_frame + 1,
                reason=reason,
                chain_hash=chain_hash,
                scores=tuple(driver.game.total_scores),
                links=dict(self._paths),
                stats=to_json(stats),
                refused_uploads=self._uploads.refused,
            )
        )

    async def _wait_until(self, condition: Callable[[], bool], limit_s: float) -> None:
        deadline = self.now() + limit_s
        while not condition() and self.now() < deadline:
            await asyncio.sleep(_LONGEST_SLEEP_S)
