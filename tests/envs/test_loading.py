import sys
from pathlib import Path

import gymnasium as gym
import pytest
import sample_environments
from gymnasium.envs.registration import EnvSpec

from coplay.envs import Environment, load_environment
from coplay.errors import UnusableEnvironmentError


def test_gymnasium_id_is_made_without_per_step_checks():
    environment = load_environment("CartPole-v1")
    assert type(environment.env).__name__ == "TimeLimit"
    assert environment.env.env is environment.unwrapped
    assert environment.agents == (0,)
    assert environment.render_fps == 50


def test_package_id_uses_the_packages_own_make():
    environment = load_environment("cogrid:Overcooked-CrampedRoom-V0")
    assert environment.agents == (0, 1)
    assert [codec.size for codec in environment.codecs] == [1, 1]


@pytest.mark.parametrize(
    "spec",
    [
        "sample_environments:make_small",
        "sample_environments:OddState",
        sample_environments.make_small,
        sample_environments.OddState,
        sample_environments.make_small(),
        gym.spec("CartPole-v1"),
        EnvSpec("Small-v0", entry_point="sample_environments:OddState"),
    ],
    ids=["module:factory", "module:class", "factory", "class", "instance", "registered", "unregistered"],
)
def test_every_way_to_name_an_environment_works(spec):
    environment = load_environment(spec)
    environment.reset(1)
    outcome = environment.step((1,))
    assert len(outcome.rewards) == 1
    assert len(environment.observations) == 1


def test_loaded_environment_is_given_back():
    environment = load_environment("CartPole-v1")
    assert load_environment(environment) is environment


def test_parallel_environment_has_a_player_per_possible_agent():
    environment = load_environment(sample_environments.Tag)
    assert environment.agents == ("red", "green", "blue")
    assert environment.n_players == 3


def test_factory_is_found_in_the_current_folder(tmp_path, monkeypatch):
    (tmp_path / "lonely_study.py").write_text(
        "import gymnasium\ndef make():\n    return gymnasium.make('CartPole-v1')\n"
    )
    monkeypatch.chdir(tmp_path)
    path = list(sys.path)
    assert isinstance(load_environment("lonely_study:make"), Environment)
    assert sys.path == path


def test_text_is_rendered_where_there_is_no_picture():
    environment = load_environment(sample_environments.OddState, render=True)
    environment.reset(1)
    assert environment.render() == "value 0.0"


@pytest.mark.parametrize(
    ("spec", "message", "hint"),
    [
        ("CartPole-v9", "There is no environment CartPole-v9 in Gymnasium's registry.", "CartPole-v1"),
        ("Cartpol-v1", "There is no environment Cartpol-v1", "CartPole-v1"),
        ("no_such_package:X-v0", "There is no module no_such_package.", "pip install no_such_package"),
        ("cogrid:Overcooked-Cramped-V0", "no environment Overcooked-Cramped-V0 in cogrid", "CrampedRoom-V0"),
        ("sample_environments:make_smal", "no environment make_smal in sample_environments", "make_small"),
        ("sample_environments:make_failing", "RuntimeError: the map is missing.", "constructor"),
        ("sample_environments:make_nothing", "neither a gymnasium.Env nor a PettingZoo", "derive"),
        (17, "17 is not an environment.", "Gymnasium id"),
    ],
)
def test_what_cannot_be_loaded_is_said_in_one_sentence(spec, message, hint):
    with pytest.raises(UnusableEnvironmentError) as error:
        load_environment(spec)
    assert message in error.value.message
    assert hint in error.value.hint
    assert "\n" not in error.value.message


def test_nondeterministic_environment_is_refused_with_the_reason():
    spec = EnvSpec("Noisy-v0", entry_point="sample_environments:OddState", nondeterministic=True)
    with pytest.raises(UnusableEnvironmentError, match="nondeterministic"):
        load_environment(spec)


def test_unsupported_action_space_is_refused():
    environment = sample_environments.make_small()
    environment.action_space = gym.spaces.Text(4)
    with pytest.raises(UnusableEnvironmentError, match="Text"):
        load_environment(environment)


def test_missing_dependency_gives_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "mujoco", None)
    with pytest.raises(UnusableEnvironmentError) as error:
        load_environment("Humanoid-v5")
    assert "pip install" in error.value.hint


def test_modules_are_imported_with_the_real_dates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package may bring libraries that build on the classes of `datetime`, as pandas does."""
    (tmp_path / "calendar_env.py").write_text(
        "import datetime, gymnasium\n"
        "EPOCH = datetime.datetime(1970, 1, 1)\n"
        "assert datetime.datetime.__module__ == 'datetime', 'not a stand-in'\n"
        "class Calendar(gymnasium.Env):\n"
        "    action_space = observation_space = gymnasium.spaces.Discrete(2)\n"
        "    def reset(self, *, seed=None, options=None): return 0, {}\n"
        "    def step(self, action): return 0, 0.0, False, False, {}\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    import gymnasium

    gymnasium.register("Calendar-v0", entry_point="calendar_env:Calendar")
    try:
        assert load_environment("Calendar-v0").n_players == 1
    finally:
        gymnasium.registry.pop("Calendar-v0")
