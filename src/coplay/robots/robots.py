"""Robots in real browser tabs: they read, wait, and play with random keys, on a real server."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from types import FrameType
from typing import IO, Any, Final

from sqlalchemy import create_engine, select

from coplay.data.database import tables as records
from coplay.data.database.store import DATABASE_FILE, DATABASE_VARIABLE
from coplay.errors import UsageError
from coplay.robots.chromium import BrowserError, Chromium, Tab, chromium, find_chromium
from coplay.robots.report import RobotReport, RobotsSummary, is_done, report_robot
from coplay.runtime import ReportProgress, silent

LIMIT_S: Final = 300.0
_POLL_S = 0.5
_VERDICT_S = 5.0
_STOP_S = 10.0
_SERVING = re.compile(r"coplay: serving (http://\S+)")


def send_robots(
    study: str,
    *,
    robots: int = 2,
    seed: int = 1,
    browser: str | None = None,
    limit_s: float = LIMIT_S,
    data: Path | None = None,
    progress: ReportProgress = silent,
) -> RobotsSummary:
    """Send robots through a study at the same time, each as another participant.

    Args:
        study: A study file, which is served during the run; or the address of a running study.
        robots: Number of robots.
        seed: Seed of their keys and pauses.
        browser: Path of Chromium; None to look for one.
        limit_s: Seconds after which robots that have not finished count as stuck.
        data: The data directory for a study file; None for a new folder in `coplay-data`.
        progress: Called with each stage and the share of robots that are done.

    Raises:
        BrowserError: Chromium is missing, or cannot open the study.
        UsageError: The study cannot be served.
    """
    executable = find_chromium(browser)
    with _stopped_by_sigterm():
        if study.startswith(("http://", "https://")):
            with chromium(executable) as running:
                seconds, reports = _send(running, study, robots, seed, limit_s, progress)
            return RobotsSummary(study, None, seconds, reports, None)
        if not Path(study).is_file():
            raise UsageError(
                f"there is no study {study}", "Name a study file, or the address of a running study."
            )
        if data is None:
            data = Path("coplay-data") / f"robots-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        progress("Starting the study", None)
        with _serving(Path(study), data) as url, chromium(executable) as running:
            seconds, reports = _send(running, url, robots, seed, limit_s, progress)
            ids = {game for report in reports for game in report.games}
            _await_verdicts(data, ids)
        return RobotsSummary(url, str(data), seconds, reports, _games(data, ids))


def _send(
    running: Chromium, url: str, robots: int, seed: int, limit_s: float, progress: ReportProgress
) -> tuple[float, list[RobotReport]]:
    script = resources.files(__package__).joinpath("robot.js").read_text("utf-8")
    began = time.monotonic()
    tabs: dict[int, Tab] = {}
    for robot in range(1, robots + 1):
        progress(f"Sending {robots} robots", 0.0)
        tabs[robot] = running.open(f"window.coplayRobotSeed = {1000 * seed + robot};\n{script}")
        tabs[robot].go(url)
    statuses: dict[int, dict[str, Any]] = {}
    problems: dict[int, str] = {}
    going = set(tabs)
    while True:
        next_poll = time.monotonic() + _POLL_S
        for robot in sorted(going):
            try:
                status = tabs[robot].value("window.coplayRobot?.look()")
            except BrowserError as error:
                problems[robot] = error.message
                going.discard(robot)
                continue
            if status:
                statuses[robot] = status
                if is_done(status):
                    going.discard(robot)
        progress(f"Sending {robots} robots", 1 - len(going) / robots)
        if not going or time.monotonic() - began > limit_s:
            break
        time.sleep(max(0.0, next_poll - time.monotonic()))
    seconds = round(time.monotonic() - began, 1)
    return seconds, [report_robot(robot, statuses.get(robot), problems.get(robot, "")) for robot in tabs]


# The study


@contextlib.contextmanager
def _serving(study: Path, data: Path) -> Iterator[str]:
    """Serve the study in a process of its own; yields its address."""
    # Robots' data must not be stored with people's data, whichever database is set.
    variables = {name: value for name, value in os.environ.items() if name != DATABASE_VARIABLE}
    command = [sys.executable, "-m", "coplay", "run", str(study), "--port", "0", "--data", str(data)]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(  # noqa: S603 (ourselves)
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            encoding="utf-8",
            errors="replace",
            env=variables,
            start_new_session=True,  # so that Ctrl-C reaches only this process, which ends the other
        )
        assert process.stdout is not None  # noqa: S101 (a pipe)
        # The server would block if what the study prints filled the pipe.
        drain = threading.Thread(target=process.stdout.read, daemon=True)
        try:
            for line in process.stdout:
                if found := _SERVING.match(line):
                    break
            else:
                process.wait()
                raise _server_error(study, log)
            drain.start()
            yield found[1]
        finally:
            process.terminate()
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if drain.is_alive():
                drain.join()
            process.stdout.close()


def _server_error(study: Path, log: IO[bytes]) -> UsageError:
    """Return the message and the hint that the server printed, as an error."""
    log.seek(0)
    lines = log.read().decode("utf-8", "replace").splitlines()
    said = [line.removeprefix("coplay: ") for line in lines if line.startswith("coplay: ")]
    hints = [line.removeprefix("  hint: ") for line in lines if line.startswith("  hint: ")]
    message = said[-1] if said else f"{study} could not be served"
    return UsageError(message, hints[-1] if hints else f"Try `coplay run {study}`.")


def _await_verdicts(data: Path, ids: set[str]) -> None:
    """Wait a few seconds for the reports that the tabs still upload."""
    deadline = time.monotonic() + _VERDICT_S
    while time.monotonic() < deadline:
        if all(game["verdict"] not in (None, "unverified") for game in _games(data, ids)):
            break
        time.sleep(0.1)


def _games(data: Path, ids: set[str]) -> list[dict[str, Any]]:
    """Return the stored columns of these games, in the order they began."""
    table = records.games
    wanted = (
        table.c.game_id,
        table.c.scene,
        table.c.label,
        table.c.frames,
        table.c.verdict,
        table.c.verdict_frame,
        table.c.verdict_reason.label("reason"),
    )
    engine = create_engine(f"sqlite:///{data / DATABASE_FILE}")
    try:
        with engine.connect() as connection:
            rows = connection.execute(
                select(*wanted).where(table.c.game_id.in_(ids)).order_by(table.c.started_ms)
            )
            return [dict(row._mapping) for row in rows]
    finally:
        engine.dispose()


@contextlib.contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end this process like Ctrl-C, so that no process or folder is left behind."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: Callable[..., Any] | int | None = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
