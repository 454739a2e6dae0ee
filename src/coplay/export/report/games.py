"""The report's small tables about games and their returns."""

from collections import Counter, defaultdict
from statistics import mean, stdev
from typing import Final

from coplay.export.report.report_tables import ReportRow, ReportTables, frames_of, minutes_of

_USES: Final = {
    "identical": "all of it",
    "truncated": "all of it, up to the frame at which it ended early",
    "divergent": "up to the frame that is named; coplay replay says what differed",
    "unverified": "nothing, unless coplay replay shows that the game comes out as recorded",
    "running": "nothing yet: it has not ended",
}


def is_usable(game: ReportRow) -> bool:
    """Return True if all browsers agree on what was recorded of a game."""
    return game["verdict"] in ("identical", "truncated") and frames_of(game) > 0


def verdicts(data: ReportTables) -> list[ReportRow]:
    """Count games by scene and verdict."""
    counts = Counter((data.label(game), game["verdict"] or "running") for game in data["games"])
    return [
        {"scene": scene, "verdict": verdict, "games": n} for (scene, verdict), n in sorted(counts.items())
    ]


def uses(data: ReportTables) -> list[ReportRow]:
    """Count the games of each verdict that occurs, with the part of their data that may be used."""
    rows = []
    for verdict, use in _USES.items():
        games = [game for game in data["games"] if (game["verdict"] or "running") == verdict]
        if games:
            minutes = sum(map(minutes_of, games))
            rows.append({"verdict": verdict, "games": len(games), "minutes": minutes, "what to use": use})
    return rows


def doubtful_games(data: ReportTables) -> list[ReportRow]:
    """List the games that are not identical, each with the reason."""
    return [
        {
            "game": game["game_id"],
            "scene": data.label(game),
            "verdict": game["verdict"] or "running",
            "frames": frames_of(game),
            "at frame": game["verdict_frame"],
            "why": game["verdict_reason"] or "It has not ended, or the server was stopped during it.",
        }
        for game in data["games"]
        if game["verdict"] != "identical"
    ]


def returns(data: ReportTables) -> list[ReportRow]:
    """Compute the mean return of people by scene, condition and episode, over finished episodes."""
    games = {game["game_id"]: game for game in data["games"]}
    conditions = {row["participant_id"]: row["condition"] for row in data["participants"]}
    values: dict[tuple[str, str, int], list[float]] = defaultdict(list)
    for episode in data["episodes"]:
        if episode["ended_how"] == "unfinished":
            continue
        game = games[episode["game_id"]]
        for seat in game["seats"]:
            # A bot's seat, or one whose person was erased.
            if seat["participant_id"] is None:
                continue
            condition = _condition_label(conditions.get(seat["participant_id"]))
            key = (data.label(game), condition, episode["episode"])
            values[key].append(episode["returns"][seat["player_id"]])
    return [
        {
            "scene": scene,
            "condition": condition,
            "episode": number,
            "players": len(own),
            "mean": mean(own),
            "se": stdev(own) / len(own) ** 0.5 if len(own) > 1 else None,
        }
        for (scene, condition, number), own in sorted(values.items())
    ]


def _condition_label(condition: str | None) -> str:
    """Return a condition, which is JSON, without its brackets and quotes."""
    return "all" if condition is None else condition.strip('{}"').replace('"', "")
