import pytest
from sample_environments import (
    CountsOutOfReach,
    DrawsEverywhere,
    HoldsIterator,
    IteratesOverSet,
    KeepsStateOutside,
    OddState,
    OwnsUnseededGenerators,
    Tag,
)

from coplay.envs import check_environment, load_environment


@pytest.mark.parametrize(
    "spec",
    [
        "CartPole-v1",
        "Taxi-v4",
        "Pendulum-v1",
        "cogrid:Overcooked-CrampedRoom-V0",
        Tag,
        OddState,
        DrawsEverywhere,
        IteratesOverSet,
        OwnsUnseededGenerators,
        KeepsStateOutside,
    ],
    ids=str,
)
def test_deterministic_environment_passes(spec):
    report = check_environment(load_environment(spec), frames=45)
    assert report.deterministic, report
    assert report.resimulated > 4 * 30


def test_iterator_in_the_state_is_named():
    report = check_environment(load_environment(HoldsIterator), frames=20)
    assert not report.deterministic
    assert report.unwalkable == ["env.numbers (builtins.range_iterator)"]
    assert "env.value" in report.differing


def test_state_out_of_reach_is_named_by_what_it_changed():
    report = check_environment(load_environment(CountsOutOfReach), frames=20)
    assert not report.deterministic
    assert report.first_difference is not None
    assert "env.value" in report.differing


def test_report_is_the_same_twice():
    reports = [check_environment(load_environment("Acrobot-v1"), frames=30) for _ in range(2)]
    assert reports[0] == reports[1]
