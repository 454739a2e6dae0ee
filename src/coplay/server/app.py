"""Assembles a study's server into one ASGI application."""

import asyncio
import contextlib
import hmac
import logging
import os
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import socketio
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route, Router

from coplay.data.database.store import Store
from coplay.messages.encoding import from_json
from coplay.messages.study import BootInfo, BundleInfo, RuntimeInfo, StudyInfo
from coplay.server.clock import Clock, SystemClock
from coplay.server.edge.arrivals import Arrivals
from coplay.server.edge.game_uploads import GameUploads
from coplay.server.edge.http_errors import answer_error
from coplay.server.edge.pages import Pages, SecurityHeaders
from coplay.server.edge.socket_limits import SocketGuard
from coplay.server.edge.sockets import Sockets, SocketSender, make_socket_server
from coplay.server.edge.watching import Watching
from coplay.server.event_log import EventLog
from coplay.server.games.coordinator import GameCoordinator
from coplay.server.games.game_config import StudyIdentity
from coplay.server.games.play_setup import PlaySetup
from coplay.server.messenger import Messenger
from coplay.server.people.page_tokens import PageTokens
from coplay.server.people.participants import Participants
from coplay.server.people.scene_flow import SceneFlow
from coplay.server.people.scene_props import SceneProps
from coplay.server.refusals import RequestRefusedError
from coplay.server.restoring import read_groups, read_running, restore_games
from coplay.server.settings import Settings
from coplay.server.store_health import StoreHealth
from coplay.server.uploads.ledger import Ledger
from coplay.server.uploads.stale_pages import StalePages
from coplay.signaling import IceServers, TokenSigner
from coplay.study.study import Study

WEB = Path(__file__).parent.parent / "_web"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Hosting:
    """The parts that a server is assembled from.

    Attributes:
        study: The study.
        folder: The folder of the study file.
        play_setups: Scene index → setup of the play scene.
        runtime: The browser runtime (`coplay.runtime.Runtime`).
        bundle: The study's code (`coplay.runtime.Bundle`).
        store: The data store.
        settings: Limits and waits.
        web: The folder with the built page.
        ice: STUN and TURN servers.
        clock: The source of time.
    """

    study: Study
    folder: Path
    play_setups: dict[int, PlaySetup]
    runtime: Any
    bundle: Any
    store: Store
    settings: Settings = field(default_factory=Settings)
    web: Path = WEB
    ice: IceServers = field(default_factory=IceServers)
    clock: Clock = field(default_factory=SystemClock)


@dataclass(frozen=True, slots=True)
class StudyServer:
    """A study's server, ready to run.

    Attributes:
        asgi: The ASGI application.
        coordinator: Runs the games.
        ledger: Stores uploads.
        participants: All participants of the study.
        sockets: The Socket.IO server.
        scene_flow: Moves participants along the study.
        signer: Signs and verifies tokens.
        page_tokens: Verifies and renews the tokens that open pages' sockets.
        stale_pages: Refuses the reports of replaced pages.
        watching: The endpoints for spectators.
        tick: Applies time-outs; called every `settings.tick_s` while the server runs.
    """

    asgi: SocketGuard
    coordinator: GameCoordinator
    ledger: Ledger
    participants: Participants
    sockets: socketio.AsyncServer
    scene_flow: SceneFlow
    signer: TokenSigner
    page_tokens: PageTokens
    stale_pages: StalePages
    watching: Watching
    tick: Callable[[], None]


