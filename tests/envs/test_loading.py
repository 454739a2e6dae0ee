import sys
from pathlib import Path

import gymnasium as gym
import loading_samples
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
    result = environment.step((1,))
    assert len(result.rewards) == 1
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


@pytest.mark.parametrize(
    ("spec", "message", "hint"),
    [
        ("loading_samples:copies", "is a vector environment", "it holds copies of"),
        ("loading_samples:TakingTurns", "is a turn-based (AEC) environment", "aec_to_parallel"),
        ("loading_samples:Deserted", "Deserted has no possible agents.", "possible_agents"),
        ("loading_samples:make_without_dependency", "No module named 'cv2'", "pip install opencv-python"),
        ("loading_samples:make_saying_nothing", "failed with RuntimeError.", "constructor"),
        ("loading_samples:make_unusable", "There is no environment CartPole-v9", "CartPole-v1"),
        ("loading_samples:Sidde", "no environment Sidde in loading_samples", "Sided"),
        ("package_with_make:Sided-v2", "no environment Sided-v2 in package_with_make", "Sided-v0"),
        ("package_with_make:broken", "Creating package_with_make:broken failed with OSError: no level", ""),
        ("package_with_make:strange", "failed with ValueError: the size must be odd.", "constructor"),
    ],
)
def test_what_cannot_be_played_is_refused_with_the_reason(spec, message, hint):
    with pytest.raises(UnusableEnvironmentError) as error:
        load_environment(spec)
    assert message in error.value.message
    assert hint in error.value.hint


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import no_such_dependency", "needs no_such_dependency, which is missing."),
        ("raise OSError('no level file')", "failed with OSError: no level file."),
    ],
)
def test_module_that_cannot_be_imported_says_why(text, message, tmp_path, monkeypatch):
    name = f"module_of_{text.split()[0]}"
    (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UnusableEnvironmentError) as error:
        load_environment(f"{name}:make")
    assert message in error.value.message


@pytest.mark.parametrize(
    ("spec", "picture"),
    [
        ("loading_samples:Sided", "picture rgb_array"),
        ("loading_samples:make_with_drawing", "picture rgb_array"),
        ("package_with_make:Sided-v0", "picture rgb_array"),
        (EnvSpec("Sided-v0", entry_point="loading_samples:Sided"), "picture rgb_array"),
        (EnvSpec("Sided-v0", entry_point=lambda **kwargs: loading_samples.Sided(**kwargs)), "picture None"),
    ],
    ids=["class", "factory", "package's make", "registered", "registered without metadata"],
)
def test_render_mode_for_pictures_is_asked_for_if_there_is_one(spec, picture):
    assert load_environment(spec, render=True).render() == picture


def test_environment_whose_class_cannot_be_imported_says_so_once():
    spec = EnvSpec("Lost-v0", entry_point="no_such_module:Lost")
    with pytest.raises(UnusableEnvironmentError, match="no_such_module"):
        load_environment(spec, render=True)


def test_factory_without_a_readable_signature_is_called_without_a_render_mode():
    class Factory:
        __name__ = "factory"
        __signature__ = "none"

        def __call__(self):
            return loading_samples.Sided()

    assert load_environment(Factory(), render=True).render() == "picture None"


def test_id_of_a_package_is_found_in_gymnasiums_registry():
    gym.register("Sided-v7", entry_point="loading_samples:Sided")
    try:
        assert load_environment("loading_samples:Sided-v7").render() == "picture None"
    finally:
        gym.registry.pop("Sided-v7")
