"""One interface for Gymnasium and PettingZoo environments."""

import pytest
import sample_environments
from gymnasium import spaces

from coplay.envs import Environment, load_environment


def test_reset_and_step_are_left_to_the_kinds_of_environments():
    environment = Environment(sample_environments.make_small(), (0,), (spaces.Discrete(2),))
    with pytest.raises(NotImplementedError):
        environment.reset(1)
    with pytest.raises(NotImplementedError):
        environment.step((0,))


def test_roots_are_the_layers_and_the_watched_names():
    environment = load_environment("sample_environments:KeepsStateOutside")
    assert list(environment.roots()) == [
        "env",
        "sample_environments",
        "sample_environments.KeepsStateOutside",
        "live",
    ]
    assert list(load_environment("CartPole-v1").roots()) == ["env", "TimeLimit", "live"]


def test_class_of_the_last_answer_has_the_name_that_checksums_include():
    live = type(load_environment("CartPole-v1").live)
    assert (live.__module__, live.__qualname__) == ("coplay.envs.environment", "LastAnswer")


def test_actions_of_agents_that_left_are_ignored():
    environment = load_environment("sample_environments:Tag")
    environment.reset(1)
    for _ in range(5):
        environment.step((1, 1, 1))
    assert environment.live.present == (True, False, True)
    result = environment.step((1, 4, 1))
    assert result.rewards == (1.0, 0.0, 1.0)
    assert not environment.episode_over
