"""`/api/watch/…`: lets researchers watch the running games, frame by confirmed frame.

The link that `coplay run` prints holds a signed key. A spectator needs only this key, and no participant's
page is given one.
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
from coplay.server.edge.authorization import bearer_claims
from coplay.server.games.game import RunningGame, RunningGames
from coplay.server.refusals import RequestRefusedError
from coplay.signaling import TokenError, TokenSigner

QUERY_EVERY_S: Final = 0.5
"""How often the store is queried for one game, no matter how many spectators it has."""
MAX_FEEDS: Final = 64
KEY_S: Final = 30 * 24 * 3600.0
MAX_ANSWER_BYTES: Final = 256 * 1024

# One text: the spectator's page shows no hints.
_UNAUTHORIZED: Final = "Only those who run this study may watch. Use the link that `coplay run` has printed."


@dataclass(slots=True)
class _Feed:
    """The confirmed inputs of one game, up to the last frame that a peer has uploaded."""

    input_sizes: tuple[int, ...]
    log: bytearray = field(default_factory=bytearray)
    queried_at: float = -QUERY_EVERY_S
    querying: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def width(self) -> int:
        return sum(self.input_sizes)

    @property
    def frames(self) -> int:
        return len(self.log) // self.width


class Watching:
    """The endpoints for spectators.

    Args:
        boot: What a page needs to load the simulation.
        signer: Signs and verifies the spectators' key.
        store: Where the players' uploads are.
        games: The running games.
        clock: The source of time.
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
        """Return a key that lets its holder watch for a month."""
        return self._signer.sign("watch", {}, self._clock.wall() + KEY_S)

    async def games(self, request: Request) -> Response:
        """Answer `GET /api/watch`: what to load, and the running games."""
        self._authorize(request)
        running = [
            ListedGame(
                game_id=game.game_id,
                label=game.setup.scene.label or game.setup.env_name,
                players=len(game.setup.humans),
                seconds=round(self._clock.now() - game.began_at),
            )
            for game in self._games.running()
        ]
        return JSONResponse(to_json(WatchOverview(**fields_of(self._boot), games=tuple(running))))

    async def game(self, request: Request) -> Response:
        """Answer `GET /api/watch/<game>`: how one game is set up."""
        self._authorize(request)
        game = self._games.get(request.path_params["game_id"])
        if game is None:
            raise _no_such_game()
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
        """Answer `GET /api/watch/<game>/frames?from=N`: all players' inputs from frame N on."""
        self._authorize(request)
        first = request.query_params.get("from", "")
        game = self._games.get(request.path_params["game_id"])
        if not (first.isascii() and first.isdigit() and len(first) < 10):
            raise RequestRefusedError(400, "`from` is not the number of a frame.")
        feed = await self._feed(request.path_params["game_id"], game)
        if feed is None:
            raise _no_such_game()
        at = int(first) * feed.width
        # Whole frames only, so that the next request can start where this answer ends.
        body = bytes(feed.log[at : at + MAX_ANSWER_BYTES // feed.width * feed.width])
        over = game is None and at + len(body) >= len(feed.log)
        return Response(
            body, media_type="application/octet-stream", headers={"X-Game-Over": "1" if over else "0"}
        )

    async def _feed(self, game_id: str, game: RunningGame | None) -> _Feed | None:
        feed = self._feeds.get(game_id)
        if feed is None:
            if game is None:
                return None
            # Evicting the oldest is safe, because any feed can be read from the store again.
            while len(self._feeds) >= MAX_FEEDS:
                del self._feeds[next(iter(self._feeds))]
            feed = self._feeds[game_id] = _Feed(tuple(game.setup.input_sizes))
        # A lock: of two queries at a time, the second would append the same frames again.
        async with feed.querying:
            if self._clock.now() - feed.queried_at >= QUERY_EVERY_S:
                feed.queried_at = self._clock.now()
                await asyncio.wrap_future(self._store.submit(partial(_extend, game_id, feed)))
        return feed

    def _authorize(self, request: Request) -> None:
        try:
            bearer_claims(request, self._signer, "watch", self._clock.wall())
        except TokenError:
            raise RequestRefusedError(403, _UNAUTHORIZED) from None


def _extend(game_id: str, feed: _Feed, connection: Connection) -> None:
    """Append the frames that were uploaded since the last query, in order and without gaps."""
    query = (
        select(batches.c.body)
        .where(batches.c.game_id == game_id, batches.c.first_frame + batches.c.frames > feed.frames)
        .order_by(batches.c.first_frame)
    )
    for body in connection.execute(query).scalars():
        batch = decode(body, len(feed.input_sizes), feed.input_sizes)
        known = feed.frames - batch.first_frame
        if 0 <= known < batch.frames:
            feed.log += batch.inputs[known * feed.width :]


def _no_such_game() -> RequestRefusedError:
    return RequestRefusedError(404, "This game is over, or never existed.")
