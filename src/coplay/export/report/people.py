"""The report's small tables about people. None of them names a participant."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any, Final

from coplay.export.report.report_tables import ReportRow, ReportTables, Share, frames_of

_ENDINGS: Final = {
    "completed": "completed",
    "waited": "found no partner",
    "left": "pressed the button that leaves",
    "page closed": "page closed or connection lost",
    "never connected": "the page never connected",
    "game never began": "the game did not begin there",
    "still there": "still there",
}
_DISTURBANCES: Final = {
    "hidden": "page hidden during a game",
    "disconnected": "page closed or connection lost",
    "rejoined": "page reloaded during a game",
    "link_closed": "link between players closed",
    "peer_suspected": "partner silent for a second",
}
"""Kinds of events that a report counts. The table `events` has all others, too."""


def funnel(data: ReportTables) -> list[ReportRow]:
    """Count how many people reached each step of the study."""
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


def endings(data: ReportTables) -> list[ReportRow]:
    """Count how people's paths ended and, for those who did not complete, in which scene."""
    paths: Counter[tuple[str, str]] = Counter()
    for row in data["participants"]:
        ended_how = ending_of(row)
        scene = "–" if row["ended_how"] == "completed" else data.scene(row["last_scene"])
        paths[ended_how, scene] += 1
    order = {name: place for place, name in enumerate(_ENDINGS.values())}
    ordered = sorted(paths.items(), key=lambda pair: (order.get(pair[0][0], 99), pair[0][1]))
    return [{"how it ended": how, "in": scene, "people": n} for (how, scene), n in ordered]


def ending_of(participant: ReportRow) -> str:
    """Return in words how a participant's path ended."""
    how = str(participant["ended_how"] or participant["dropped_out"])
    return _ENDINGS.get(how, how)


def sum_by(rows: Iterable[ReportRow], category: str, count: str) -> list[ReportRow]:
    """Sum a count over each category, in the order in which the categories first appear."""
    sums: Counter[str] = Counter()
    for row in rows:
        sums[row[category]] += row[count]
    return [{category: name, count: n} for name, n in sums.items()]


def disturbances(data: ReportTables) -> list[ReportRow]:
    """Count what went wrong for people, and how many people were affected."""
    finished = {row["participant_id"]: row["finished_utc"] for row in data["participants"]}
    events: dict[str, list[Any]] = defaultdict(list)
    for row in data["events"]:
        who, kind = row["participant_id"], row["kind"]
        # Everybody closes the page in the end: that is no disturbance.
        over = finished.get(who) and (row["utc"] or "") >= finished[who]
        # Both the server and the browser record a rejoin; it is counted once.
        if kind in _DISTURBANCES and not over and (kind != "rejoined" or row["source"] == "server"):
            events[kind].append(who)
    early = [(game["game_id"], player) for game in data["games"] for player in game["left_early"] or []]
    rows = [
        {"what": what, "times": len(events[kind]), "people": len(set(events[kind]))}
        for kind, what in _DISTURBANCES.items()
    ]
    return [{"what": "left a game before its end", "times": len(early), "people": len(early)}, *rows]
