"""Study servers and headless peers in processes of their own."""

import json
import os
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

JOIN = Path(__file__).parent / "samples" / "join_study.py"


def write_study(text: str, folder: Path, frames: int, more: str = "") -> Path:
    """Write a study: a page to read, a lobby, a game of some frames at 30 per second, and a last page."""
    play = f"scenes.Play(Drift, max_frames={frames}, countdown=0, input_delay=0, {more}"
    text = text.replace("scenes.Play(Drift,", play)
    text = text.replace("scenes.Lobby", 'scenes.Instructions("Hello"),\n    scenes.Lobby')
    text = text.replace('Finish("Bye")', 'Finish("Bye", code="DONE")')
    file = folder / "study" / "drifting.py"
    file.parent.mkdir()
    file.write_text(text)
    return file


@contextmanager
def serving(study: Path, data: Path, port: int = 0) -> Iterator[str]:
    command = [sys.executable, "-m", "coplay", "run", str(study), "--port", str(port), "--data", str(data)]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with (
        (data.parent / "server.log").open("w") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment) as process,
    ):
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if found := re.match(r"coplay: serving (http://\S+)", line):
                    yield found[1]
                    break
            else:
                pytest.fail((data.parent / "server.log").read_text())
        finally:
            process.terminate()
            process.wait(15)


def send(url: str, study: Path, count: int) -> list[dict[str, Any]]:
    """Run headless peers in another process, because a study's modules stay loaded; return their outcomes."""
    done = subprocess.run(
        [sys.executable, "-W", "error", str(JOIN), url, str(study), str(count)],
        capture_output=True,
        text=True,
        timeout=150,
        env={**os.environ, "PYTHONHASHSEED": "0"},
    )
    assert done.returncode == 0, done.stderr
    assert "never awaited" not in done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def games_in(data: Path) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(data / "coplay.sqlite")) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute("SELECT * FROM games")]


class Peer:
    """One peer in a process of its own.

    Args:
        url: Address of the server.
        study: The study file.
        folder: Takes its identity file and its log.
        name: Names the participant: peers of the same name share an identity file.
    """

    def __init__(self, url: str, study: Path, folder: Path, name: str) -> None:
        self._errors = folder / f"{name}-{time.monotonic_ns()}.log"
        with self._errors.open("w") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-W", "error", str(JOIN), url, str(study), "1", str(folder / name)],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env={**os.environ, "PYTHONHASHSEED": "0"},
            )

    def until(self, said: str) -> str:
        """Read its output up to a line that contains `said`, and return the line."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if said in line:
                return line
        pytest.fail(f"it ended without printing {said!r}: {self.errors()}")

    def end(self) -> None:
        """Kill it, as a power cut would."""
        assert self.process.stdout is not None
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def game(self) -> dict[str, Any]:
        """Wait for its end, and return its only game."""
        told, _ = self.process.communicate(timeout=90)
        assert self.process.returncode == 0, self.errors()
        (game,) = json.loads(told.splitlines()[-1])["games"]
        return dict(game)

    def errors(self) -> str:
        return self._errors.read_text()


def wait_for_frames(data: Path, peer: int, frames: int) -> None:
    """Wait until a peer has uploaded that many frames."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with closing(sqlite3.connect(data / "coplay.sqlite")) as database:
            query = "SELECT max(first_frame + frames) FROM batches WHERE peer = ?"
            if (database.execute(query, (peer,)).fetchone()[0] or 0) >= frames:
                return
        time.sleep(0.05)
    pytest.fail(f"player {peer} did not upload {frames} frames")


def assert_identical(data: Path, played: list[dict[str, Any]], frames: int) -> None:
    assert {(game["verdict"], game["frames"]) for game in played} == {("identical", frames)}
    assert sorted(game["player_id"] for game in played) == [0, 1]
    (chain,) = {game["chain_hash"] for game in played}
    (stored,) = games_in(data)
    assert (stored["verdict"], stored["frames"], stored["chain_hash"]) == ("identical", frames, chain)
