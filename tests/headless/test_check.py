"""Environments that are safe are said to be, and leaks are named, in both Pythons."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from coplay.cli import main
from coplay.errors import StudyError
from coplay.headless.advice import advise
from coplay.runtime import Runtime

GAMES = """
from pathlib import Path

import gymnasium as gym
import numpy as np

import rules

LEVEL = (Path(__file__).parent / "level.json").read_text()


class Game(gym.Env):
    action_space = gym.spaces.Discrete(2)
    observation_space = gym.spaces.Box(0, np.inf, (1,))

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        self.value = 0
        self.numbers = self.make_numbers()
        return np.array([0.0]), {}

    def make_numbers(self):
        return None

    def step(self, action):
        print("step")
        self.value = self.changed() % rules.MODULUS
        return np.array([self.value]), 0.0, False, False, {}


class Address(Game):
    def changed(self):
        return id(self)


class Iterator(Game):
    def make_numbers(self):
        return iter(range(1000))

    def changed(self):
        return next(self.numbers)
"""


@pytest.fixture
def games(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "leaky_games.py").write_text(GAMES)
    (tmp_path / "rules.py").write_text("MODULUS = 1 << 62\n")
    (tmp_path / "level.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["check", *arguments])


def test_cart_pole_is_safe(runtime: Runtime, tmp_path: Path) -> None:
    words = ["-W", "error", "-m", "coplay", "check", "CartPole-v1", "--frames", "90", "--json"]
    answer = subprocess.run(
        [sys.executable, *words], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert answer.returncode == 0, answer.stderr
    found = json.loads(answer.stdout)
    assert {"environment", "safe", "reasons", "cpython", "wasm", "agree"} < set(found)
    assert (found["environment"], found["safe"], found["reasons"]) == ("CartPole-v1", True, [])
    assert found["agree"] is (found["disagree_at"] is None)
    if found["agree"]:
        assert found["cpython"]["final_checksum"] == found["wasm"]["final_checksum"]
    pinned = runtime.lock.document["pyodide"]["python"].rpartition(".")[0]
    assert found["wasm"]["python"].startswith(pinned + ".")
    for report in (found["cpython"], found["wasm"]):
        assert report["deterministic"]
        assert report["resimulated"] > 3 * report["frames"] > 60
        assert 0 < report["snapshot_us"] < 10_000
        assert 0 < report["checksum_us"] < 10_000
    assert found["max_fps"] >= found["fps"] > 0


@pytest.mark.usefixtures("runtime", "games")
def test_leak_is_named_in_both_and_own_files_come_along() -> None:
    answer = check("leaky_games:Iterator", "--frames", "12")
    assert answer.exit_code == 1
    assert answer.stdout.startswith("coplay: leaky_games:Iterator is not safe for peer-to-peer play\n")
    for where in ("CPython", "WebAssembly"):
        assert f"In {where} the state before frame " in answer.stdout
        assert f"In {where} parts of the state cannot be saved" in answer.stdout
    assert "env.value" in answer.stdout
    assert "env.numbers (builtins.range_iterator)" in answer.stdout
    assert "step\n" not in answer.stdout


@pytest.mark.usefixtures("games")
def test_dependence_on_addresses_is_found_without_node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coplay.headless.check.find_node", lambda: None)
    answer = check("leaky_games:Address", "--frames", "12", "--json")
    found = json.loads(answer.stdout)
    assert answer.exit_code == 1
    assert found["cpython"]["deterministic"]
    assert len(found["reasons"]) == 1
    assert "before frame 1: something depends on where objects lie in memory (id()" in found["reasons"][0]
    assert "no Node" in found["wasm"]["error"]
    assert found["agree"] is None


def test_package_that_no_browser_runs_makes_it_unsafe(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(packages: list[str], **_: object) -> Runtime:
        raise StudyError(f"{packages} cannot be had", "Use another.")

    monkeypatch.setattr("coplay.headless.check.find_node", lambda: Path("node"))
    monkeypatch.setattr("coplay.headless.check.ensure_runtime", refuse)
    answer = check("cogrid:Overcooked-CrampedRoom-V0", "--frames", "6")
    assert answer.exit_code == 1
    assert "It does not run in the browsers' Python: ['cogrid==" in answer.stdout


@pytest.mark.parametrize("name", ["CartPool-v1", "no_such_module:make"])
def test_environment_that_is_not_there_is_refused(name: str) -> None:
    answer = check(name)
    assert answer.exit_code == 2
    assert answer.stdout == ""
    assert name.partition(":")[0] in answer.stderr
    assert "  hint: " in answer.stderr


def test_costs_decide_rate_and_delay() -> None:
    cheap = advise({"step_us": 50, "snapshot_us": 30, "render_fps": 50.0})
    assert (cheap.max_fps, cheap.fps, cheap.delays) == (60, 50.0, {50: 0, 100: 1, 200: 3})
    dear = advise({"step_us": 9_000, "snapshot_us": 1_000, "render_fps": 30.0})
    # At 30 a second, 50 ms are two frames, and simulating them again takes more than half of a frame's 33 ms.
    assert (dear.max_fps, dear.fps) == (25, 25)
    hopeless = advise({"step_us": 2e6, "snapshot_us": 0.0, "render_fps": None})
    assert (hopeless.max_fps, hopeless.fps, hopeless.delays) == (0, 0, {})
