"""What a report shows, as small tables; no participant is named in any."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any, Final

import pyarrow.parquet as pq

Row = dict[str, Any]

UNSTEADY: Final = ("peer_suspected", "link_closed", "disconnected", "hidden")
"""Kinds of events that a report counts; what else there is, is in the table `events`."""


@dataclass(frozen=True, slots=True)
class Exported:
    """The tables of an export, as rows."""

    tables: dict[str, list[Row]]

    @classmethod
    def read(cls, folder: Path) -> "Exported":
        """Read those that a report needs."""
        names = ("participants", "groups", "games", "episodes", "events", "net")
        return cls({name: pq.read_table(folder / f"{name}.parquet").to_pylist() for name in names})

    def __getitem__(self, name: str) -> list[Row]:
        return self.tables[name]

    def label(self, game: Row) -> str:
        """A scene's name in the report."""
        return str(game["label"] or f"scene {game['scene']}")


def summary(data: Exported) -> list[tuple[str, str]]:
    """The figures at the top: what is counted, and how many."""
    games = data["games"]
    minutes = sum((game["frames"] or 0) / game["fps"] for game in games) / 60
    identical = sum(game["verdict"] == "identical" for game in games)
    return [
        ("participants", f"{len(data['participants'])}"),
        ("completed", f"{sum(row['ended_how'] == 'completed' for row in data['participants'])}"),
        ("games", f"{len(games)}"),
        ("identical on all sides", f"{100 * identical / len(games):.0f} %" if games else "–"),
        ("minutes played", f"{minutes:.0f}"),
    ]


def funnel(data: Exported) -> list[Row]:
    """How many got how far."""
    people = {row["participant_id"] for row in data["participants"]}
    matched = {member for group in data["groups"] for member in group["members"] or [] if member}
    seated = {seat["participant_id"] for game in data["games"] for seat in game["seats"]} & people
    played = {
        seat["participant_id"] for game in data["games"] if game["frames"] for seat in game["seats"]
    } & people
    completed = {row["participant_id"] for row in data["participants"] if row["ended_how"] == "completed"}
    steps = (
        ("arrived", people),
        ("matched or alone in a game", (matched & people) | seated),
        ("played at least a frame", played),
        ("completed", completed),
    )
    total = len(people) or 1
    return [{"step": step, "people": len(who), "share": len(who) / total} for step, who in steps]


def verdicts(data: Exported) -> list[Row]:
    """Games by scene and verdict."""
    found = Counter((data.label(game), game["verdict"] or "running") for game in data["games"])
    return [{"scene": scene, "verdict": verdict, "games": n} for (scene, verdict), n in sorted(found.items())]


def doubtful_games(data: Exported) -> list[Row]:
    """The games that are not identical, and why."""
    return [
        {
            "game": game["game_id"],
            "scene": data.label(game),
            "verdict": game["verdict"] or "running",
            "at frame": game["verdict_frame"],
            "why": game["verdict_reason"] or "",
        }
        for game in data["games"]
        if game["verdict"] != "identical"
    ]


def returns(data: Exported) -> list[Row]:
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


def round_trips(data: Exported) -> list[Row]:
    """Every measured round trip, with its link; a second and a side each."""
    return [
        {"link": row["link"] or "unknown", "rtt_ms": row["rtt_ms"]}
        for row in data["net"]
        if row["rtt_ms"] is not None and row["rtt_ms"] >= 0
    ]


def round_trip_quantiles(trips: Sequence[Row]) -> list[Row]:
    """Round trips by link."""
    by_link: dict[str, list[float]] = defaultdict(list)
    for row in trips:
        by_link[row["link"]].append(row["rtt_ms"])
    return [
        {
            "link": link,
            "seconds": len(values),
            "5 %": _quantile(values, 0.05),
            "median": median(values),
            "95 %": _quantile(values, 0.95),
            "most": max(values),
        }
        for link, values in sorted(by_link.items())
    ]


