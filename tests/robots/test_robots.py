"""`coplay robots`: robots in a real Chromium, on a real server."""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.lacking import do_without

from coplay.errors import RuntimeUnavailableError
from coplay.robots.chromium import BROWSER_VARIABLE, BrowserError, chromium, find_chromium
from coplay.runtime import ensure_runtime

EXAMPLE = Path(__file__).parents[2] / "examples" / "volley"

ROBOTS = (sys.executable, "-W", "error", "-m", "coplay", "robots")

SHORT = """
import controls
import court
from volley_env import Volley

import coplay
from coplay import scenes

study = coplay.Study("short", version="1")
study.scenes = [
    scenes.Instructions("Hello", button="Find an opponent"),
    scenes.Lobby(size=2, patience="{patience}", otherwise=scenes.Finish("Nobody came.", code="WAITED")),
    scenes.Play(Volley, keys=controls.KEYS, draw=court.draw, max_frames=200, countdown=0),
    scenes.Finish("Bye", code="PLAYED"),
]
"""


@pytest.fixture(scope="session")
def browser() -> None:
    try:
        find_chromium()
        ensure_runtime()
    except (BrowserError, RuntimeUnavailableError) as error:
        do_without(f"{error.message}. {error.hint}")


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for temporary files; afterwards it must be empty and used by no process."""
    folder = Path(tempfile.mkdtemp(prefix="robots-"))  # a short path: Chromium makes sockets in it
    monkeypatch.setenv("TMPDIR", str(folder))
    yield folder
    assert not list(folder.iterdir())
    folder.rmdir()
    commands = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout
    assert str(folder) not in commands
    assert str(tmp_path) not in commands


def robots(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*ROBOTS, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=240,
    )


def write_study(folder: Path, patience: str = "2 min") -> str:
    for file in EXAMPLE.glob("*.py"):
        shutil.copy(file, folder)
    (folder / "short.py").write_text(SHORT.format(patience=patience), "utf-8")
    return "short.py"


@pytest.mark.browser
@pytest.mark.usefixtures("browser")
def test_two_robots_play_a_study_to_its_end_and_leave_an_identical_game(tmp_path: Path) -> None:
    done = robots(tmp_path, write_study(tmp_path), "--limit", "3 min", "--data", "d", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert (found["finished"], found["of"], found["data"]) == (2, 2, "d")
    assert [game["verdict"] for game in found["games"]] == ["identical"]
    for robot in found["robots"]:
        assert robot["ended"] == "finished"
        assert robot["frames"] > 100
        assert robot["played_s"] > 1
        assert robot["games"] == [found["games"][0]["game_id"]]
    assert (tmp_path / "d" / "coplay.sqlite").is_file()


@pytest.mark.browser
@pytest.mark.usefixtures("browser")
def test_robot_without_a_partner_finishes_on_the_lobbys_alternative_page(tmp_path: Path) -> None:
    done = robots(tmp_path, write_study(tmp_path, "2 s"), "-n", "1", "--limit", "2 min", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    (robot,) = found["robots"]
    assert robot["ended"] == "finished"
    assert 1.5 < robot["waited_s"] < 30
    assert found["games"] == []
    assert (tmp_path / found["data"] / "coplay.sqlite").is_file()


@pytest.mark.browser
@pytest.mark.usefixtures("browser")
def test_robots_that_do_not_finish_in_time_are_reported_as_stuck(tmp_path: Path) -> None:
    page = b"<body data-scene=lobby data-phase=waiting>"
    with serving(page) as url:
        done = robots(tmp_path, url, "-n", "2", "--limit", "5 s")
    assert done.returncode == 1
    assert done.stdout.count("stuck in lobby/waiting") == 2
    assert "coplay: 0 of 2 finished, 0 games" in done.stdout


@pytest.mark.browser
@pytest.mark.usefixtures("browser")
def test_crashed_tab_is_reported_and_the_others_continue() -> None:
    with chromium(find_chromium()) as running:
        tab, other = running.open(""), running.open("")
        with pytest.raises(BrowserError):
            tab.go("chrome://crash")
        with pytest.raises(BrowserError, match="the tab crashed"):
            tab.value("1")
        assert other.value("1 + 1") == 2
        assert other.value("nothing.of.this.name") is None


@pytest.mark.browser
@pytest.mark.usefixtures("browser")
def test_address_without_a_server_is_an_error_with_a_hint(tmp_path: Path) -> None:
    with serving(b"") as url:
        pass
    done = robots(tmp_path, url)
    assert done.returncode == 2
    assert f"coplay: {url}" in done.stderr
    assert "hint:" in done.stderr


@pytest.mark.browser
@pytest.mark.usefixtures("browser")
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_robots_leave_no_process_and_no_folder(tmp_path: Path, stop: signal.Signals) -> None:
    process = subprocess.Popen(
        [*ROBOTS, write_study(tmp_path), "-n", "1", "--data", str(tmp_path / "d")],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell that runs the tests in the background has them ignore SIGINT, which children inherit.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.default_int_handler),
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("Sending"):
            break
    process.send_signal(stop)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors


@pytest.mark.parametrize("variable", [False, True])
def test_missing_browser_is_an_error_with_a_hint(
    tmp_path: Path, variable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = str(tmp_path / "nowhere")
    if variable:
        monkeypatch.setenv(BROWSER_VARIABLE, named)
    done = robots(tmp_path, "study.py", *([] if variable else ["--browser", named]))
    assert done.returncode == 2
    assert f"there is no browser {named}" in done.stderr
    assert "hint: Install Chromium" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(None, "there is no study study.py"), ("import nothing_of_this_name", "nothing_of_this_name")],
)
def test_study_that_cannot_be_served_is_an_error_and_leaves_nothing_behind(
    tmp_path: Path, content: str | None, sentence: str
) -> None:
    if content is not None:
        (tmp_path / "study.py").write_text(content, "utf-8")
    done = robots(tmp_path, "study.py", "--browser", sys.executable)  # it is never started
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "hint:" in done.stderr


def test_browser_that_does_not_start_is_an_error_and_leaves_nothing_behind(tmp_path: Path) -> None:
    done = robots(tmp_path, "http://127.0.0.1:1/", "--browser", shutil.which("false") or sys.executable)
    assert done.returncode == 2
    assert "the browser did not start" in done.stderr


@contextmanager
def serving(page: bytes) -> Iterator[str]:
    """Serve one page; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
