"""The command line as people and scripts use it: real processes, real ports, plain sentences."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.lacking import do_without

from coplay.cli import main
from coplay.errors import RuntimeUnavailableError
from coplay.runtime import ensure_runtime
from coplay.study import load_study

COPLAY = [sys.executable, "-W", "error", "-m", "coplay"]

STUDY = """
import coplay
from coplay import keys, scenes

study = coplay.Study("cart", version="2")
study.scenes = [
    scenes.Instructions("Hello"),
    scenes.Play(
        "CartPole-v1",
        keys=keys.Keys({"ArrowLeft": 0, "ArrowRight": 1}, noop=0),
        draw=lambda env, canvas: canvas.circle(300 + 100 * env.state[0], 200, 20, "black"),
    ),
    scenes.Finish("Bye"),
]
"""


@pytest.fixture(scope="session")
def runtime_is_here() -> None:
    try:
        ensure_runtime()
    except RuntimeUnavailableError as error:
        do_without(f"{error.message}. {error.hint}")


def run(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*COPLAY, *arguments], cwd=folder, capture_output=True, text=True, timeout=60)


@contextlib.contextmanager
def serving(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running command and the address it printed."""
    process = subprocess.Popen(
        [*COPLAY, *arguments], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            assert process.stderr is not None
            pytest.fail(process.stderr.read())
        found = re.fullmatch(r"coplay: serving (http://127\.0\.0\.1:\d+)\n", line)
        assert found, line
        yield process, found[1]
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def study(tmp_path: Path) -> Path:
    file = tmp_path / "cart.py"
    file.write_text(STUDY)
    return file


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["demo"],
        ["new"],
        ["run"],
        ["check"],
        ["replay"],
        ["robots"],
        ["export"],
        ["doctor"],
        ["report"],
        ["forget"],
        ["datasheet"],
        ["scrub"],
    ],
)
def test_help_of_every_command_shows_an_example(tmp_path: Path, command: list[str]) -> None:
    answer = run(tmp_path, *command, "--help")
    assert answer.returncode == 0
    assert "coplay" in answer.stdout.split("\n\n", 1)[1]


def test_new_study_loads_as_it_is_and_overwrites_nothing(tmp_path: Path) -> None:
    first = run(tmp_path, "new", "mine")
    assert first.returncode == 0
    assert load_study(tmp_path / "mine" / "study.py").name == "meet"
    (tmp_path / "mine" / "study.py").write_text("mine", "utf-8")
    second = run(tmp_path, "new", "mine")
    assert second.returncode == 2
    assert "hint:" in second.stderr
    assert (tmp_path / "mine" / "study.py").read_text("utf-8") == "mine"


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.usefixtures("runtime_is_here")
def test_run_serves_until_it_is_told_to_stop(study: Path, stop: signal.Signals) -> None:
    with serving(study.parent, "run", study.name, "--port", "0", "--data", "d") as (process, address):
        with urllib.request.urlopen(address + "/healthz") as answer:
            assert answer.status == 200
        began = time.monotonic()
        process.send_signal(stop)
        _, errors = process.communicate(timeout=5)
        assert time.monotonic() - began < 2
        assert process.returncode == 0
        assert "Traceback" not in errors
    data = study.parent / "d"
    assert (data / "coplay.sqlite").is_file()
    assert len(list((data / "bundles").iterdir())) == len(list((data / "locks").iterdir())) == 1
    if os.name == "posix":
        assert (data / "secret").stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("runtime_is_here")
def test_export_while_the_study_runs_writes_its_tables(study: Path) -> None:
    with serving(study.parent, "run", study.name, "--port", "0", "--data", "d"):
        answer = run(study.parent, "export", "out", "--data", "d")
    assert answer.returncode == 0, answer.stderr
    assert (study.parent / "out" / "participants.parquet").is_file()
    again = run(study.parent, "export", "out", "--data", "d")
    assert again.returncode == 0, again.stderr
    other = run(study.parent, "export", "out", "--data", "d", "--format", "csv")
    assert other.returncode == 2
    assert "--overwrite" in other.stderr


@pytest.mark.usefixtures("runtime_is_here")
def test_demo_serves_its_page(tmp_path: Path) -> None:
    with (
        serving(tmp_path, "demo", "--no-open", "--port", "0") as (_, address),
        urllib.request.urlopen(address + "/healthz") as answer,
    ):
        assert answer.status == 200


def test_port_in_use_is_one_plain_sentence(study: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        answer = run(study.parent, "run", study.name, "--port", str(port))
    assert answer.returncode == 2
    assert answer.stderr == (
        f"coplay: port {port} is in use by another program\n  hint: Choose another one: --port 8001.\n"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (STUDY + "x = = 1", "cart.py, line 15: invalid syntax"),
        (STUDY.replace("study = ", "other = "), "NameError"),
        (STUDY.replace("CartPole-v1", "NoSuchThing-v0"), "NoSuchThing"),
        (STUDY.replace('"ArrowLeft": 0', '"ArrowLeft": 9'), "9"),
        (STUDY.replace("noop=0)", "noop=0), players=2"), "no Lobby"),
        (STUDY.replace('scenes.Finish("Bye"),', ""), "Finish"),
    ],
)
def test_study_that_cannot_run_is_told_plainly(study: Path, text: str, said: str) -> None:
    study.write_text(text)
    answer = run(study.parent, "run", study.name, "--port", "0")
    assert answer.returncode == 2
    assert answer.stdout == ""
    message, hint = answer.stderr.splitlines()
    assert message.startswith("coplay: ")
    assert said in message
    assert hint.startswith("  hint: ")
    assert not (study.parent / "coplay-data").exists()


@pytest.mark.parametrize("arguments", [["run", "gone.py"], ["export", "out", "--data", "gone"]])
def test_file_that_is_not_there_is_named(tmp_path: Path, arguments: list[str]) -> None:
    answer = run(tmp_path, *arguments)
    assert answer.returncode == 2
    assert "gone" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.usefixtures("runtime_is_here")
def test_doctor_names_what_it_found(tmp_path: Path) -> None:
    answer = run(tmp_path, "doctor")
    assert "Python" in answer.stdout
    assert "Browser runtime" in answer.stdout


def test_unexpected_error_is_one_sentence_and_a_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*_: object, **__: object) -> None:
        raise RuntimeError("the moon")

    monkeypatch.setattr("coplay.export.tables.exporting.export_tables", break_down)
    monkeypatch.chdir(tmp_path)
    answer = CliRunner().invoke(main, ["export", "out"])
    assert answer.exit_code == 2
    assert "the moon" in answer.stderr
    assert "Traceback" not in answer.stderr
    log = tmp_path / "coplay-error.log"
    assert str(log) in answer.stderr
    assert "Traceback" in log.read_text()