def make_server(hosting: Hosting) -> StudyServer:
    """Assemble a server.

    Args:
        hosting: The parts.
    """
    study, settings, store, clock = hosting.study, hosting.settings, hosting.store, hosting.clock
    identity = StudyIdentity(
        study.name,
        study.version,
        hosting.bundle.sha256,
        hosting.runtime.lock_hash,
        study.relay_only,
    )
    # Two studies may share a data directory. A token of one must not be valid in the other.
    signer = TokenSigner(hmac.digest(_secret(store.directory), study.name.encode(), "sha256"))
    event_log = EventLog(store, study.name, clock)
    # Read before the ledger is created, which closes every game without an end that is not among these.
    running = store.submit(partial(read_running, identity, hosting.play_setups, clock.wall())).result()
    ledger = Ledger(event_log, clock, [game.row.game_id for game in running])
    participants = Participants(study, event_log)
    participants.restore_groups(store.submit(partial(read_groups, study.name)).result())
    sockets = make_socket_server()
    messenger = Messenger(SocketSender(sockets), clock)
    coordinator = GameCoordinator(
        identity, settings, messenger, event_log, ledger, signer, hosting.ice, clock
    )
    restore_games(running, identity, hosting.play_setups, participants, coordinator, clock.now())
    scene_props = SceneProps(hosting.folder, hosting.play_setups)
    scene_flow = SceneFlow(
        study,
        hosting.play_setups,
        settings,
        scene_props,
        participants,
        messenger,
        event_log,
        coordinator,
        clock,
    )
    page_tokens = PageTokens(signer, participants, messenger, event_log, settings.token_s, clock)
    Sockets(sockets, page_tokens, participants, messenger, scene_flow, coordinator, event_log, clock)
    boot = _boot_info(hosting)
    arrivals = Arrivals(boot, settings, signer, participants, messenger, scene_flow, ledger, clock)
    stale_pages = StalePages(store)
    game_uploads = GameUploads(
        settings,
        signer,
        ledger,
        stale_pages,
        clock,
        on_batch=[coordinator.seats.receive_batch, stale_pages.receive_batch],
        on_report=[scene_flow.take_left_report],
    )
    pages = Pages(hosting.web, hosting.runtime, hosting.bundle)
    watching = Watching(boot, signer, store, coordinator.games, clock)

    store_health = StoreHealth(store, messenger)

    def tick() -> None:
        now = clock.now()
        store_health.tick()
        scene_flow.tick(now)
        ledger.evict(now)
        messenger.forget_lost(now - settings.resume_s)

    @contextlib.asynccontextmanager
    async def lifespan(_app: object) -> AsyncIterator[None]:
        task = asyncio.create_task(_tick_forever(tick, settings.tick_s))
        yield
        task.cancel()

    # Uploads come first, past the Socket.IO server and the middleware of the other routes.
    router = Router(
        [Mount("/api/games", game_uploads.app)],
        redirect_slashes=False,
        default=socketio.ASGIApp(sockets, _make_http_app(arrivals, pages, watching)),
        lifespan=lifespan,
    )
    return StudyServer(
        SocketGuard(router),
        coordinator,
        ledger,
        participants,
        sockets,
        scene_flow,
        signer,
        page_tokens,
        stale_pages,
        watching,
        tick,
    )


def _make_http_app(arrivals: Arrivals, pages: Pages, watching: Watching) -> Starlette:
    """Create the application for everything except uploads and sockets."""
    return Starlette(
        routes=[
            Route("/", pages.index),
            Route("/demo", pages.demo),
            Route("/watch", pages.watch),
            Route("/api/watch", watching.games),
            Route("/api/watch/{game_id}", watching.game),
            Route("/api/watch/{game_id}/frames", watching.frames),
            Route("/healthz", _healthz),
            Route("/assets/{name}", pages.asset),
            Route("/runtime/{lock_hash}/{name}", pages.runtime),
            Route("/bundle/{name}", pages.bundle),
            Route("/api/participants", arrivals.arrive, methods=["POST"]),
        ],
        middleware=[Middleware(SecurityHeaders)],
        exception_handlers={RequestRefusedError: answer_error, Exception: answer_error},
    )


def _boot_info(hosting: Hosting) -> BootInfo:
    """Return what every page needs to start."""
    return BootInfo(
        study=StudyInfo(name=hosting.study.name, version=hosting.study.version),
        runtime=from_json(RuntimeInfo, hosting.runtime.boot_info()),
        bundle=BundleInfo(
            url=f"/bundle/{hosting.bundle.sha256}.zip",
            hash=hosting.bundle.sha256,
            module=hosting.bundle.module,
        ),
    )


async def _healthz(_request: Request) -> Response:
    return JSONResponse({"ok": True})


async def _tick_forever(tick: Callable[[], None], every_s: float) -> None:
    while True:
        await asyncio.sleep(every_s)
        try:
            tick()
        except Exception:  # noqa: BLE001 (logged below)
            # A fault that concerns one participant must not stop the lobbies and games of all others.
            _log.exception("a tick of lobbies and games failed")


def _secret(directory: Path) -> bytes:
    """Return the secret of a data directory. Create it at first use, readable by its owner only."""
    path = directory / "secret"
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(32))
    except FileExistsError:
        pass
    return path.read_bytes()
