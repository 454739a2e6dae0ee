"""Environments that are safe are said to be, and leaks are named, in both Pythons."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from coplay.cli import main
from coplay.errors import RuntimeUnavailableError, StudyError
from coplay.runtime import Runtime

SAMPLES = Path(__file__).parent / "samples"


@pytest.fixture
def samples(monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(SAMPLES)
    return SAMPLES


@pytest.fixture
def no_node(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where CPython alone tells, WebAssembly need not be tried."""
    monkeypatch.setattr("coplay.check.in_wasm.find_node", lambda: None)


def check(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["check", *arguments])


def found(name: str, frames: int = 24) -> tuple[int, dict[str, Any], dict[str, dict[str, Any]]]:
    """The exit code, the whole answer, and its findings by kind."""
    answer = check(name, "--frames", str(frames), "--json")
    assert answer.exit_code in (0, 1), answer.stderr
    told = json.loads(answer.stdout)
    return answer.exit_code, told, {finding["kind"]: finding for finding in told["findings"]}


def test_cart_pole_is_safe(runtime: Runtime, tmp_path: Path) -> None:
    words = ["-W", "error", "-m", "coplay", "check", "CartPole-v1", "--frames", "90", "--json"]
    answer = subprocess.run(
        [sys.executable, *words], cwd=tmp_path, capture_output=True, text=True, timeout=100
    )
    assert answer.returncode == 0, answer.stderr
    told = json.loads(answer.stdout)
    assert {"environment", "safe", "reasons", "cpython", "wasm", "agree"} < set(told)
    assert (told["environment"], told["safe"], told["reasons"]) == ("CartPole-v1", True, [])
    assert told["agree"] is (told["disagree_at"] is None)
    if told["agree"]:
        assert told["cpython"]["final_checksum"] == told["wasm"]["final_checksum"]
    pinned = runtime.lock.document["pyodide"]["python"].rpartition(".")[0]
    assert told["wasm"]["python"].startswith(pinned + ".")
    for report in (told["cpython"], told["wasm"]):
        assert report["deterministic"]
        assert report["distances"] == {str(distance): 90 for distance in range(1, 9)}
        assert report["resimulated"] == sum(90 * d - d * (d - 1) for d in range(1, 9))
        assert report["deepcopy_us"] > 0
        assert 0 < report["snapshot_us"] < 10_000
        assert 0 < report["checksum_us"] < 10_000
    assert told["max_fps"] >= told["fps"] > 0


TAMED = {
    "UnseededGenerator": "unseeded",
    "PythonRandom": "random",
    "NumpyRandom": "numpy.random",
    "Clock": "clock",
    "ClassAttribute": "outside",
    "StringSet": "hashes",
}


@pytest.mark.usefixtures("samples", "no_node")
@pytest.mark.parametrize(("name", "kind"), TAMED.items())
def test_what_is_tamed_is_told(name: str, kind: str) -> None:
    _, told, findings = found(f"leaky_games:{name}")
    assert told["reasons"] == []
    assert list(findings) == [kind]
    assert findings[kind]["weight"] == "tamed"
    expected = {"outside": f"leaky_games.{name}.seen", "hashes": "env.value"}.get(kind, "leaky_games.py:")
    assert findings[kind]["paths"][0].startswith(expected)


@pytest.mark.usefixtures("samples", "no_node")
def test_state_of_the_environments_own_module_is_tamed() -> None:
    _, told, findings = found("global_games:ModuleGlobal")
    assert told["reasons"] == []
    assert "global_games._total" in findings["outside"]["paths"]


@pytest.mark.usefixtures("samples", "no_node")
@pytest.mark.parametrize("name", ["DictOrder", "FloatSum", "Survivors"])
def test_what_is_safe_gives_no_finding(name: str) -> None:
    exit_code, told, findings = found(f"leaky_games:{name}")
    assert findings == {}
    assert (exit_code, told["verdict"]) == (1, "unknown")  # for WebAssembly was not tried
    assert told["cpython"]["agents_leave"] is (name == "Survivors")


