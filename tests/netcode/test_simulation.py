"""The simulated network does what scenarios say, and failing scenarios can be saved and shrunk."""

import re
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from tests.netcode.simulation import BrokenInvariantError, Conditions, SimulatedGame
from tests.netcode.simulation.drawing import KINDS, draw
from tests.netcode.simulation.failures import keep
from tests.netcode.simulation.network import OVERHEAD, Direction
from tests.netcode.simulation.playing import play
from tests.netcode.simulation.scenario import ClockJump, Corruption, Partition, Scenario, Word
from tests.netcode.simulation.shrinking import failure, shrink

from coplay.errors import SessionMisuseError

HERE = Path(__file__).parent


def arrivals(conditions: Conditions, count: int, every: float = 0.01, size: int = 7) -> list[float]:
    """Return when the datagrams of a steady stream arrive."""
    direction = Direction(conditions, Random(1))
    return [at for number in range(count) for at in direction.arrivals(number * every, size)]


def test_loss_and_duplicates_have_their_share() -> None:
    assert len(arrivals(Conditions(loss=0.25), 4000)) == pytest.approx(3000, rel=0.05)
    assert len(arrivals(Conditions(duplicate=0.25), 4000)) == pytest.approx(5000, rel=0.05)


def test_bursts_lose_in_a_row() -> None:
    conditions = Conditions(latency=0.0, burst_begin=0.02, burst_end=0.1)
    arrived = arrivals(conditions, 20_000)
    gaps = [round((later - sooner) / 0.01) - 1 for sooner, later in pairwise(arrived)]
    bursts = [gap for gap in gaps if gap]
    assert sum(bursts) / len(bursts) == pytest.approx(11, rel=0.25)


def test_rate_limit_spreads_a_burst_and_its_queue_drops_the_rest() -> None:
    size = 1000 - OVERHEAD
    conditions = Conditions(latency=0.0, rate=10_000, queue=5_000)
    assert arrivals(conditions, 10, every=0.0, size=size) == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5])


def test_partition_blocks_both_directions_or_one() -> None:
    for one_way in (False, True):
        game = SimulatedGame()
        game.network.part(1.0, 2.0, (0,), (1,), one_way=one_way)
        assert game.network.direction(0, 1).arrivals(1.5, 9) == ()
        assert bool(game.network.direction(1, 0).arrivals(1.5, 9)) == one_way
        assert game.network.direction(0, 1).arrivals(2.0, 9)


@pytest.mark.parametrize("kind", KINDS)
def test_scenario_comes_back_from_its_file_and_from_its_seed(kind: str) -> None:
    for seed in range(5):
        scenario = draw(seed, kind)
        assert Scenario.from_json(scenario.to_json()) == scenario == draw(seed, kind)
        assert scenario.kind == kind


def test_same_scenario_is_the_same_game() -> None:
    scenario = draw(3, "everything")
    assert play(scenario) == play(scenario)


def test_failing_scenario_is_shrunk_and_saved(tmp_path: Path) -> None:
    """One of four faults matters."""
    faults = (
        Partition(0.5, 0.8, (0,), (1,)),
        ClockJump(1, 1.0, 60.0),
        Corruption(2, 40),
        Corruption(3, 41),
    )
    scenario = draw(2, "calm").but(owners=(0, 1, 2, 3), sizes=(1, 1, 1, 1), chance_end=False, faults=faults)

    def fails(played: Scenario) -> str:
        return "corrupt" if any(fault.frame == 40 for fault in played.of(Corruption)) else ""

    small = shrink(scenario, 10.0, fails)
    assert (small.peers, len(small.faults), small.links) == (1, 1, ())
    with pytest.raises(SessionMisuseError):
        play(scenario.but(fps=0.0))
    assert failure(scenario.but(fps=0.0)) == "SessionMisuseError in __post_init__"
    told = keep(scenario.but(fps=0.0), tmp_path, shrink_s=0.2)
    saved = sorted(path.name for path in tmp_path.iterdir())
    assert saved == ["calm-2.json", "calm-2.small.json"]
    assert "python -m tests.netcode.replay" in told


def test_broken_invariant_is_detected() -> None:
    """A netcode that breaks an invariant is detected: here one that confirms what it did not step."""
    game = SimulatedGame(frames=60)
    game.run(until=0.5)
    peer = game.peers[0]
    peer.stepped = dict.fromkeys(peer.stepped, ((b"x", b"x"), 3))
    with pytest.raises(BrokenInvariantError, match="confirms what was stepped last"):
        game.run()


def test_false_report_of_a_leave_is_checked_for_a_forked_log() -> None:
    play(Scenario(owners=(0, 1, 2), sizes=(1, 1, 1), faults=(Word(0, 1.0, 2),)))


def test_every_case_of_the_readme_is_a_test() -> None:
    text = (HERE / "simulation" / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_\w+)`", text))
    written = "\n".join(path.read_text(encoding="utf-8") for path in HERE.rglob("test_*.py"))
    assert len(named) > 20
    assert [name for name in sorted(named) if f"def {name}(" not in written] == []
    assert [number for number in range(1, 15) if f"\n| {number}. " not in text] == []
