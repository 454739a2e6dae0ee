"""Connects the simulation to its Web Worker; the only module that imports `pyodide`.

TypeScript calls the methods of `Worker`. `Worker` calls these methods of the JavaScript object `host`:

| Method | Does |
|---|---|
| `post(json)` | sends the page a message of `coplay.messages.from_python` |
| `draw(ops, strings, pixels, rows, columns, width, height, corrected, frame)` | sends the page a picture |
| `send(peer, data)` | sends a datagram |
| `upload(number, data)` | sends the page a batch for the server |
| `buffered(peer)` | returns the most bytes that waited in the data channel since the last call, or None |

Objects cross from TypeScript as JSON text, because Pyodide would turn a null inside them into `jsnull`.
"""

import gc
import importlib
import json
from typing import Any

from pyodide.ffi import to_js

from coplay.browser.session_setup import PreparedScene, prepare_scene
from coplay.browser.spectating.spectator import Spectator
from coplay.browser.worker_game import IDLE_S, WorkerGame
from coplay.envs import wasm_stubs
from coplay.errors import StudyError
from coplay.messages.encoding import from_json, to_json
from coplay.messages.from_python import ScenePrepared
from coplay.messages.game import GameConfig, PathFigures, WatchConfig
from coplay.study import Study
from coplay.study.scenes import Play


def create(host: Any, module: str) -> "Worker":
    """Create the worker's Python side; TypeScript calls this once, after Python has started.

    Args:
        host: The JavaScript object described in this module's header.
        module: The module of the study file.
    """
    wasm_stubs.install()  # before the study imports its environment
    return Worker(host, importlib.import_module(module).study)


class Worker:
    """The simulation of one participant, over all the games that they play or watch.

    Args:
        host: The JavaScript object described in this module's header.
        study: The study whose scenes are played.
    """

    def __init__(self, host: Any, study: Study) -> None:
        self._host = host
        self._study = study
        self._prepared: PreparedScene | None = None
        self._game: WorkerGame | None = None
        self._spectator: Spectator | None = None  # instead of a game, on a spectator's page
        self._links: dict[int, str] = {}  # peer -> direct, turn or relay
        # Collections run in the slack after a tick, never inside one.
        gc.disable()

    def prepare(self, scene_index: int) -> PreparedScene:
        """Load a play scene's environment before its game is known."""
        prepared = self._prepared
        if prepared is None or prepared.scene_index != scene_index:
            scene = self._study.scenes[scene_index]
            if not isinstance(scene, Play):
                raise StudyError(f"Scene {scene_index} of the study is not a play scene.")
            self._prepared = prepared = prepare_scene(scene_index, scene)
            gc.collect()
            # Later collections skip the many objects of Python, the libraries and the environment.
            gc.freeze()
            step_cost_ms = round(1000 * prepared.step_cost, 3)
            message = ScenePrepared(scene_index=scene_index, step_cost_ms=step_cost_ms)
            self._host.post(json.dumps(to_json(message)))
        return prepared

    def start(self, config_json: str) -> None:
        """Begin a game, as the server configured it (a `GameConfig`)."""
        config = from_json(GameConfig, json.loads(config_json))
        prepared = self.prepare(config.scene_index)
        self._game = WorkerGame(prepared, config, self._links, self._host, to_js)

    def watch(self, config_json: str) -> None:
        """Begin to watch a game of others, as the server configured it (a `WatchConfig`)."""
        config = from_json(WatchConfig, json.loads(config_json))
        self._spectator = Spectator(self.prepare(config.scene_index), config, self._host)

    def frames(self, first: int, data: Any) -> None:
        """Add confirmed frames of the watched game, from `first` on."""
        if self._spectator is not None:
            self._spectator.add(first, data.to_bytes())

    def keys(self, held: Any) -> None:
        """Process the names of the held keys, a JavaScript array in the order of their presses."""
        if self._game is not None:
            self._game.press(held.to_py())

    def peer_left(self, peer: int) -> None:
        """Handle that a peer left for good, according to the server."""
        if self._game is not None:
            self._game.peer_left(peer)

    def peer_returned(self, peer: int, incarnation: int) -> None:
        """Handle that a new page holds a peer's seat, according to the server.

        Args:
            peer: The player whose seat it is.
            incarnation: How many pages held the seat before.
        """
        if self._game is not None:
            self._game.peer_returned(peer, incarnation)

    def channel_state(self, peer: int, is_open: bool) -> None:
        """Record that a data channel opened or closed."""
        self._record_event("link_open" if is_open else "link_closed", peer=peer)

    def link(self, peer: int, kind: str) -> None:
        """Record how a peer is reached: `direct`, `turn`, `relay`, or an empty text for not at all."""
        if self._links.get(peer, "") != kind:
            self._links[peer] = kind
            if kind:
                self._record_event("link_changed", peer=peer, link=kind)

    def path(self, peer: int, figures_json: str) -> None:
        """Record the browser's figures of the path to a peer (`PathFigures`)."""
        if self._game is not None:
            self._game.path(peer, from_json(PathFigures, json.loads(figures_json)))

    def visibility(self, hidden: bool) -> None:
        """Record that the participant's page was hidden or shown."""
        self._record_event("hidden" if hidden else "shown")

    def eager(self) -> bool:
        """Return True if a datagram should be answered immediately instead of at the next frame."""
        return self._game is not None and self._game.eager()

    def stop(self) -> None:
        """Upload what is recorded, and abandon the game."""
        if self._game is not None:
            self._game.upload_batch()
        self._game = None

    def tick(self, now: float, arrived: Any = None) -> float:
        """Do all work that is due.

        Args:
            now: Seconds of `performance.now()`, the clock that stamps `arrived`.
            arrived: JavaScript array of [peer, Uint8Array, seconds], or None.

        Returns:
            When to call again at the latest, on the same clock.
        """
        if self._spectator is not None:
            return self._spectator.tick(now)
        if self._game is None:
            return now + IDLE_S
        datagrams = [(item[0], item[1].to_bytes(), item[2]) for item in arrived] if arrived else ()
        return self._game.tick(now, datagrams)

    def _record_event(self, kind: str, **detail: Any) -> None:
        if self._game is not None:
            self._game.record_event(kind, **detail)
