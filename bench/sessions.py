"""Measures the netcode alone: the time of a tick in both Pythons, and games over bad networks."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tests.netcode.simulation import Conditions, Script, SimulatedGame, held_keys, unique_inputs

from bench import session_timing
from bench.figures import Figures, Kind, Target
from bench.wasm import in_wasm, members
from coplay.netcode import Stalled

PLAYERS: Final = (2, 4, 8)
SIMULATION: Final = members("tests/netcode/simulation/*.py", "bench/session_timing.py")

MESSAGES = Kind("messages per tick and peer", "", Target("≤", 1.05), "ggrs: 2")
PAYLOAD = Kind("payload of a message, mean", "B", Target("≤", 32.0), "MUG: 58; ggrs: about 65 + 10")
TIMED: Final = {"rtt": 0.1, "loss": 0.05, "fps": 60.0, "seed": 1}

BEGUN_S: Final = 2.0
PLAYED_S: Final = 60.0
INPUTS: Final[dict[str, Callable[[int, tuple[int, ...]], Script]]] = {
    "held keys": held_keys,
    "another input in every frame": unique_inputs,
}


@dataclass(frozen=True, slots=True)
class Weather:
    """A game over a bad network, with the figures that Fortress reaches there."""

    players: int
    rtt: float
    loss: float
    jitter: float
    delay: int | None
    games: int
    rollbacks: str = ""
    depth: str = ""
    stalls: str = ""

    def __str__(self) -> str:
        jitter = f", {1000 * self.jitter:g} ms jitter" if self.jitter else ""
        delay = "auto" if self.delay is None else self.delay
        way = f"{1000 * self.rtt:g} ms RTT, {100 * self.loss:g} % loss{jitter}"
        return f"{self.players} players, {way}, delay {delay}"


FPS: Final = 62.5
WEATHERS: Final = (
    Weather(2, 0.1, 0.05, 0.0, 0, 3, "Fortress: 71", "Fortress: 7", "Fortress: 15"),
    Weather(4, 0.2, 0.15, 0.02, 0, 2, stalls="Fortress: 2,064"),
    Weather(4, 0.2, 0.15, 0.02, None, 2, stalls="Fortress: 2,064"),
)


def measure_sessions(figures: Figures, run: int) -> None:
    """Time ticks in CPython and under Node; in the first run, also play through bad weather."""
    _add_times(figures, "CPython", _here, seconds=15.0)
    with in_wasm("bench.session_timing", SIMULATION) as simulation:
        _add_times(figures, "WebAssembly, Node", lambda order: simulation.ask(**order), seconds=8.0)
    if run == 0:  # these are simulated, so every run gives the same figures
        for weather in WEATHERS:
            _add_weather(figures, weather)


def _here(order: dict[str, Any]) -> dict[str, float]:
    answer: dict[str, float] = json.loads(session_timing.answer(json.dumps(order)))
    return answer


def _add_times(
    figures: Figures, where: str, ask: Callable[[dict[str, Any]], dict[str, float]], seconds: float
) -> None:
    for players in PLAYERS:
        section = f"netcode alone, {where}: {players} players, 60 Hz, 100 ms RTT, 5 % loss"
        took = ask({"players": players, "seconds": seconds, "rounds": 3, **TIMED})
        tail = Target("≤", 1000.0) if where != "CPython" and players == 2 else None
        figures.add(section, Kind("one tick, mean", "µs"), took["mean"])
        figures.add(section, Kind("one tick, p99", "µs", tail), took["p99"])
        figures.add(section, MESSAGES, took["messages"])
        figures.add(section, PAYLOAD if players == 2 else Kind(PAYLOAD.name, "B"), took["payload"])
        payload = took["payload"] * took["messages"] * (players - 1)
        figures.add(section, Kind("payload of a tick, to all others", "B"), payload)


def _add_weather(figures: Figures, weather: Weather) -> None:
    for name, script in INPUTS.items():
        counted, depths, delays = Counter[str](), Counter[int](), set()
        for seed in range(weather.games):
            game = _begun(weather, script, seed)
            before, before_depths = _counts(game)
            game.run(until=BEGUN_S + PLAYED_S)
            after, after_depths = _counts(game)
            counted += after - before
            depths += after_depths - before_depths
            delays |= {peer.session.delay for peer in game.peers.values()}
        minutes = weather.games * weather.players * PLAYED_S / 60
        frames, deep = counted["frame"], sorted(depths.elements())
        for kind, value in (
            (
                Kind("rollbacks per 100 frames", "", None, weather.rollbacks),
                100 * counted["rollbacks"] / frames,
            ),
            (Kind("rollback depth, p50", "frames"), deep[len(deep) // 2]),
            (Kind("rollback depth, p99", "frames", None, weather.depth), deep[int(0.99 * len(deep))]),
            (Kind("waits per minute and peer", "", None, weather.stalls), counted["waits"] / minutes),
            (Kind("stalled frames per minute and peer"), counted["stalled_frames"] / minutes),
            (Kind("frames per second", "", Target("≥", 0.98 * FPS)), frames / minutes / 60),
            (Kind("input delay", "frames"), max(delays)),
        ):
            figures.add(f"{weather}, {FPS:g} Hz, {name}", kind, value)


def _begun(weather: Weather, script: Callable[[int, tuple[int, ...]], Script], seed: int) -> SimulatedGame:
    # The jitter is distributed evenly around the round trip.
    latency = (weather.rtt - weather.jitter) / 2
    game = SimulatedGame(
        owners=tuple(range(weather.players)),
        frames=1 << 30,
        conditions=Conditions(latency=latency, jitter=weather.jitter, loss=weather.loss),
        seed=seed,
        script=script(seed, (1,) * weather.players),
        config={"fps": FPS, "delay": weather.delay},
    )
    return game.run(until=BEGUN_S)


def _counts(game: SimulatedGame) -> tuple[Counter[str], Counter[int]]:
    """Return the event counts and the rollback depths so far, over all peers."""
    counted = Counter(session_timing.totals(game))
    counted["waits"] = sum(len(peer.of(Stalled)) for peer in game.peers.values())
    return counted, sum((peer.depths for peer in game.peers.values()), Counter[int]())
