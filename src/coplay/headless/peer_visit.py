"""One participant's way through a study, over HTTP and Socket.IO, as protocol/README.md has it."""

import asyncio
import io
import logging
import zipfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final

import aiohttp
import socketio

from coplay.browser.session_setup import Stage, prepare_stage
from coplay.headless.peer import Agent, Outcome, PeerError, PlayedGame
from coplay.headless.peer_game import LINGER_S, PeerGame
from coplay.study import load_study
from coplay.study.scenes import Play

_log = logging.getLogger(__name__)

_ANSWER_S: Final = 3.0
_AGAIN_S: Final = 0.5
_WAITING_TO_LEAVE: Final = 256


class PeerVisit:
    """A participant. Everything that happens to it passes through one queue, in order.

    Args:
        address: Of the server.
        study: The study file.
        agent: Plays.
    """

    def __init__(self, address: str, study: Path, agent: Agent) -> None:
        self._base = address.rstrip("/")
        self._file = study.resolve()
        self._study = load_study(study)
        self._agent = agent
        self._stage: Stage | None = None
        self._scene: dict[str, Any] = {}
        self._game: PeerGame | None = None
        self._played: list[PlayedGame] = []
        self._offset = ""
        self._happened: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self._leaving: asyncio.Queue[tuple[str, Any]] = asyncio.Queue(_WAITING_TO_LEAVE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._games: list[asyncio.Task[None]] = []

    async def go(self, participant: str | None, params: dict[str, str]) -> Outcome:
        """Enter the study, and go through it."""
        async with aiohttp.ClientSession() as self._http:
            self._socket = socketio.AsyncClient(
                http_session=self._http, reconnection_delay=0.3, reconnection_delay_max=5
            )
            self._socket.on("*", self._take)
            self._socket.on("connect", self._connected)
            self._socket.on("disconnect", self._disconnected)
            try:
                identity = await self._enter(participant, params)
                await self._compare_code(identity["bundle"]["url"])
                await self._connect(identity["token"])
                self._begin(self._send_what_leaves())
                while self._scene.get("kind") != "finish":
                    await self._follow(*await self._happened.get())
                await self._linger()
            finally:
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)
                await self._socket.disconnect()
        code = self._scene.get("code") or ""
        return Outcome(identity["participant_id"], code, tuple(self._played))

    def emit(self, event: str, data: Any) -> None:
        """Send one event, or lose it: what cannot leave soon is of no use."""
        if self._socket.connected and not self._leaving.full():
            self._leaving.put_nowait((event, data))

    async def _linger(self) -> None:
        """The last page is reached; others may still wait for the last words of a game."""
        try:
            async with asyncio.timeout(2 * LINGER_S):
                while not all(game.done() for game in self._games):
                    await self._follow(*await self._happened.get())
        except TimeoutError:
            pass

    # The ways in and out

    async def _enter(self, participant: str | None, params: dict[str, str]) -> dict[str, Any]:
        body: dict[str, Any] = {"params": params}
        if participant is not None:
            body["participant"] = participant
        try:
            async with self._http.post(f"{self._base}/api/participants", json=body) as response:
                answer: dict[str, Any] = await response.json()
        except (aiohttp.ClientError, ValueError) as error:
            raise PeerError(
                f"no study answers at {self._base}: {error}", "Start it with `coplay run`."
            ) from error
        if response.status != 200:
            raise _refusal(answer)
        name = answer["study"]["name"]
        if name != self._study.name:
            raise PeerError(
                f"{self._base} runs the study {name}, not {self._study.name}",
                "Give the study file that the server runs.",
            )
        return answer

    async def _compare_code(self, bundle_url: str) -> None:
        """See that the others run the same files: other code would play another game."""
        async with self._http.get(self._base + bundle_url) as response:
            packed = await response.read()
        differing = _differing(packed, self._file)
        if differing:
            raise PeerError(
                f"{differing} is not as in the study that {self._base} runs",
                "Give the study file that the server runs; restart the server after changes.",
            )

    async def _connect(self, token: str) -> None:
        try:
            await self._socket.connect(
                self._base,
                auth=lambda: {"token": token, **({"offset": self._offset} if self._offset else {})},
                transports=["websocket"],
            )
        except socketio.exceptions.ConnectionError as error:
            raise PeerError(
                f"{self._base} refuses the connection: {error}", "See the server's log."
            ) from error

    def _take(self, event: str, data: Any = None, number: str = "") -> None:
        self._offset = number or self._offset
        self._happened.put_nowait((event, data))

    def _connected(self) -> None:
        self._happened.put_nowait(("connected", None))

    def _disconnected(self, reason: str) -> None:
        # After any other reason it connects again by itself.
        if reason == self._socket.reason.SERVER_DISCONNECT:
            error = PeerError(f"{self._base} closed the connection", "See the server's log.")
            self._happened.put_nowait(("failed_here", error))

    async def _send_what_leaves(self) -> None:
        while True:
            event, data = await self._leaving.get()
            try:
                await self._socket.emit(event, data)
            except socketio.exceptions.SocketIOError:
                continue  # the connection broke; its lane is lossy

    async def _call(self, event: str, data: dict[str, Any]) -> bool:
        """Say something until it is heard; returns whether the server agreed."""
        while True:
            try:
                answer = await self._socket.call(event, data, timeout=_ANSWER_S)
                return bool(answer["ok"])
            except socketio.exceptions.SocketIOError:
                # The server restarts, or the network is gone for a while.
                await asyncio.sleep(_AGAIN_S)

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do something beside; if it fails, the visit does."""

        async def guarded() -> None:
            try:
                await work
            except Exception as error:
                self._happened.put_nowait(("failed_here", error))

        task = asyncio.ensure_future(guarded())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # What happens

    async def _follow(self, event: str, data: Any) -> None:
        game = self._game
        match event:
            case "failed_here":
                raise data
            case "failed":
                raise _refusal(data)
            case "scene":
                self._enter_scene(data)
            case "game":
                self._enter_game(data)
            case "removed" if game is not None and data["game_id"] == game.game_id:
                self._game = None
                self._games[-1].cancel()
            case "connected" if game is not None:
                game.socket_back()
            case "datagram" if game is not None:
                game.receive_relayed(data)
            case "webrtc_signal" if game is not None and data["game_id"] == game.game_id:
                game.receive_signal(data["from_player_id"], data["type"], data["payload"])
            case "player_left" if game is not None and data["game_id"] == game.game_id:
                game.player_left(data["player_id"])
            case "player_back" if game is not None and data["game_id"] == game.game_id:
                game.player_back(data["player_id"], data["incarnation"], data["epoch"])

    def _enter_scene(self, scene: dict[str, Any]) -> None:
        again = scene["index"] == self._scene.get("index")
        self._scene = scene
        if not again:
            _log.info("scene %d: %s", scene["index"], scene["kind"])
        if scene.get("prepare") is not None:
            self._prepare(scene["prepare"])
        if scene["kind"] == "instructions" and not again:
            self._begin(self._continue(scene["index"]))

    async def _continue(self, index: int) -> None:
        while self._scene["index"] == index and not await self._call("continue", {"index": index}):
            await asyncio.sleep(_AGAIN_S)

    def _prepare(self, index: int) -> Stage:
        if self._stage is None or self._stage.scene_index != index:
            scene = self._study.scenes[index] if index < len(self._study.scenes) else None
            if not isinstance(scene, Play):
                raise PeerError(
                    f"scene {index} of the study is no play scene here",
                    "Give the study file that the server runs.",
                )
            self._stage = prepare_stage(index, scene)
            self.emit("prepared", {"index": index})
        return self._stage

    def _enter_game(self, config: dict[str, Any]) -> None:
        if self._game is not None and self._game.game_id == config["game_id"]:
            self._game.repeated(config)
            return
        stage = self._prepare(config["scene_index"])
        _log.info("game %s: player %d", config["game_id"], config["player_id"])
        game = self._game = PeerGame(stage, config, self._agent, self, self._http, self._base)
        playing = self._begin(game.play())
        playing.add_done_callback(lambda _: self._happened.put_nowait(("over", None)))
        self._games.append(playing)
        self._begin(self._leave_game(game))

    async def _leave_game(self, game: PeerGame) -> None:
        played = await game.saved
        self._played.append(played)
        _log.info("game %s: %s, %d frames", played.game_id, played.verdict, played.frames)
        await self._call("game_over", {"game_id": game.game_id})


def _differing(packed: bytes, study: Path) -> str:
    """A Python file of the bundle that differs from the one beside the study, or an empty text."""
    with zipfile.ZipFile(io.BytesIO(packed)) as bundle:
        if study.name not in bundle.namelist():
            return study.name
        for name in bundle.namelist():
            # Of a study file of another name, `study.py` is a stand-in that imports it.
            if not name.endswith(".py") or name.startswith("coplay/") or name == "study.py" != study.name:
                continue
            here = study.parent / name
            if not here.is_file() or here.read_bytes() != bundle.read(name):
                return name
    return ""


def _refusal(answer: dict[str, Any]) -> PeerError:
    error = str(answer.get("error") or "the server refused")
    return PeerError(error.rstrip("."), str(answer.get("hint") or "See the server's log."))