LEAKS = {
    "OtherModulesCounter": ("rollback", "leaky_rules.counter (count)"),
    "OtherModulesList": ("rollback", "leaky_rules.scores (list)"),
    "OtherClassAttribute": ("rollback", "leaky_rules.Unit.made (int)"),
    "ImpureCache": ("memory", "leaky_rules.learnt"),
    "Remembers": ("memory", "leaky_games._first_seed"),
    "Address": ("addresses", "env.value"),
    "ObjectSet": ("rollback", "Ordered by memory address: env.units"),
    "ObjectHash": ("rollback", "env.value"),
    "Thread": ("thread", "starts a thread"),
    "Generator": ("unsaveable", "env.numbers (builtins.generator)"),
    "Range": ("unsaveable", "env.numbers (builtins.range_iterator)"),
    "OpenFile": ("unsaveable", "env.level (_io.TextIOWrapper)"),
    "Draws": ("drawing", "env.value"),
    "NotANumber": ("nan", "env.odd"),
}


@pytest.mark.usefixtures("samples", "no_node")
@pytest.mark.parametrize("name", LEAKS)
def test_leak_is_named(name: str) -> None:
    if name == "NotANumber" and os.uname().machine != "x86_64":
        pytest.skip("needs an x86 machine: only there a computed NaN has its sign set")
    kind, named = LEAKS[name]
    exit_code, told, findings = found(f"leaky_games:{name}")
    assert (exit_code, told["verdict"], told["safe"]) == (1, "unsafe", False)
    assert findings[kind]["weight"] == "leak"
    assert findings[kind]["do"]
    assert any(named in reason for reason in told["reasons"])
    if name == "Thread":
        assert findings[kind]["paths"][0].startswith("leaky_games.py:")


CAUTIONS = {
    "PureCache": ("unsaved", "leaky_rules.squared"),
    "WritesFile": ("file", "leaky_games.py:"),
    "IgnoresSeed": ("seed", "ignores its seed"),
    "ConstantNan": ("nan", "env"),
    "ScoresNan": ("reward", "frame 1"),
}


@pytest.mark.usefixtures("no_node")
@pytest.mark.parametrize("name", CAUTIONS)
def test_what_may_be_wrong_is_told_and_does_not_decide(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(SAMPLES))
    kind, said = CAUTIONS[name]
    _, told, findings = found(f"leaky_games:{name}")
    assert (told["reasons"], told["verdict"]) == ([], "unknown")
    assert list(findings) == [kind]
    assert findings[kind]["weight"] == "caution"
    assert said in findings[kind]["says"]


@pytest.mark.usefixtures("samples", "no_node")
def test_state_that_is_too_large_to_send_is_told() -> None:
    _, told, findings = found("leaky_games:Huge", frames=3)
    assert "24 MB" in findings["size"]["says"]
    assert told["cpython"]["snapshot_us"] > 100


@pytest.mark.usefixtures("samples", "no_node")
@pytest.mark.parametrize(
    ("name", "says", "hint"),
    [
        ("Raises", "stopped in frame 4 with ZeroDivisionError", "Play it outside coplay first"),
        ("NeedsRender", "has no attribute 'surface', at leaky_games.py:", "draw while it steps"),
        ("Exits", "ended with exit code 3", "Play it outside coplay first"),
    ],
)
def test_environment_that_cannot_be_played_is_refused_in_a_line(name: str, says: str, hint: str) -> None:
    answer = check(f"leaky_games:{name}", "--frames", "24")
    assert answer.exit_code == 2
    assert answer.stdout == ""
    message, told_hint = [line for line in answer.stderr.splitlines() if "…" not in line]
    assert message.startswith(f"coplay: leaky_games:{name}")
    assert says in message
    assert told_hint.startswith("  hint: ")
    assert hint in told_hint


@pytest.mark.usefixtures("samples", "no_node")
def test_environment_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coplay.check.check.TIMEOUT_S", 2.0)
    answer = check("leaky_games:Hangs")
    assert answer.exit_code == 2
    assert "did not answer for 2 s" in answer.stderr
    assert "infinite loop" in answer.stderr


