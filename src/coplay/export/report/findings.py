"""What a report shows of people and games, as small tables; no participant is named in any."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any, Final

import pyarrow.parquet as pq

Row = dict[str, Any]


class Share(float):
    """A part of a whole, 0 to 1; shown in per cent."""


UNSTEADY: Final = ("hidden", "disconnected", "rejoined", "link_closed", "peer_suspected")
"""Kinds of events that a report counts; what else there is, is in the table `events`."""


# A large study has a million rows of `net`.
_READ: Final[dict[str, list[str] | None]] = {
    "participants": None,
    "groups": None,
    "games": None,
    "episodes": None,
    "events": ["participant_id", "game_id", "source", "utc", "kind"],
    "net": [
        *("game_id", "player_id", "peer", "ms", "rtt_ms", "jitter_ms", "loss", "link"),
        *("rollbacks", "resimulated_frames", "stalled_frames"),
    ],
}


@dataclass(frozen=True, slots=True)
class ReportTables:
    """The tables of an export, as rows."""

    tables: dict[str, list[Row]]

    @classmethod
    def read(cls, folder: Path) -> "ReportTables":
        """Read those that a report needs."""
        return cls(
            {
                name: pq.read_table(folder / f"{name}.parquet", columns=columns).to_pylist()
                for name, columns in _READ.items()
            }
        )

    def __getitem__(self, name: str) -> list[Row]:
        return self.tables[name]

    def label(self, game: Row) -> str:
        """The name in the report of the scene that a game is of."""
        return str(game["label"] or f"scene {game['scene']}")

    def scene(self, index: int | None) -> str:
        """A scene's name in the report, as far as the data tell one."""
        games = {game["scene"]: self.label(game) for game in self["games"]}
        lobbies = {group["scene"] for group in self["groups"]}
        name = games.get(index, "lobby" if index in lobbies else "")
        return f"{name} (scene {index})" if name and name != f"scene {index}" else f"scene {index}"


def frames_of(game: Row) -> int:
    """How many frames a game has, also one that has not ended."""
    return int(game["frames"] or max((log["frames"] for log in game["logs"] or []), default=0))


def minutes_of(game: Row) -> float:
    """How long it was played."""
    return float(frames_of(game) / game["fps"] / 60)


def is_usable(game: Row) -> bool:
    """Whether all browsers agree on what there is of it."""
    return game["verdict"] in ("identical", "truncated") and frames_of(game) > 0


def summary(data: ReportTables) -> list[tuple[str, str]]:
    """The figures at the top: what is counted, and how many."""
    people, games = data["participants"], data["games"]
    minutes = sum(map(minutes_of, games))
    trips = [row["rtt_ms"] for row in data["net"] if row["rtt_ms"] is not None]
    ended = Counter(_ending(row)[0] for row in people)
    there = ended["still there"]
    return [
        ("people came", f"{len(people)}"),
        ("completed", f"{ended['completed']}"),
        ("waited in vain", f"{ended['waited in vain']}"),
        ("dropped out", f"{len(people) - ended['completed'] - ended['waited in vain'] - there}"),
        ("games", f"{len(games)}"),
        ("games to use", f"{sum(map(is_usable, games))}"),
        ("minutes played", f"{minutes:.0f}" if minutes >= 10 else f"{minutes:.1f}"),
        ("median round trip", f"{median(trips):.0f} ms" if trips else "–"),
    ]


# People


def funnel(data: ReportTables) -> list[Row]:
    """How many got how far."""
    people = {row["participant_id"] for row in data["participants"]}
    matched = {member for group in data["groups"] for member in group["members"] or [] if member}
    seated = {seat["participant_id"] for game in data["games"] for seat in game["seats"]} & people
    played = {
        seat["participant_id"] for game in data["games"] if frames_of(game) for seat in game["seats"]
    } & people
    completed = {row["participant_id"] for row in data["participants"] if row["ended_how"] == "completed"}
    steps = (
        ("came", people),
        ("matched, or alone in a game", (matched & people) | seated),
        ("played at least a frame", played),
        ("completed", completed),
    )
    total = len(people) or 1
    return [{"step": step, "people": len(who), "share": Share(len(who) / total)} for step, who in steps]


def endings(data: ReportTables) -> list[Row]:
    """How participants' paths ended; of who did not complete, in which scene."""
    paths: Counter[tuple[str, str]] = Counter()
    for row in data["participants"]:
        how, completed = _ending(row)
        # Who completed did not drop out anywhere.
        paths[how, "" if completed else data.scene(row["last_scene"])] += 1
    order = {name: place for place, name in enumerate(_ENDINGS.values())}
    found = sorted(paths.items(), key=lambda pair: (order.get(pair[0][0], 99), pair[0][1]))
    return [{"how it ended": how, "in": where or "–", "people": n} for (how, where), n in found]


