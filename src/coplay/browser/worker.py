"""The glue between the page's worker and the driver; the only module that imports `js` and `pyodide`.

TypeScript calls the methods of `Worker`; `Worker` answers through the `host` object it was created with:
`host.post(kind, json)`, `host.draw(...)`, `host.send(peer, bytes)`, `host.upload(number, bytes)`,
`host.buffered(peer)`.
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
from coplay.browser.measuring.figures import Desyncs, NetRows, PathFigures, details, live_figures, moment
from coplay.browser.session_setup import PreparedScene, link_epoch, make_driver, prepare_scene
from coplay.browser.spectating.spectator import Spectator
from coplay.browser.view import View
from coplay.envs import wasm_stubs
from coplay.errors import StudyError
from coplay.netcode import Event, GameAgreed, HelloMismatch, PeerBack, PeerSuspected, Stalled
from coplay.study import Study
from coplay.study.scenes import Play

_BATCH_SECONDS = 1.0
_STATS_SECONDS = 0.2
_IDLE_SECONDS = 3600.0


def create(host: Any, module: str) -> "Worker":
    """Make the worker's Python side; called once, after boot.

    Args:
        host: The JavaScript object described in this module's header.
        module: The module of the study file.
    """
    wasm_stubs.install()  # before the study imports its environment
    return Worker(host, importlib.import_module(module).study)


class Worker:
    """One participant's simulation process, over all the games that they play.

    Args:
        host: The JavaScript object described in this module's header.
        study: The study whose scenes are played.
    """

    def __init__(self, host: Any, study: Study) -> None:
        self._host = host
        self._study = study
        self._stage: PreparedScene | None = None
        self._view: View | None = None  # of the game that runs; the next scene's stage may be ready by then
        self._driver: Driver | None = None
        self._spectator: Spectator | None = None  # instead of a driver, on the page of one who looks on
        self._config: dict[str, Any] = {}
        self._next_batch = 0.0
        self._next_stats = 0.0
        self._phase = ""
        self._hud: tuple[Any, ...] = ()
        self._started = 0.0
        self._first_frame_ms = 0.0
        self._net_rows, self._desyncs = NetRows(), Desyncs()
        self._links: dict[int, str] = {}  # peer -> direct, turn or relay
        self._finished = False
        # Collections happen in the slack after a tick, never inside one.
        gc.disable()

    # The page's calls

    def prepare(self, scene_index: int) -> PreparedScene:
        """Make a play scene's environment ready before its game is known."""
        stage = self._stage
        if stage is None or stage.scene_index != scene_index:
            scene = self._study.scenes[scene_index]
            if not isinstance(scene, Play):
                raise StudyError(f"Scene {scene_index} of the study is no play scene.")
            self._stage = stage = prepare_scene(scene_index, scene)
            gc.collect()
            gc.freeze()
            self._post("prepared", scene_index=scene_index, step_cost_ms=round(1000 * stage.step_cost, 3))
        return stage

    def start(self, config_json: str) -> None:
        """Begin the game that the server described."""
        config = json.loads(config_json)
        stage = self.prepare(config["scene_index"])
        now = time.perf_counter()
        self._config, self._finished = config, False
        self._hud, self._phase = (), ""
        self._started, self._first_frame_ms = now, 0.0
        self._next_batch, self._next_stats = now + _BATCH_SECONDS, now
        self._net_rows, self._desyncs = NetRows(), Desyncs()
        self._view = stage.view
        self._driver = make_driver(stage, config, self, now)
        self._set_phase("connecting")

    def watch(self, config_json: str) -> None:
        """Look on at a game of others, which the server described."""
        config = json.loads(config_json)
        self._spectator = Spectator(self.prepare(config["scene_index"]), config, self._host)

    def frames(self, first: int, data: Any) -> None:
        """Take confirmed frames of the game that is watched."""
        if self._spectator is not None:
            self._spectator.add(first, data.to_bytes())

    def keys(self, held_json: str) -> None:
        """Take the names of the keys that are held now, in the order of their presses."""
        controls = self._controls
        if controls is not None:
            controls.press(json.loads(held_json))

    def peer_left(self, peer: int) -> None:
        """The server says that `peer` will not come back."""
        if self._driver is not None:
            self._driver.session.peer_left(peer, time.perf_counter())

    def peer_returned(self, peer: int, incarnation: int) -> None:
        """The server says that the page of `peer` was loaded anew, for the `incarnation`-th time."""
        if self._driver is None:
            return
        incarnations = {int(player): count for player, count in self._config["incarnations"].items()}
        self._config["incarnations"][str(peer)] = incarnations[peer] = incarnation
        epoch = link_epoch(incarnations, self._config["player_id"], peer)
        self._driver.session.peer_returned(peer, epoch, time.perf_counter())

    def channel_state(self, peer: int, is_open: bool) -> None:
        """A link opened or closed."""
        self._record_event("link_open" if is_open else "link_closed", peer=peer)

    def link(self, peer: int, kind: str) -> None:
        """How the link to `peer` goes by now: `direct`, `turn` or `relay`; empty if not at all."""
        if self._links.get(peer, "") != kind:
            self._links[peer] = kind
            if kind:
                self._record_event("link_changed", peer=peer, link=kind)

    def path(self, peer: int, figures_json: str) -> None:
        """The page asked its browser about the path to `peer`."""
        self._net_rows.note_path(peer, PathFigures(**json.loads(figures_json)), time.perf_counter())

    def visibility(self, hidden: bool) -> None:
        """The participant's page was hidden or shown."""
        self._record_event("hidden" if hidden else "shown")

    def eager(self) -> bool:
        """Whether a datagram should be answered at once instead of at the next frame."""
        return self._driver is not None and self._driver.session.phase != "running"

    def stop(self) -> None:
        """Forget the game; what was not uploaded yet goes out first."""
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
            return now + _IDLE_SECONDS
        datagrams = [(item[0], item[1].to_bytes(), item[2]) for item in arrived] if arrived else ()
        changed, corrected = driver.tick(now, datagrams)
        session = driver.session
        if changed:
            if not self._first_frame_ms:
                self._first_frame_ms = 1000 * (time.perf_counter() - self._started)
            self._draw(driver, view, corrected)
        if now >= self._next_stats:
            self._next_stats = now + _STATS_SECONDS
            self._post("stats", **self._figures(driver))
        if now >= self._next_batch:
            self._next_batch = now + _BATCH_SECONDS
            self._add_net(driver, now)
            self._cut_batch()
        deadline = session.next_deadline()
        if deadline == math.inf:
            # The others have all they need of us, as far as we know. One who asks again is still answered.
            if not self._finished:
                self._finish(driver)
            return now + _IDLE_SECONDS
        if deadline - time.perf_counter() > 0.006:
            gc.collect(0)
        return deadline

    # What the driver asks of its host

    def send(self, peer: int, data: bytes) -> None:
        """Give one datagram to the link to `peer`."""
        self._host.send(peer, to_js(data))

    def happened(self, event: Event) -> None:
        """Tell the page, and keep for the record, what the session reports."""
        driver = self._driver
        if driver is None:
            return
        match event:
            case GameAgreed():
                self._agree(driver, event)
            case HelloMismatch():
                self._post(
                    "error",
                    error=f"The players' programs differ ({event.field}), so this game cannot start.",
                    hint="Reload the page; if it comes back, tell the researcher.",
                    detail=repr(event),
                )
            case PeerSuspected() | PeerBack():
                self._post("partner", peer=event.peer, present=isinstance(event, PeerBack))
                self._record_event(
                    "peer_back" if isinstance(event, PeerBack) else "peer_suspected", peer=event.peer
                )
            case Stalled():
                pass  # counted in the figures of each second
            case _:
                self._desyncs.take(event, driver.session.published_frame)
                self._record_event(type(event).__name__, **details(event))

    # Drawing and figures

    @property
    def _controls(self) -> Controls | None:
        return None if self._driver is None else self._driver.controls.get(self._config["player_id"])

    def _draw(self, driver: Driver, view: View, corrected: bool) -> None:
        game = driver.game
        started = time.perf_counter()
        view.show(self._host, corrected, driver.session.current_frame)
        fps = self._config["fps"]
        hud = (game.phase, game.scores, game.episode, -(-game.countdown_left // fps))
        if hud != self._hud:
            self._hud = hud
            self._post("hud", phase=hud[0], scores=hud[1], episode=hud[2], countdown=hud[3])
        if driver.session.phase == "running":
            self._set_phase("playing")
        driver.draw_time.add(time.perf_counter() - started)

    def _figures(self, driver: Driver) -> dict[str, Any]:
        figures = live_figures(self._config, driver)
        figures["buffered_amount"] = {str(peer): count for peer, count in self._net_rows.buffered.items()}
        return {**figures, "first_frame_ms": round(self._first_frame_ms, 1)}

    def _add_net(self, driver: Driver, now: float) -> None:
        buffered = {peer: self._host.buffered(peer) for peer in driver.session.stats.peers}
        driver.recorder.add_net(self._net_rows.take(driver, self._links, buffered, now))

    # The end of a game

    def _agree(self, driver: Driver, agreed: GameAgreed) -> None:
        self._add_net(driver, time.perf_counter())
        self._cut_batch()
        self._post(
            "report",
            player_id=self._config["player_id"],
            verdict=agreed.verdict,
            last_frame=agreed.last_frame,
            chain_hash=agreed.chain_hash.hex(),
            reason=agreed.reason,
            delay=driver.session.delay,
            total_scores=driver.game.total_scores,
            seats=[[cut.player, cut.last_frame, cut.fate] for cut in driver.session.cuts],
            desyncs=self._desyncs.rows(),
            stats=self._figures(driver),
        )
        self._set_phase("ended")

    def _finish(self, driver: Driver) -> None:
        self._finished = True
        self._post("stats", **self._figures(driver))
        self._cut_batch()
        self._post("closed", game_id=self._config["game_id"])
        gc.collect()

    def _cut_batch(self) -> None:
        cut = None if self._driver is None else self._driver.recorder.cut()
        if cut is not None:
            self._host.upload(cut[0], to_js(cut[1]))

    def _record_event(self, kind: str, **detail: Any) -> None:
        if self._driver is not None:
            row = moment(time.perf_counter())
            self._driver.recorder.add_event({**row, "kind": kind, "detail": detail})

    def _set_phase(self, phase: str) -> None:
        if phase != self._phase:
            self._phase = phase
            self._post("phase", phase=phase)

    def _post(self, kind: str, **payload: Any) -> None:
        self._host.post(kind, json.dumps(payload))
