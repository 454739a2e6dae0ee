"""One participant's way through a study, over HTTP and Socket.IO, as protocol/README.md has it."""

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
from coplay.headless.identity import ParticipantIdentity
from coplay.headless.outcome import Agent, Outcome, PeerError, PlayedGame
from coplay.headless.study_socket import StudySocket, refusal
from coplay.study import load_study
from coplay.study.scenes import Play

_log = logging.getLogger(__name__)

_AGAIN_S: Final = 0.5


class StudyClient:
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
        self._stage: PreparedScene | None = None
        self._scene: dict[str, Any] = {}
        self._game: PeerGame | None = None
        self._played: list[PlayedGame] = []
        self._happened: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._games: list[asyncio.Task[None]] = []

    async def go(self, participant: str | None, params: dict[str, str], kept: Path | None) -> Outcome:
        """Enter the study, and go through it.

        Args:
            participant: The id to enter with; None for the one in `kept`, or a new one.
            params: The link's other parameters.
            kept: The file that makes a later process the same participant; None for no such file.
        """
        identity = ParticipantIdentity(kept, self._study.name, participant)
        async with aiohttp.ClientSession() as self._http:
            self._socket = StudySocket(self._http, self._base, self._happen)
            try:
                entered = await self._enter(identity, params)
                await self._compare_code(entered["bundle"]["url"])
                await self._socket.open(entered["token"])
                while self._scene.get("kind") != "finish":
                    await self._follow(*await self._happened.get())
                await self._linger()
            finally:
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)
                await self._socket.close()
        code = self._scene.get("code") or ""
        return Outcome(entered["participant_id"], code, tuple(self._played))

    async def _linger(self) -> None:
        """The last page is reached; others may still wait for the last words of a game."""
        try:
            async with asyncio.timeout(2 * LINGER_S):
                while not all(game.done() for game in self._games):
                    await self._follow(*await self._happened.get())
        except TimeoutError:
            pass

    # The ways in and out

    async def _enter(self, identity: ParticipantIdentity, params: dict[str, str]) -> dict[str, Any]:
        body = {"params": params, **identity.claims()}
        try:
            async with self._http.post(f"{self._base}/api/participants", json=body) as response:
                answer: dict[str, Any] = await response.json()
        except (aiohttp.ClientError, ValueError) as error:
            raise PeerError(
                f"no study answers at {self._base}: {error}", "Start it with `coplay run`."
            ) from error
        if response.status != 200:
            raise refusal(answer)
        name = answer["study"]["name"]
        if name != self._study.name:
            raise PeerError(
                f"{self._base} runs the study {name}, not {self._study.name}",
                "Give the study file that the server runs.",
            )
        identity.keep(answer["participant_id"], answer["secret"])
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

    def _happen(self, event: str, data: Any) -> None:
        self._happened.put_nowait((event, data))

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do something beside; if it fails, the visit does."""

        async def guarded() -> None:
            try:
                await work
            except Exception as error:
                self._happen("failed_here", error)

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
                raise refusal(data)
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
        while self._scene["index"] == index and not await self._socket.call("continue", {"index": index}):
            await asyncio.sleep(_AGAIN_S)

    def _prepare(self, index: int) -> PreparedScene:
        if self._stage is None or self._stage.scene_index != index:
            scene = self._study.scenes[index] if index < len(self._study.scenes) else None
            if not isinstance(scene, Play):
                raise PeerError(
                    f"scene {index} of the study is no play scene here",
                    "Give the study file that the server runs.",
                )
            self._stage = prepare_scene(index, scene)
            self._socket.emit("prepared", {"index": index})
        return self._stage

    def _enter_game(self, config: dict[str, Any]) -> None:
        if self._game is not None and self._game.game_id == config["game_id"]:
            self._game.repeated(config)
            return
        stage = self._prepare(config["scene_index"])
        _log.info("game %s: player %d", config["game_id"], config["player_id"])
        game = self._game = PeerGame(stage, config, self._agent, self._socket, self._http, self._base)
        playing = self._begin(game.play())
        playing.add_done_callback(lambda _: self._happen("over", None))
        self._games.append(playing)
        self._begin(self._leave_game(game))

    async def _leave_game(self, game: PeerGame) -> None:
        played = await game.saved
        self._played.append(played)
        _log.info("game %s: %s, %d frames", played.game_id, played.verdict, played.frames)
        await self._socket.call("game_over", {"game_id": game.game_id})


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
