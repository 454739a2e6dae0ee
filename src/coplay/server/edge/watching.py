"""Lets those who run the study look on: which games are played now, and their confirmed frames as they come.

Whoever has the link that `coplay run` prints may watch; it holds a signed key and nobody else ever gets it.
"""

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from coplay.data.batches import decode
from coplay.data.database.store import Store
from coplay.data.database.tables import batches
from coplay.messages.encoding import fields_of, to_json
from coplay.messages.game import WatchConfig
from coplay.messages.http import ListedGame, WatchOverview
from coplay.messages.study import BootInfo
from coplay.server.clock import Clock
from coplay.server.games.game import RunningGame, RunningGames
from coplay.signaling import TokenError, TokenSigner

LOOK_S: Final = 0.5
"""How often the store is asked for one game, however many watch it."""
KEPT_GAMES: Final = 64
KEY_S: Final = 30 * 24 * 3600.0
MAX_ANSWER: Final = 256 * 1024

_REFUSED: Final = "Only those who run this study may watch. Use the link that `coplay run` has printed."


@dataclass(slots=True)
class _Feed:
    """The confirmed inputs of one game, as far as anyone uploaded them."""

    input_sizes: tuple[int, ...]
    log: bytearray = field(default_factory=bytearray)
    looked: float = -LOOK_S
    looking: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def width(self) -> int:
        return sum(self.input_sizes)

    @property
    def frames(self) -> int:
        return len(self.log) // self.width


class Watching:
    """The spectators' side of a server.

    Args:
        boot: What a page needs to load the simulation.
        signer: Makes and reads the key.
        store: Where the players' uploads are.
        games: Those that are running.
        clock: The time.
    """

    def __init__(
        self, boot: BootInfo, signer: TokenSigner, store: Store, games: RunningGames, clock: Clock
    ) -> None:
        self._boot = boot
        self._signer = signer
        self._store = store
        self._games = games
        self._clock = clock
        self._feeds: dict[str, _Feed] = {}

    def key(self) -> str:
        """A key that lets its owner watch for a month."""
        return self._signer.sign("watch", {}, self._clock.wall() + KEY_S)

    async def games(self, request: Request) -> Response:
        """`GET /api/watch`: what to load, and the games that are running."""
        if not self._may_watch(request):
            return _refusal()
        running = [
            ListedGame(
                game_id=game.game_id,
                label=game.setup.scene.label or game.setup.env_name,
                players=len(game.setup.humans),
                seconds=round(self._clock.now() - game.began),
            )
            for game in self._games.running()
        ]
        return JSONResponse(to_json(WatchOverview(**fields_of(self._boot), games=tuple(running))))

    async def game(self, request: Request) -> Response:
        """`GET /api/watch/<game>`: how one game is set up."""
        if not self._may_watch(request):
            return _refusal()
        game = self._games.get(request.path_params["game_id"])
        if game is None:
            return _over()
        shared = game.config
        config = WatchConfig(
            game_id=game.game_id,
            scene_index=shared.scene_index,
            seed=shared.seed,
            fps=shared.fps,
            episodes=shared.episodes,
            max_frames=shared.max_frames,
            countdown_frames=shared.countdown_frames,
            peers=shared.peers,
            input_sizes=game.setup.input_sizes,
        )
        return JSONResponse(to_json(config))

    async def frames(self, request: Request) -> Response:
        """`GET /api/watch/<game>/frames?from=N`: all players' inputs of frame N, then of the next …"""
        if not self._may_watch(request):
            return _refusal()
        first = request.query_params.get("from", "")
        game = self._games.get(request.path_params["game_id"])
        if not (first.isascii() and first.isdigit() and len(first) < 10):
            return JSONResponse({"error": "`from` is no frame."}, 400)
        feed = await self._feed(request.path_params["game_id"], game)
        if feed is None:
            return _over()
        at = int(first) * feed.width
        body = bytes(feed.log[at : at + MAX_ANSWER // feed.width * feed.width])
        over = game is None and at + len(body) >= len(feed.log)
        return Response(
            body, media_type="application/octet-stream", headers={"X-Game-Over": "1" if over else "0"}
        )

    async def _feed(self, game_id: str, game: RunningGame | None) -> _Feed | None:
        feed = self._feeds.get(game_id)
        if feed is None:
            if game is None:
                return None
            while len(self._feeds) >= KEPT_GAMES:
                del self._feeds[next(iter(self._feeds))]
            feed = self._feeds[game_id] = _Feed(tuple(game.setup.input_sizes))
        async with feed.looking:
            if self._clock.now() - feed.looked >= LOOK_S:
                feed.looked = self._clock.now()
                await asyncio.wrap_future(self._store.submit(partial(_extend, game_id, feed)))
        return feed

    def _may_watch(self, request: Request) -> bool:
        kind, _, key = request.headers.get("authorization", "").partition(" ")
        try:
            self._signer.read("watch", key, self._clock.wall())
        except TokenError:
            return False
        return kind == "Bearer"


def _extend(game_id: str, feed: _Feed, connection: Connection) -> None:
    """Append what was uploaded since, in order and without gaps."""
    wanted = (
        select(batches.c.body)
        .where(batches.c.game_id == game_id, batches.c.first_frame + batches.c.frames > feed.frames)
        .order_by(batches.c.first_frame)
    )
    for body in connection.execute(wanted).scalars():
        batch = decode(body, len(feed.input_sizes), feed.input_sizes)
        known = feed.frames - batch.first_frame
        if 0 <= known < batch.frames:
            feed.log += batch.inputs[known * feed.width :]


def _refusal() -> Response:
    return JSONResponse({"error": _REFUSED}, 403)


def _over() -> Response:
    return JSONResponse({"error": "This game is over, or never was."}, 404)
