"""Reports of what each robot did, and a summary with the games they played."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from rich.table import Table

_FINISHED: Final = "finish"
_FAILED: Final = "error"


@dataclass(frozen=True, slots=True)
class RobotReport:
    """What one robot did."""

    robot: int
    """Counted from 1."""
    ended: Literal["finished", "stuck", "error"]
    """`finished` if it reached the end of the study."""
    scene: str
    """The last scene it was in, from the page's `data-scene`."""
    phase: str
    """The last phase of that scene, from the page's `data-phase`."""
    said: str
    """The message of the page or the browser if it ended with an error; else empty."""
    waited_s: float
    """Seconds in lobbies."""
    played_s: float
    """Seconds in running games."""
    frames: int
    """Sum over its games."""
    rollbacks: int
    """Sum over its games."""
    rtt_ms: float | None
    """Round trip to the other players, the median over them and over games; None if there is none."""
    games: list[str]
    """Ids of the games it played."""

    @property
    def outcome(self) -> str:
        """How it ended, as text for the table."""
        if self.ended == "stuck":
            return f"stuck in {self.scene or 'no scene'}/{self.phase or 'no phase'}"
        return f"error: {self.said.splitlines()[0]}" if self.ended == "error" and self.said else self.ended


@dataclass(frozen=True, slots=True)
class RobotsSummary:
    """What all robots of one run did."""

    url: str
    """Address of the study."""
    data: str | None
    """The data directory; None if the study was already running."""
    seconds: float
    """Seconds from the first robot's arrival to the last one's end."""
    robots: list[RobotReport]
    """One report for each robot."""
    games: list[dict[str, Any]] | None
    """Stored columns `game_id scene label frames verdict verdict_frame reason`; None as for `data`."""

    @property
    def finished(self) -> int:
        """Number of robots that reached the end."""
        return sum(robot.ended == "finished" for robot in self.robots)

    @property
    def all_finished(self) -> bool:
        """True if all robots reached the end."""
        return self.finished == len(self.robots)

    @property
    def median_wait_s(self) -> float:
        """Median of the seconds in lobbies."""
        return round(statistics.median(robot.waited_s for robot in self.robots), 2)

    def as_json(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "url": self.url,
            "data": self.data,
            "seconds": self.seconds,
            "finished": self.finished,
            "of": len(self.robots),
            "median_wait_s": self.median_wait_s,
            "robots": [asdict(robot) for robot in self.robots],
            "games": self.games,
        }

    def table(self) -> Table:
        """Return a table with a row for each robot."""
        table = Table(box=None, pad_edge=False, header_style="bold")
        for heading in ("robot", "ended"):
            table.add_column(heading, overflow="fold")
        for heading in ("waited", "played", "frames", "rollbacks", "RTT"):
            table.add_column(heading, justify="right", no_wrap=True)
        for robot in self.robots:
            rtt = "–" if robot.rtt_ms is None else f"{robot.rtt_ms:.0f} ms"
            times = (f"{robot.waited_s:.1f} s", f"{robot.played_s:.1f} s")
            counts = (str(robot.frames), str(robot.rollbacks))
            table.add_row(str(robot.robot), robot.outcome, *times, *counts, rtt)
        return table

    def sentences(self) -> list[str]:
        """Return sentences about all robots and their games."""
        count = len({game for robot in self.robots for game in robot.games})
        games = f"{count} game{'' if count == 1 else 's'}"
        lines = [
            f"{self.finished} of {len(self.robots)} finished, {games}; median wait {self.median_wait_s:.1f} s"
        ]
        for game in self.games or []:
            frame = "" if game["verdict_frame"] is None else f" at {game['verdict_frame']}"
            verdict = f"{game['verdict']}{frame}, {game['frames']} frames"
            lines.append(f"game {game['game_id']}: {verdict if game['verdict'] else 'not ended'}")
        if self.data is not None:
            lines.append(f"the data are in {self.data}")
        return lines


def report_robot(robot: int, status: Mapping[str, Any] | None, problem: str) -> RobotReport:
    """Return the report of one robot.

    Args:
        robot: Counted from 1.
        status: The last status from `robot.js`; None if there was none.
        problem: Why its tab was lost; empty if it was not.
    """
    status = status or {"scene": "", "phase": "", "now_ms": 0.0, "timeline": [], "games": [], "said": ""}
    ended: Literal["finished", "stuck", "error"] = "stuck"
    if status["scene"] == _FINISHED:
        ended = "finished"
    elif problem or status["scene"] == _FAILED:
        ended = "error"
    games = status["games"]
    rtts = [rtt for game in games for rtt in (game.get("rtt_ms") or {}).values() if rtt is not None]
    return RobotReport(
        robot=robot,
        ended=ended,
        scene=status["scene"],
        phase=status["phase"],
        said="" if ended == "finished" else " ".join((problem or status["said"]).split()),
        waited_s=_seconds_spent(status, lambda scene, _: scene == "lobby"),
        played_s=_seconds_spent(status, lambda _, phase: phase == "playing"),
        frames=sum(int(game.get("frame", 0)) for game in games),
        rollbacks=sum(int(game.get("rollbacks", 0)) for game in games),
        rtt_ms=round(statistics.median(rtts), 1) if rtts else None,
        games=[game["game_id"] for game in games],
    )


def is_done(status: Mapping[str, Any]) -> bool:
    """Return True if a robot has nothing more to do."""
    return status["scene"] in (_FINISHED, _FAILED)


def _seconds_spent(status: Mapping[str, Any], is_counted: Callable[[str, str], bool]) -> float:
    timeline: Sequence[tuple[str, str, float]] = status["timeline"]
    ends = [began for _, _, began in timeline[1:]] + [status["now_ms"]]
    spent = zip(timeline, ends, strict=False)
    total_ms: float = sum(end - began for (scene, phase, began), end in spent if is_counted(scene, phase))
    return round(total_ms / 1000, 2)
