"""The client that takes one participant through a study, over HTTP and Socket.IO.

The requests and events are those of a page, described in protocol/README.md.
"""

import asyncio
import io
import logging
import zipfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final

import aiohttp

from coplay.browser.session_setup import PreparedScene, prepare_scene
from coplay.headless.game import LINGER_S, PeerGame
from coplay.headless.identity_file import IdentityFile
from coplay.headless.outcome import Agent, Outcome, PeerError, PlayedGame
from coplay.headless.study_socket import StudySocket, refusal_error
from coplay.messages.encoding import from_json
from coplay.messages.game import GameConfig
from coplay.study import load_study
from coplay.study.scenes import Play

_log = logging.getLogger(__name__)

_RETRY_S: Final = 0.5


class StudyClient:
    """One participant without a browser. Events pass through one queue, so they are handled in order.

    Args:
        address: Address of the server.
        study: The study file.
        agent: Chooses the actions.
    """

    def __init__(self, address: str, study: Path, agent: Agent) -> None:
        self._base_url = address.rstrip("/")
        self._file = study.resolve()
        self._study = load_study(study)
        self._agent = agent
        self._prepared: PreparedScene | None = None
        self._scene: dict[str, Any] = {}
        self._game: PeerGame | None = None
        self._played: list[PlayedGame] = []
        self._events: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._games: list[asyncio.Task[None]] = []

    async def run(self, participant: str | None, params: dict[str, str], file: Path | None) -> Outcome:
        """Enter the study and go through it to its last page.

        Args:
            participant: The id to enter with; None for the one in `file`, or a new one.
            params: The link's other parameters.
            file: The identity file, which makes a later process the same participant; None for no file.
        """
        identity = IdentityFile(file, self._study.name, participant)
        async with aiohttp.ClientSession() as self._http:
            self._socket = StudySocket(self._http, self._base_url, self._add_event)
            try:
                entered = await self._enter(identity, params)
                await self._compare_code(entered["bundle"]["url"])
                await self._socket.open(entered["token"])
                while self._scene.get("kind") != "finish":
                    await self._handle(*await self._events.get())
                await self._linger()
            finally:
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)
                await self._socket.close()
        code = self._scene.get("code") or ""
        return Outcome(entered["participant_id"], code, tuple(self._played))

    async def _linger(self) -> None:
        """Keep games open on the last page: other peers may still wait for this one's last datagrams."""
        try:
            async with asyncio.timeout(2 * LINGER_S):
                while not all(game.done() for game in self._games):
                    await self._handle(*await self._events.get())
        except TimeoutError:
            pass

    # Entering

    async def _enter(self, identity: IdentityFile, params: dict[str, str]) -> dict[str, Any]:
        body = {"params": params, **identity.claims()}
        try:
            async with self._http.post(f"{self._base_url}/api/participants", json=body) as response:
                answer: dict[str, Any] = await response.json()
        except (aiohttp.ClientError, ValueError) as error:
            raise PeerError(
                f"no study answers at {self._base_url}: {error}", "Start it with `coplay run`."
            ) from error
        if response.status != 200:
            raise refusal_error(answer)
        name = answer["study"]["name"]
        if name != self._study.name:
            raise PeerError(
                f"{self._base_url} runs the study {name}, not {self._study.name}",
                "Pass the study file that the server runs.",
            )
        identity.save(answer["participant_id"], answer["secret"])
        return answer

    async def _compare_code(self, bundle_url: str) -> None:
        """Check that the server runs the same files: with other code the games would diverge."""
        async with self._http.get(self._base_url + bundle_url) as response:
            bundle = await response.read()
        differing = _differing_file(bundle, self._file)
        if differing is not None:
            raise PeerError(
                f"{differing} differs from the one that {self._base_url} runs",
                "Pass the study file that the server runs; restart the server after changes.",
            )

    def _add_event(self, event: str, data: Any) -> None:
        self._events.put_nowait((event, data))

    def _start_task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run work in the background; if it raises, so does `run`."""

        async def guarded() -> None:
            try:
                await work
            except Exception as error:  # noqa: BLE001 (`run` raises it)
                self._add_event("task_failed", error)

        task = asyncio.ensure_future(guarded())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # Events

    async def _handle(self, event: str, data: Any) -> None:
        game = self._game
        match event:
            case "task_failed":
                raise data
            case "failed":
                raise refusal_error(data)
            case "scene":
                self._enter_scene(data)
            case "game":
                self._enter_game(from_json(GameConfig, data))
            case "connected" if game is not None:
                game.socket_reopened()
            case "datagram" if game is not None:
                game.receive_relayed(data)
            case "removed" | "webrtc_signal" | "player_left" | "player_back":
                if game is not None and data["game_id"] == game.game_id:
                    self._handle_in_game(game, event, data)

    def _handle_in_game(self, game: PeerGame, event: str, data: Any) -> None:
        match event:
            case "removed":
                self._game = None
                self._games[-1].cancel()
            case "webrtc_signal":
                game.receive_signal(data["from_player_id"], data["type"], data["payload"])
            case "player_left":
                game.player_left(data["player_id"])
            case "player_back":
                game.player_back(data["player_id"], data["incarnation"], data["epoch"])

    def _enter_scene(self, scene: dict[str, Any]) -> None:
        # After a reconnect the server sends the current scene again.
        is_new = scene["index"] != self._scene.get("index")
        self._scene = scene
        if is_new:
            _log.info("scene %d: %s", scene["index"], scene["kind"])
        if scene.get("prepare") is not None:
            self._prepare(scene["prepare"])
        if scene["kind"] == "instructions" and is_new:
            self._start_task(self._continue(scene["index"]))

    async def _continue(self, index: int) -> None:
        while self._scene["index"] == index and not await self._socket.call("continue", {"index": index}):
            await asyncio.sleep(_RETRY_S)

    def _prepare(self, index: int) -> PreparedScene:
        if self._prepared is None or self._prepared.scene_index != index:
            scene = self._study.scenes[index] if index < len(self._study.scenes) else None
            if not isinstance(scene, Play):
                raise PeerError(
                    f"scene {index} of the study file is not a play scene, but the server plays it",
                    "Pass the study file that the server runs.",
                )
            self._prepared = prepare_scene(index, scene)
            self._socket.emit("prepared", {"index": index})
        return self._prepared

    def _enter_game(self, config: GameConfig) -> None:
        if self._game is not None and self._game.game_id == config.game_id:
            self._game.update(config)
            return
        prepared = self._prepare(config.scene_index)
        _log.info("game %s: player %d", config.game_id, config.player_id)
        game = PeerGame(prepared, config, self._agent, self._socket, self._http, self._base_url)
        self._game = game
        playing = self._start_task(game.play())
        # Any event wakes `_linger`, which looks whether the games are done.
        playing.add_done_callback(lambda _: self._add_event("game_done", None))
        self._games.append(playing)
        self._start_task(self._leave_game(game))

    async def _leave_game(self, game: PeerGame) -> None:
        played = await game.saved
        self._played.append(played)
        _log.info("game %s: %s, %d frames", played.game_id, played.verdict, played.frames)
        await self._socket.call("game_over", {"game_id": game.game_id})


def _differing_file(bundle: bytes, study: Path) -> str | None:
    """Return a Python file of the bundle that differs from the one next to the study, or None."""
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        if study.name not in archive.namelist():
            return study.name
        for name in archive.namelist():
            # If the study file has another name, `study.py` is a stand-in that imports it.
            if not name.endswith(".py") or name.startswith("coplay/") or name == "study.py" != study.name:
                continue
            here = study.parent / name
            if not here.is_file() or here.read_bytes() != archive.read(name):
                return name
    return None
