"""The environment that `coplay new` begins with."""

from meet_env import Meet
from pettingzoo.test import parallel_api_test

from coplay.envs import check_environment, load_environment


def test_starter_environment_keeps_the_interface() -> None:
    parallel_api_test(Meet(), num_cycles=200)


def test_starter_environment_rolls_back_exactly() -> None:
    report = check_environment(load_environment(Meet), frames=120)
    assert report.deterministic, report.first_difference


def test_starter_pays_both_for_meeting_on_the_star() -> None:
    env = Meet()
    env.reset(seed=1)
    env.places = [env.star, env.star]
    _, rewards, *_ = env.step({"first": 0, "second": 0})
    assert rewards == {"first": 1.0, "second": 1.0}
    assert env.score == 1