_ENDINGS: Final = {
    "completed": "completed",
    "waited": "waited in vain",
    "left": "pressed the button that leaves",
    "page closed": "page closed or connection lost",
    "never connected": "the page never connected",
    "game never began": "the game did not begin there",
    "still there": "still there",
}


def _ending(row: Row) -> tuple[str, bool]:
    how = str(row["ended_how"] or row["dropped_out"])
    return _ENDINGS.get(how, how), how == "completed"


def added_up(rows: Iterable[Row], category: str, count: str) -> list[Row]:
    """The sum of a count for each category, in the order in which they come."""
    sums: Counter[str] = Counter()
    for row in rows:
        sums[row[category]] += row[count]
    return [{category: name, count: n} for name, n in sums.items()]


def disturbances(data: ReportTables) -> list[Row]:
    """What went wrong for people, and how many had it."""
    done = {row["participant_id"]: row["finished_utc"] for row in data["participants"]}
    events: dict[str, list[Any]] = defaultdict(list)
    for row in data["events"]:
        who = row["participant_id"]
        # Everybody closes the page in the end.
        over = done.get(who) and (row["utc"] or "") >= done[who]
        # Of a page that was loaded anew, the server and the browser tell.
        if row["kind"] in UNSTEADY and not over and (row["kind"] != "rejoined" or row["source"] == "server"):
            events[row["kind"]].append(who)
    early = [(g["game_id"], p) for g in data["games"] for p in g["left_early"] or []]
    rows = [
        {"what": _DISTURBANCES[kind], "times": len(events[kind]), "people": len(set(events[kind]))}
        for kind in UNSTEADY
    ]
    return [{"what": "left a game before its end", "times": len(early), "people": len(early)}, *rows]


_DISTURBANCES: Final = {
    "hidden": "page hidden during a game",
    "disconnected": "page closed or connection lost",
    "rejoined": "page loaded anew during a game",
    "link_closed": "link between players closed",
    "peer_suspected": "partner silent for a second",
}


# Games


def verdicts(data: ReportTables) -> list[Row]:
    """Games by scene and verdict."""
    found = Counter((data.label(game), game["verdict"] or "running") for game in data["games"])
    return [{"scene": scene, "verdict": verdict, "games": n} for (scene, verdict), n in sorted(found.items())]


_USES: Final = {
    "identical": "all of it",
    "truncated": "all of it, up to where it ended early",
    "divergent": "up to the frame that is named; coplay replay says what differed",
    "unverified": "nothing, until coplay replay has shown that it is right",
    "running": "nothing yet: it has not ended",
}


def uses(data: ReportTables) -> list[Row]:
    """For each verdict that there is, how many games have it, and what of them may be used."""
    rows = []
    for verdict, use in _USES.items():
        games = [game for game in data["games"] if (game["verdict"] or "running") == verdict]
        if games:
            minutes = sum(map(minutes_of, games))
            rows.append({"verdict": verdict, "games": len(games), "minutes": minutes, "what to use": use})
    return rows


def doubtful_games(data: ReportTables) -> list[Row]:
    """The games that are not identical, and why."""
    return [
        {
            "game": game["game_id"],
            "scene": data.label(game),
            "verdict": game["verdict"] or "running",
            "frames": frames_of(game),
            "at frame": game["verdict_frame"],
            "why": game["verdict_reason"] or "It has not ended, or the server was stopped meanwhile.",
        }
        for game in data["games"]
        if game["verdict"] != "identical"
    ]


def returns(data: ReportTables) -> list[Row]:
    """Mean return of a player, by scene, condition and episode."""
    games = {game["game_id"]: game for game in data["games"]}
    conditions = {row["participant_id"]: row["condition"] for row in data["participants"]}
    found: dict[tuple[str, str, int], list[float]] = defaultdict(list)
    for episode in data["episodes"]:
        if episode["ended_how"] == "unfinished":
            continue
        game = games[episode["game_id"]]
        for seat in game["seats"]:
            if seat["participant_id"] is None:
                continue
            condition = _condition(conditions.get(seat["participant_id"]))
            key = (data.label(game), condition, episode["episode"])
            found[key].append(episode["returns"][seat["player_id"]])
    rows = []
    for (scene, condition, number), values in sorted(found.items()):
        error = stdev(values) / len(values) ** 0.5 if len(values) > 1 else None
        rows.append(
            {
                "scene": scene,
                "condition": condition,
                "episode": number,
                "players": len(values),
                "mean": mean(values),
                "se": error,
            }
        )
    return rows


def _condition(text: str | None) -> str:
    if text is None:
        return "all"
    return text.strip('{}"').replace('"', "")


def telling_length(ids: Iterable[str]) -> int:
    """How many letters tell the games' ids apart; at least six."""
    known = set(ids)
    length = 6
    while length < 20 and len({text[:length] for text in known}) < len(known):
        length += 1
    return length
