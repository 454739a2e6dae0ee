"""Ctrl-C during a long command: one line, and the exit code that shells expect."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.recorded_game import GAME_ID, RecordedGame

COMMANDS = {
    "check": (["check", "CartPole-v1", "--frames", "100000"], "Playing CartPole-v1 in CPython"),
    "replay": (["replay", GAME_ID, "--data", "d"], "Starting the browsers' Python"),
    "replay --cpython": (["replay", GAME_ID, "--data", "d", "--cpython"], "Starting CPython"),
    "export": (["export", "out", "--data", "d", "--observations"], "Starting the browsers' Python"),
}
# Ctrl-C may come between opening a file and entering its `with` block: the interpreter closes the file then,
# and would warn. Every other warning still counts.
WARNINGS = ["-W", "error", "-W", "ignore::ResourceWarning"]


@pytest.mark.skipif(os.name != "posix", reason="needs a POSIX system: Ctrl-C signals a process group there")
@pytest.mark.parametrize(("arguments", "stage"), COMMANDS.values(), ids=COMMANDS)
def test_interrupted_command_prints_one_line(
    recorded_game: RecordedGame, arguments: list[str], stage: str, tmp_path: Path
) -> None:
    recorded_game.store(tmp_path / "d", codecs=[{"kind": "Discrete", "n": 3, "start": 0}] * 2)
    with subprocess.Popen(
        [sys.executable, *WARNINGS, "-m", "coplay", *arguments],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stderr is not None
        before = []
        for line in process.stderr:
            before.append(line)
            if stage in line:
                break
        else:
            pytest.fail("".join(before))
        os.killpg(process.pid, signal.SIGINT)  # a terminal signals the whole process group
        try:
            out, errors = process.communicate(timeout=20)
        finally:
            process.kill()
    assert process.returncode == 130, errors
    assert out == ""
    said = [line for line in errors.splitlines() if line and not line.endswith("…")]
    assert said == ["coplay: interrupted"]
    assert not (tmp_path / "coplay-error.log").exists()