@pytest.mark.usefixtures("runtime", "samples")
def test_leak_is_named_in_both_and_own_files_come_along() -> None:
    answer = check("leaky_games:Range", "--frames", "12")
    assert answer.exit_code == 1
    words = " ".join(answer.stdout.split())
    assert words.startswith("coplay: leaky_games:Range is not safe for peer-to-peer play LEAK Parts of the")
    assert "env.numbers (builtins.range_iterator). → Keep plain values" in words
    assert "came out differently: env.value" in words
    assert "In CPython: " not in words  # it is in both
    assert "next: fix what is marked LEAK, and check again" in words
    assert "step\n" not in answer.stdout


@pytest.mark.usefixtures("runtime", "samples")
def test_agents_that_die_and_dice_are_safe_in_both_and_what_is_next_is_said() -> None:
    exit_code, told, findings = found("global_games:ModuleGlobal")
    assert (exit_code, told["verdict"], told["agree"]) == (0, "safe", True)
    assert set(findings["unseeded"]["pythons"]) == {"CPython", "WebAssembly"}
    answer = check("leaky_games:Survivors", "--frames", "24")
    assert answer.exit_code == 0, answer.stdout
    assert "\n  CPython and WebAssembly compute the same, to the last bit of every state.\n" in answer.stdout
    assert 'next: scenes.Play("leaky_games:Survivors", fps=30' in answer.stdout


@pytest.mark.usefixtures("runtime", "samples")
def test_thread_does_not_run_in_the_browser() -> None:
    _, told, findings = found("leaky_games:Thread", frames=6)
    assert findings["browser"]["pythons"] == ["WebAssembly"]
    assert "can't start new thread" in findings["browser"]["says"]
    assert "no threads" in findings["browser"]["do"]
    assert told["agree"] is None


@pytest.mark.usefixtures("runtime", "samples")
def test_where_both_differ_the_attribute_is_named_and_it_is_still_safe() -> None:
    exit_code, told, _ = found("leaky_games:StringSet", frames=12)
    assert exit_code == 0
    assert told["agree"] is (told["disagree_at"] is None)
    if not told["agree"]:  # their strings hash by another width
        assert told["disagreeing"][0].startswith("env.value (")


@pytest.mark.usefixtures("samples")
def test_interrupted_check_leaves_no_process() -> None:
    words = [sys.executable, "-m", "coplay", "check", "leaky_games:Hangs"]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stderr is not None
    assert "Playing leaky_games:Hangs in CPython" in process.stderr.readline()
    child = _child_of(process.pid)
    process.send_signal(signal.SIGINT)
    rest = process.stderr.read()
    assert process.wait(20) != 0
    process.stderr.close()
    assert "Traceback" not in rest
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def _child_of(process: int) -> int:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        for status in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = status.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == process:
                return int(status.parent.name)
    raise AssertionError("It starts no process.")


def test_package_that_no_browser_runs_makes_it_unsafe(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(packages: list[str], **_: object) -> Runtime:
        raise StudyError(f"{packages} cannot be had", "Use another.")

    monkeypatch.setattr("coplay.check.in_wasm.find_node", lambda: Path("node"))
    monkeypatch.setattr("coplay.check.in_wasm.ensure_runtime", refuse)
    answer = check("cogrid:Overcooked-CrampedRoom-V0", "--frames", "6")
    assert answer.exit_code == 1
    assert "It does not run in the browsers' Python: ['cogrid==" in " ".join(answer.stdout.split())
    assert "→ Use another." in answer.stdout


def test_runtime_that_cannot_be_had_leaves_the_question_open(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(packages: list[str], **_: object) -> Runtime:
        raise RuntimeUnavailableError("the runtime could not be fetched", "Go online once.")

    monkeypatch.setattr("coplay.check.in_wasm.find_node", lambda: Path("node"))
    monkeypatch.setattr("coplay.check.in_wasm.ensure_runtime", fail)
    answer = check("CartPole-v1", "--frames", "12")
    assert answer.exit_code == 1
    assert "may be safe for peer-to-peer play, but was not tried" in answer.stdout
    assert "hint: Go online once." in answer.stdout


@pytest.mark.parametrize("name", ["CartPool-v1", "no_such_module:make"])
def test_environment_that_is_not_there_is_refused(name: str) -> None:
    answer = check(name)
    assert answer.exit_code == 2
    assert answer.stdout == ""
    assert name.partition(":")[0] in answer.stderr
    assert "  hint: " in answer.stderr
