"""Measures the cost of rollbacks, relative to the environment's steps and snapshots of the same frames."""

import json
import sys
from collections.abc import Callable
from typing import Any, Final

from bench import rollback_timing
from bench.figures import Figures, Kind, Target
from bench.wasm import ROOT, in_wasm, members

VOLLEY: Final = ROOT / "examples" / "volley"
FILES: Final = {
    **members("bench/rollback_timing.py", "bench/late_peer.py", "bench/shared_cartpole.py"),
    "volley_env.py": VOLLEY / "volley_env.py",
}
PACKAGES: Final = ("cogrid==0.3.2",)

DEPTHS: Final = tuple(range(1, 9))
# Name, argument of `load_environment`, ticks, rounds, and the depths in WebAssembly: slow environments get
# fewer.
ENVIRONMENTS: Final = (
    ("Volley", "volley_env:Volley", 200, 2, (1, 2, 4, 8)),
    ("CartPole for two", "bench.shared_cartpole:SharedCartPole", 200, 2, (1, 2, 4, 8)),
    ("cogrid's Overcooked", "cogrid:Overcooked-CrampedRoom-V0", 60, 2, (1, 2, 4, 8)),
)

_Ask = Callable[[dict[str, Any]], dict[str, float]]


def measure_rollbacks(figures: Figures) -> None:
    """Time rollbacks of each depth in both Pythons."""
    sys.path.insert(0, str(VOLLEY))
    try:
        for name, environment, ticks, rounds, _ in ENVIRONMENTS:
            _measure(figures, f"{name} in CPython", _here, (environment, ticks, rounds), DEPTHS)
    finally:
        sys.path.remove(str(VOLLEY))
    with in_wasm(rollback_timing.__name__, FILES, PACKAGES) as simulation:
        for name, environment, ticks, rounds, depths in ENVIRONMENTS:
            where = f"{name} in WebAssembly, Node"
            _measure(
                figures, where, lambda order: simulation.ask(**order), (environment, ticks, rounds), depths
            )


def _here(order: dict[str, Any]) -> dict[str, float]:
    answer: dict[str, float] = json.loads(rollback_timing.answer(json.dumps(order)))
    return answer


def _measure(
    figures: Figures, what: str, ask: _Ask, play: tuple[str, int, int], depths: tuple[int, ...]
) -> None:
    section = f"k frames again, by k × (step + snapshot): {what}"
    environment, ticks, rounds = play
    for depth in depths:
        took = ask({"environment": environment, "depth": depth, "ticks": ticks, "rounds": rounds})
        figures.add(section, Kind(f"k = {depth}", "×", Target("≤", 1.15)), took["ratio"])
        figures.add(section, Kind(f"k = {depth}, by those within the rollback", "×"), took["ratio_again"])
        figures.add(section, Kind(f"k = {depth}, by the load as well", "×"), took["ratio_loaded"])
    figures.add(section, Kind("environment step", "µs"), took["step"])
    figures.add(section, Kind("snapshot", "µs"), took["snapshot"])
    figures.add(section, Kind("load", "µs"), took["load"])
    figures.add(section, Kind("tick without a rollback", "µs"), took["tick"])
    figures.add(section, Kind(f"tick with one of {depth} frames", "µs"), took["rollback"])
