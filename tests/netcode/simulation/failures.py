"""Saves scenarios that failed: as drawn, and shrunk."""

from pathlib import Path

from tests.netcode.simulation.scenario import Scenario
from tests.netcode.simulation.shrinking import failure, shrink

FOLDER = Path(__file__).resolve().parents[3] / "test-results" / "netcode"


def keep(scenario: Scenario, folder: Path = FOLDER, shrink_s: float = 20.0) -> str:
    """Save a scenario that failed, as drawn and shrunk; return a message with the commands to replay it.

    Args:
        scenario: One that fails.
        folder: Where the files go.
        shrink_s: Limit on the time to shrink it, in seconds; 0 to skip that.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{scenario.kind.replace(' ', '-')}-{scenario.seed}"
    drawn = folder / f"{name}.json"
    drawn.write_text(scenario.to_json() + "\n", encoding="utf-8")
    broken = failure(scenario)
    lines = [f"{scenario.kind}, seed {scenario.seed}: {broken or 'does not fail when it is played again'}"]
    files = [drawn]
    if broken and shrink_s > 0:
        small = folder / f"{name}.small.json"
        small.write_text(shrink(scenario, shrink_s).to_json() + "\n", encoding="utf-8")
        files.append(small)
    lines += [f"    python -m tests.netcode.replay {_shown(path)}" for path in files]
    return "\n".join(lines)


def _shown(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
