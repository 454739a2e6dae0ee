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
import math
import time
from typing import Any

from pyodide.ffi import to_js

from coplay.browser.controls import Controls
from coplay.browser.driver import Driver
from coplay.browser.measuring.event_rows import DesyncLog, event_detail, timestamps
from coplay.browser.measuring.game_stats import game_stats
from coplay.browser.measuring.net_rows import NetRows
from coplay.browser.session_setup import PreparedScene, link_epoch, make_driver, prepare_scene
from coplay.browser.spectating.spectator import Spectator
from coplay.browser.view import View
from coplay.envs import wasm_stubs
from coplay.errors import StudyError
from coplay.messages.encoding import fields_of, from_json, to_json
from coplay.messages.from_python import (
    FromPython,
    GamePhase,
    PeerPresence,
    PhaseChanged,
    ReportMessage,
    ScenePrepared,
    SessionClosed,
    StatsMessage,
    WorkerFault,
)
from coplay.messages.game import GameConfig, GameStats, PathFigures, WatchConfig
from coplay.netcode import Event, GameAgreed, HelloMismatch, PeerBack, PeerSuspected, Stalled
from coplay.study import Study
from coplay.study.scenes import Play

_BATCH_INTERVAL_S = 1.0
_STATS_INTERVAL_S = 0.2
_IDLE_S = 3600.0
_LEAST_SLACK_S = 0.006


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
        self._view: View | None = None  # of the running game; `_prepared` may already be the next scene
        self._driver: Driver | None = None
        self._spectator: Spectator | None = None  # instead of a driver, on a spectator's page
        self._config: GameConfig | None = None
        self._incarnations: dict[int, int] = {}
        self._next_batch = 0.0
        self._next_stats = 0.0
        self._phase: GamePhase | None = None
        self._hud: tuple[Any, ...] = ()
        self._started = 0.0
        self._first_frame_ms = 0.0
        self._net_rows, self._desync_log = NetRows(), DesyncLog()
        self._links: dict[int, str] = {}  # peer -> direct, turn or relay
        self._finished = False
        # Collections run in the slack after a tick, never inside one.
        gc.disable()

    # Calls from the page

    def prepare(self, scene_index: int) -> PreparedScene:
        """Load a play scene's environment before its game is known."""
        prepared = self._prepared
        if prepared is None or prepared.scene_index != scene_index:
            scene = self._study.scenes[scene_index]
            if not isinstance(scene, Play):
                raise StudyError(f"Scene {scene_index} of the study is not a play scene.")
            self._prepared = prepared = prepare_scene(scene_index, scene)
            gc.collect()
            gc.freeze()
            step_cost_ms = round(1000 * prepared.step_cost, 3)
            self._post(ScenePrepared(scene_index=scene_index, step_cost_ms=step_cost_ms))
        return prepared

    def start(self, config_json: str) -> None:
        """Begin a game, as the server configured it (a `GameConfig`)."""
        config = from_json(GameConfig, json.loads(config_json))
        prepared = self.prepare(config.scene_index)
        now = time.perf_counter()
        self._config, self._finished = config, False
        self._incarnations = {int(player): count for player, count in config.incarnations.items()}
        self._hud, self._phase = (), None
        self._started, self._first_frame_ms = now, 0.0
        self._next_batch, self._next_stats = now + _BATCH_INTERVAL_S, now
        self._net_rows, self._desync_log = NetRows(), DesyncLog()
        self._view = prepared.view
        self._driver = make_driver(prepared, config, self, now)
        self._set_phase("connecting")

    def watch(self, config_json: str) -> None:
        """Begin to watch a game of others, as the server configured it (a `WatchConfig`)."""
        config = from_json(WatchConfig, json.loads(config_json))
        self._spectator = Spectator(self.prepare(config.scene_index), config, self._host)

    def frames(self, first: int, data: Any) -> None:
        """Take confirmed frames of the watched game, from `first` on."""
        if self._spectator is not None:
            self._spectator.add(first, data.to_bytes())

    def keys(self, held: Any) -> None:
        """Take the names of the held keys, as a JavaScript array in the order of their presses."""
        controls = self._controls
        if controls is not None:
            controls.press(held.to_py())

    def peer_left(self, peer: int) -> None:
        """Handle that a peer left for good, according to the server."""
        if self._driver is not None:
            self._driver.session.peer_left(peer, time.perf_counter())

    def peer_returned(self, peer: int, incarnation: int) -> None:
        """Handle that a new page holds a peer's seat, according to the server."""
        if self._driver is None or self._config is None:
            return
        self._incarnations[peer] = incarnation
        epoch = link_epoch(self._incarnations, self._config.player_id, peer)
        self._driver.session.peer_returned(peer, epoch, time.perf_counter())

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
        """Take the browser's figures of the path to a peer (`PathFigures`)."""
        figures = from_json(PathFigures, json.loads(figures_json))
        self._net_rows.note_path(peer, figures, time.perf_counter())

    def visibility(self, hidden: bool) -> None:
        """Record that the participant's page was hidden or shown."""
        self._record_event("hidden" if hidden else "shown")

    def eager(self) -> bool:
        """Return True if a datagram should be answered immediately instead of at the next frame."""
        return self._driver is not None and self._driver.session.phase != "running"

    def stop(self) -> None:
        """Upload what is recorded, and give up the game."""
        if self._driver is not None:
            self._cut_batch()
        self._driver = None

    def tick(self, now: float, arrived: Any = None) -> float:
        """Do all that is due.

        Args:
            now: Seconds of `performance.now()`, the clock that stamps `arrived`.
            arrived: JavaScript array of [peer, Uint8Array, seconds], or None.

        Returns:
            When to call again at the latest, on the same clock.
        """
        if self._spectator is not None:
            return self._spectator.tick(now)
        driver, view = self._driver, self._view
        if driver is None or view is None:
            return now + _IDLE_S
        datagrams = [(item[0], item[1].to_bytes(), item[2]) for item in arrived] if arrived else ()
        changed, corrected = driver.tick(now, datagrams)
        session = driver.session
        if changed:
            if not self._first_frame_ms:
                self._first_frame_ms = 1000 * (time.perf_counter() - self._started)
            self._draw(driver, view, corrected)
        if now >= self._next_stats:
            self._next_stats = now + _STATS_INTERVAL_S
            self._post_stats(driver)
        if now >= self._next_batch:
            self._next_batch = now + _BATCH_INTERVAL_S
            self._record_net(driver, now)
            self._cut_batch()
        deadline = session.next_deadline()
        if deadline == math.inf:
            # The other peers need nothing more. A peer that missed that and asks again is still answered.
            if not self._finished:
                self._finish(driver)
            return now + _IDLE_S
        if deadline - time.perf_counter() > _LEAST_SLACK_S:
            gc.collect(0)
        return deadline

    # Calls from the driver

    def send(self, peer: int, data: bytes) -> None:
        """Send one datagram over the link to `peer`."""
        self._host.send(peer, to_js(data))

    def happened(self, event: Event) -> None:
        """Record an event of the session, and tell the page if it shows it."""
        driver, config = self._driver, self._config
        if driver is None or config is None:
            return
        match event:
            case GameAgreed():
                self._report(driver, config, event)
            case HelloMismatch():
                self._post(
                    WorkerFault(
                        error=f"The players' programs differ ({event.field}), so this game cannot start.",
                        hint="Reload the page; if it comes back, tell the researcher.",
                        detail=repr(event),
                    )
                )
            case PeerSuspected() | PeerBack():
                present = isinstance(event, PeerBack)
                self._post(PeerPresence(game_id=config.game_id, peer=event.peer, present=present))
                self._record_event("peer_back" if present else "peer_suspected", peer=event.peer)
            case Stalled():
                pass  # counted in the `net` table
            case _:
                self._desync_log.take(event, driver.session.published_frame)
                self._record_event(type(event).__name__, **event_detail(event))

    # Pictures and figures

    @property
    def _controls(self) -> Controls | None:
        if self._driver is None or self._config is None:
            return None
        return self._driver.controls.get(self._config.player_id)

    def _draw(self, driver: Driver, view: View, corrected: bool) -> None:
        game, config = driver.game, self._config
        if config is None:
            return
        started = time.perf_counter()
        view.show(self._host, corrected, driver.session.current_frame)
        hud = (game.phase, game.scores, game.episode, -(-game.countdown_left // config.fps))
        if hud != self._hud:
            self._hud = hud
            # Written without the dataclass `Hud`: scores may change with every frame.
            message = {
                "kind": "hud",
                "game_id": config.game_id,
                "phase": hud[0],
                "scores": hud[1],
                "episode": hud[2],
                "countdown": hud[3],
            }
            self._host.post(json.dumps(message))
        if driver.session.phase == "running":
            self._set_phase("playing")
        driver.draw_time.add(time.perf_counter() - started)

    def _stats(self, driver: Driver, config: GameConfig) -> GameStats:
        buffered = {str(peer): count for peer, count in self._net_rows.buffered.items()}
        first_frame_ms = round(self._first_frame_ms, 1)
        return game_stats(config, driver, buffered_amount=buffered, first_frame_ms=first_frame_ms)

    def _post_stats(self, driver: Driver) -> None:
        if self._config is not None:
            self._post(StatsMessage(**fields_of(self._stats(driver, self._config))))

    def _record_net(self, driver: Driver, now: float) -> None:
        buffered = {peer: self._host.buffered(peer) for peer in driver.session.stats.peers}
        driver.recorder.add_net(self._net_rows.take(driver, self._links, buffered, now))

    # The end of a game

    def _report(self, driver: Driver, config: GameConfig, agreed: GameAgreed) -> None:
        self._record_net(driver, time.perf_counter())
        self._cut_batch()
        self._post(
            ReportMessage(
                game_id=config.game_id,
                player_id=config.player_id,
                verdict=agreed.verdict,
                last_frame=agreed.last_frame,
                chain_hash=agreed.chain_hash.hex(),
                reason=agreed.reason,
                delay=driver.session.delay,
                total_scores=driver.game.total_scores,
                seats=tuple((cut.player, cut.last_frame, cut.fate) for cut in driver.session.cuts),
                desyncs=self._desync_log.rows(),
                stats=self._stats(driver, config),
            )
        )
        self._set_phase("ended")

    def _finish(self, driver: Driver) -> None:
        self._finished = True
        self._post_stats(driver)
        self._cut_batch()
        if self._config is not None:
            self._post(SessionClosed(game_id=self._config.game_id))
        gc.collect()

    def _cut_batch(self) -> None:
        cut = None if self._driver is None else self._driver.recorder.cut()
        if cut is not None:
            self._host.upload(cut[0], to_js(cut[1]))

    def _record_event(self, kind: str, **detail: Any) -> None:
        if self._driver is not None:
            row = timestamps(time.perf_counter())
            self._driver.recorder.add_event({**row, "kind": kind, "detail": detail})

    def _set_phase(self, phase: GamePhase) -> None:
        if phase != self._phase and self._config is not None:
            self._phase = phase
            self._post(PhaseChanged(game_id=self._config.game_id, phase=phase))

    def _post(self, message: FromPython) -> None:
        self._host.post(json.dumps(to_json(message)))
