"""How robots fared: of each of them, of all of them, and of the games that they left."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from rich.table import Table

_FINISHED: str = "finish"
_FAILED: str = "error"


@dataclass(frozen=True, slots=True)
class RobotReport:
    """How one robot fared."""

    robot: int
    """Counted from 1."""
    ended: Literal["finished", "stuck", "error"]
    """Whether it came to the end of the study."""
    scene: str
    """Where it was last, as `data-scene` says."""
    phase: str
    """The same, as `data-phase` says."""
    said: str
    """Of an error, what the page or the browser said; else empty."""
    waited_s: float
    """Seconds in lobbies."""
    played_s: float
    """Seconds in which games ran."""
    frames: int
    """Over all its games."""
    rollbacks: int
    """Over all its games."""
    rtt_ms: float | None
    """Round trip to the other players: the median over them and over games; None if nobody measured any."""
    games: list[str]
    """Ids of the games that it played."""

    @property
    def outcome(self) -> str:
        """How it ended, in words."""
        if self.ended == "stuck":
            return f"stuck in {self.scene or 'no scene'}/{self.phase or 'no phase'}"
        return f"error: {self.said.splitlines()[0]}" if self.ended == "error" and self.said else self.ended


@dataclass(frozen=True, slots=True)
class RobotsSummary:
    """What a set of robots found."""

    url: str
    """Where they went."""
    data: str | None
    """The data directory; None if somebody else serves the study."""
    seconds: float
    """From the first one's arrival to the last one's end."""
    robots: list[RobotReport]
    """Each of them."""
    games: list[dict[str, Any]] | None
    """`game_id scene label frames verdict verdict_frame reason` as stored; None if somebody else serves."""

    @property
    def finished(self) -> int:
        """How many came to the end."""
        return sum(robot.ended == "finished" for robot in self.robots)

    @property
    def all_finished(self) -> bool:
        """Whether all did."""
        return self.finished == len(self.robots)

    @property
    def median_wait_s(self) -> float:
        """In lobbies."""
        return round(statistics.median(robot.waited_s for robot in self.robots), 2)

    def as_json(self) -> dict[str, Any]:
        """Plain values for a program."""
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
        """A row for each robot."""
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
        """Sentences about all of them."""
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


def report_robot(robot: int, seen: Mapping[str, Any] | None, problem: str) -> RobotReport:
    """Say how a robot fared.

    Args:
        robot: Counted from 1.
        seen: What `robot.js` told last; None if it never did.
        problem: Why its tab is gone; else empty.
    """
    seen = seen or {"scene": "", "phase": "", "now_ms": 0.0, "timeline": [], "games": [], "said": ""}
    ended: Literal["finished", "stuck", "error"] = "stuck"
    if seen["scene"] == _FINISHED:
        ended = "finished"
    elif problem or seen["scene"] == _FAILED:
        ended = "error"
    games = seen["games"]
    rtts = [rtt for game in games for rtt in (game.get("rtt_ms") or {}).values() if rtt is not None]
    return RobotReport(
        robot=robot,
        ended=ended,
        scene=seen["scene"],
        phase=seen["phase"],
        said="" if ended == "finished" else " ".join((problem or seen["said"]).split()),
        waited_s=_spent(seen, lambda scene, _: scene == "lobby"),
        played_s=_spent(seen, lambda _, phase: phase == "playing"),
        frames=sum(int(game.get("frame", 0)) for game in games),
        rollbacks=sum(int(game.get("rollbacks", 0)) for game in games),
        rtt_ms=round(statistics.median(rtts), 1) if rtts else None,
        games=[game["game_id"] for game in games],
    )


def is_done(seen: Mapping[str, Any]) -> bool:
    """Whether a robot has nothing more to do."""
    return seen["scene"] in (_FINISHED, _FAILED)


def _spent(seen: Mapping[str, Any], counts: Callable[[str, str], bool]) -> float:
    timeline: Sequence[tuple[str, str, float]] = seen["timeline"]
    ends = [began for _, _, began in timeline[1:]] + [seen["now_ms"]]
    spent = zip(timeline, ends, strict=False)
    total_ms: float = sum(end - began for (scene, phase, began), end in spent if counts(scene, phase))
    return round(total_ms / 1000, 2)
