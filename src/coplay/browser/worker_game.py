"""One game of the worker: connects a driver to the page, and records what the server stores."""

import gc
import json
import math
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from coplay.browser.driver import Datagram, Driver
from coplay.browser.measuring.event_rows import DesyncLog, event_detail, timestamps
from coplay.browser.measuring.game_stats import game_stats
from coplay.browser.measuring.net_rows import NetRows
from coplay.browser.session_setup import PreparedScene, link_epoch, make_driver
from coplay.messages.encoding import fields_of, to_json
from coplay.messages.from_python import (
    FromPython,
    GamePhase,
    PeerPresence,
    PhaseChanged,
    ReportMessage,
    SessionClosed,
    StatsMessage,
    WorkerFault,
)
from coplay.messages.game import GameConfig, GameStats, PathFigures
from coplay.netcode import Event, GameAgreed, HelloMismatch, PeerBack, PeerSuspected, Stalled

IDLE_S = 3600.0
_BATCH_INTERVAL_S = 1.0
_STATS_INTERVAL_S = 0.2
_LEAST_SLACK_S = 0.006


class WorkerGame:
    """One game, from its configuration to its report.

    Args:
        prepared: The scene.
        config: The game, as the server configured it.
        links: How each peer is reached now: `direct`, `turn` or `relay`; the caller keeps it up to date.
        host: The JavaScript object described in `coplay.browser.worker`.
        to_js: Converts bytes for JavaScript.

    Attributes:
        driver: Plays the game.
        desync_log: The differing states that were found.
    """

    def __init__(
        self,
        prepared: PreparedScene,
        config: GameConfig,
        links: Mapping[int, str],
        host: Any,
        to_js: Callable[[bytes], Any],
    ) -> None:
        now = time.perf_counter()
        self._config = config
        self._host = host
        self._to_js = to_js
        self._view = prepared.view
        self._incarnations = {int(player): count for player, count in config.incarnations.items()}
        self._links = links
        self._phase: GamePhase | None = None
        self._hud: tuple[Any, ...] = ()
        self._finished = False
        self._started, self._first_frame_ms = now, 0.0
        self._next_batch, self._next_stats = now + _BATCH_INTERVAL_S, now
        self._net_rows = NetRows()
        self.desync_log = DesyncLog()
        # A weak reference, so that no cycle keeps the states of a finished game: full collections are rare.
        self.driver: Driver = make_driver(prepared, config, weakref.proxy(self), now)
        self._set_phase("connecting")

    # Calls from the worker

    def press(self, held: list[str]) -> None:
        """Process the names of the held keys, in the order of their presses."""
        controls = self.driver.controls.get(self._config.player_id)
        if controls is not None:
            controls.press(held)

    def peer_left(self, peer: int) -> None:
        """Handle that a peer left for good, according to the server."""
        self.driver.session.peer_left(peer, time.perf_counter())

    def peer_returned(self, peer: int, incarnation: int) -> None:
        """Handle that a new page holds a peer's seat, according to the server.

        Args:
            peer: The player whose seat it is.
            incarnation: How many pages held the seat before.
        """
        self._incarnations[peer] = incarnation
        epoch = link_epoch(self._incarnations, self._config.player_id, peer)
        self.driver.session.peer_returned(peer, epoch, time.perf_counter())

    def path(self, peer: int, figures: PathFigures) -> None:
        """Record the browser's figures of the path to a peer."""
        self._net_rows.note_path(peer, figures, time.perf_counter())

    def record_event(self, kind: str, **detail: Any) -> None:
        """Record a row of the `events` table."""
        self.driver.recorder.add_event({**timestamps(time.perf_counter()), "kind": kind, "detail": detail})

    def eager(self) -> bool:
        """Return True if a datagram should be answered immediately instead of at the next frame."""
        return self.driver.session.phase != "running"

    def tick(self, now: float, datagrams: Sequence[Datagram]) -> float:
        """Do all work that is due.

        Args:
            now: Monotonic seconds.
            datagrams: All datagrams since the last call: (peer, bytes, arrival in seconds of the same clock).

        Returns:
            When to call again at the latest, on the same clock.
        """
        driver = self.driver
        changed, corrected = driver.tick(now, datagrams)
        if changed:
            if not self._first_frame_ms:
                self._first_frame_ms = 1000 * (time.perf_counter() - self._started)
            self._draw(corrected)
        if now >= self._next_stats:
            self._next_stats = now + _STATS_INTERVAL_S
            self._post_stats()
        if now >= self._next_batch:
            self._next_batch = now + _BATCH_INTERVAL_S
            self._record_net(now)
            self.upload_batch()
        deadline = driver.session.next_deadline()
        if deadline == math.inf:
            # No peer needs this one any more. One that missed the last datagrams and asks again is answered.
            if not self._finished:
                self._finish()
            return now + IDLE_S
        if deadline - time.perf_counter() > _LEAST_SLACK_S:
            # Collect only in spare time: automatic collection is off, as it would delay a frame.
            gc.collect(0)
        return deadline

    def upload_batch(self) -> None:
        """Upload what was recorded since the last batch."""
        cut = self.driver.recorder.cut()
        if cut is not None:
            self._host.upload(cut[0], self._to_js(cut[1]))

    # Calls from the driver

    def send(self, peer: int, data: bytes) -> None:
        """Send one datagram over the link to `peer`."""
        self._host.send(peer, self._to_js(data))

    def happened(self, event: Event) -> None:
        """Record an event of the session, and post it to the page if the page shows it."""
        match event:
            case GameAgreed():
                self._report(event)
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
                self._post(PeerPresence(game_id=self._config.game_id, peer=event.peer, present=present))
                self.record_event("peer_back" if present else "peer_suspected", peer=event.peer)
            case Stalled():
                pass  # counted in the `net` table
            case _:
                self.desync_log.take(event, self.driver.session.published_frame)
                self.record_event(type(event).__name__, **event_detail(event))

    # Pictures and figures

    def _draw(self, corrected: bool) -> None:
        driver, config = self.driver, self._config
        game = driver.game
        started = time.perf_counter()
        self._view.show(self._host, corrected, driver.session.current_frame)
        hud = (game.phase, game.scores, game.episode, -(-game.countdown_left // config.fps))
        if hud != self._hud:
            self._hud = hud
            # Built without the dataclass `Hud`, for speed: scores may change with every frame.
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

    def _stats(self) -> GameStats:
        buffered = {str(peer): count for peer, count in self._net_rows.buffered.items()}
        first_frame_ms = round(self._first_frame_ms, 1)
        return game_stats(self._config, self.driver, buffered_amount=buffered, first_frame_ms=first_frame_ms)

    def _post_stats(self) -> None:
        self._post(StatsMessage(**fields_of(self._stats())))

    def _record_net(self, now: float) -> None:
        driver = self.driver
        buffered = {peer: self._host.buffered(peer) for peer in driver.session.stats.peers}
        driver.recorder.add_net(self._net_rows.take(driver, self._links, buffered, now))

    # The end

    def _report(self, agreed: GameAgreed) -> None:
        driver, config = self.driver, self._config
        self._record_net(time.perf_counter())
        self.upload_batch()
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
                desyncs=self.desync_log.rows(),
                stats=self._stats(),
            )
        )
        self._set_phase("ended")

    def _finish(self) -> None:
        self._finished = True
        self._post_stats()
        self.upload_batch()
        self._post(SessionClosed(game_id=self._config.game_id))
        gc.collect()

    def _set_phase(self, phase: GamePhase) -> None:
        if phase != self._phase:
            self._phase = phase
            self._post(PhaseChanged(game_id=self._config.game_id, phase=phase))

    def _post(self, message: FromPython) -> None:
        self._host.post(json.dumps(to_json(message)))