def sides(data: Exported) -> list[Row]:
    """How smooth each game was on each player's side, a minute.

    Counts are over all peers and come with every peer's row, so they are taken once a second.
    """
    games = {game["game_id"]: game for game in data["games"]}
    length = _telling_length(list(games))
    seconds: dict[tuple[str, int], dict[float, Row]] = defaultdict(dict)
    for row in data["net"]:
        if row["ms"] is not None:
            seconds[row["game_id"], row["player_id"]][row["ms"]] = row
    rows = []
    for game_id, game in games.items():
        for player in range(len(game["seats"])):
            found = seconds.get((game_id, player))
            if not found:
                continue
            minutes = _span_ms(found) / 60_000
            counted = list(found.values())
            rows.append(
                {
                    "game": game_id[:length],
                    "scene": data.label(game),
                    "player": f"player {player}",
                    "rollbacks": _total(counted, "rollbacks") / minutes,
                    "re-simulated": _total(counted, "resimulated_frames") / minutes,
                    "stalls": _total(counted, "stalled_frames") / minutes,
                }
            )
    return rows


def most_uneven(rows: Sequence[Row], field: str, count: int) -> list[Row]:
    """The rows of the games whose sides differ most in a field, in their own order; all if there are few."""
    spread: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        spread[row["game"]].append(row[field])
    ranked = sorted(spread, key=lambda game: min(spread[game]) - max(spread[game]))
    chosen = set(ranked[:count])
    return [row for row in rows if row["game"] in chosen]


def one_sidedness(rows: Sequence[Row]) -> list[Row]:
    """By game, how unevenly rollbacks fall: 0 if all sides have as many, 1 if one has all."""
    by_game: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_game[row["game"]].append(row)
    found = []
    for game, own in by_game.items():
        rates = [row["rollbacks"] for row in own]
        share = max(rates) / sum(rates) if sum(rates) else None
        fair = 1 / len(rates)
        uneven = None if share is None or fair == 1 else (share - fair) / (1 - fair)
        found.append(
            {"game": game, **{row["player"]: row["rollbacks"] for row in own}, "one-sidedness": uneven}
        )
    return found


def endings(data: Exported, last_scenes: Mapping[str, str]) -> list[Row]:
    """How participants' paths ended; of who went in between, in which scene."""
    paths: Counter[tuple[str, str]] = Counter()
    for row in data["participants"]:
        how = row["ended_how"] or "not finished"
        # Who completed did not drop out anywhere.
        where = "" if how == "completed" else last_scenes.get(row["participant_id"], "")
        paths[_ENDINGS.get(how, how), where] += 1
    return [{"ended": how, "last scene": where, "people": n} for (how, where), n in sorted(paths.items())]


_ENDINGS: Final = {"waited": "waited in vain", "left": "left a game or was left"}


def disturbances(data: Exported) -> list[Row]:
    """What went wrong for people, and how many had it."""
    done = {row["participant_id"]: row["finished_utc"] for row in data["participants"]}
    events: dict[str, list[Any]] = defaultdict(list)
    for row in data["events"]:
        who = row["participant_id"]
        # Everybody closes the page in the end.
        if row["kind"] in UNSTEADY and not (done.get(who) and (row["utc"] or "") >= done[who]):
            events[row["kind"]].append(who)
    early = [(g["game_id"], p) for g in data["games"] for p in g["left_early"] or []]
    rows = [
        {"what": _DISTURBANCES[kind], "times": len(events[kind]), "people": len(set(events[kind]))}
        for kind in UNSTEADY
    ]
    return [{"what": "left a game early", "times": len(early), "people": len(early)}, *rows]


_DISTURBANCES: Final = {
    "peer_suspected": "a partner fell silent",
    "link_closed": "a link closed",
    "disconnected": "the page lost the server, or was closed",
    "hidden": "the page was hidden during a game",
}


def _condition(text: str | None) -> str:
    if text is None:
        return "all"
    return text.strip('{}"').replace('"', "")


def _quantile(values: Iterable[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def _telling_length(ids: Sequence[str]) -> int:
    """How many letters tell the ids apart; at least six."""
    length = 6
    while length < 20 and len({text[:length] for text in ids}) < len(set(ids)):
        length += 1
    return length


def _span_ms(rows: Mapping[float, Row]) -> float:
    times = sorted(rows)
    # A row tells of the second before it.
    return times[-1] - times[0] + 1000.0


def _total(rows: Sequence[Row], name: str) -> float:
    return float(sum(row[name] or 0 for row in rows))
