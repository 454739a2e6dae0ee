"""Scenarios that once failed, shrunk; the name of each file says what was wrong.

`python -m tests.netcode.replay tests/netcode/found/FILE --events` shows one at length.
"""

from pathlib import Path

import pytest
from tests.netcode.simulation.playing import play
from tests.netcode.simulation.scenario import Scenario

FILES = sorted((Path(__file__).parent / "found").glob("*.json"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_scenario_that_failed_once_holds(path: Path) -> None:
    play(Scenario.from_json(path.read_text(encoding="utf-8")))
