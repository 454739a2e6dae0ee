"""The report of a data directory: its sections, its words and its headline figures."""

import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from coplay.export.atomic_writing import write_text_atomically
from coplay.export.optional_packages import require_package
from coplay.export.report import charts, connections, games, people
from coplay.export.report.page import Section, page
from coplay.export.report.report_tables import ReportTables, minutes_of
from coplay.export.tables.exporting import export_tables
from coplay.runtime import ReportProgress, silent


def write_report(data: Path, out: Path, *, progress: ReportProgress = silent) -> None:
    """Write a page that summarizes a study.

    Args:
        data: A data directory; the study may be running.
        out: The HTML file; an earlier one is replaced in one step.
        progress: Called with the current stage of the work, and its fraction.

    Raises:
        StoreError: There is no data in `data`.
        UsageError: The package that draws the charts is not installed.
        CoplayError: `out` cannot be written.
    """
    require_package("vl_convert", "report")
    with tempfile.TemporaryDirectory(prefix="coplay-") as folder:
        export_tables(data, Path(folder) / "out", progress=progress)
        exported = ReportTables.read(Path(folder) / "out")
    progress("Drawing the charts", None)
    studies = sorted({f"{row['study']}, version {row['version']}" for row in exported["participants"]})
    title = "; ".join(studies) or "An empty study"
    text = page(title, _subtitle(exported), _headline_figures(exported), _sections(exported))
    write_text_atomically(out, text)


def _subtitle(exported: ReportTables) -> str:
    times = sorted(row["arrived_utc"][:16].replace("T", " ") for row in exported["participants"])
    now = datetime.now(UTC).isoformat(" ", "minutes")[:16]
    period = f"Arrivals from {times[0]} to {times[-1]} UTC. " if times else ""
    return f"{period}Report of {now} UTC, by coplay."


def _headline_figures(exported: ReportTables) -> list[tuple[str, str]]:
    """Return the figures at the top of the page as (label, figure)."""
    minutes = sum(map(minutes_of, exported["games"]))
    trips = [row["rtt_ms"] for row in exported["net"] if row["rtt_ms"] is not None]
    ended = Counter(map(people.ending_of, exported["participants"]))
    dropped_out = ended.total() - ended["completed"] - ended["found no partner"] - ended["still there"]
    return [
        ("people came", f"{ended.total()}"),
        ("completed", f"{ended['completed']}"),
        ("found no partner", f"{ended['found no partner']}"),
        ("dropped out", f"{dropped_out}"),
        ("games", f"{len(exported['games'])}"),
        ("usable games", f"{sum(map(games.is_usable, exported['games']))}"),
        ("minutes played", f"{minutes:.0f}" if minutes >= 10 else f"{minutes:.1f}"),
        ("median round trip", f"{median(trips):.0f} ms" if trips else "–"),
    ]


def _sections(exported: ReportTables) -> list[Section]:
    funnel, endings = people.funnel(exported), people.endings(exported)
    verdicts, returns = games.verdicts(exported), games.returns(exported)
    trips, sides = connections.round_trips(exported), connections.sides(exported)
    disturbances = people.disturbances(exported)
    ended = people.sum_by(endings, "how it ended", "people")
    return [
        Section(
            "How far people came",
            "Everyone who opened the study, by the last step they reached.",
            charts.bars(funnel, "step", "people", title="people"),
            funnel,
        ),
        Section(
            "Who dropped out, and why",
            "How people's paths ended and, for those who did not complete, in which scene. The columns "
            "ended_how and dropped_out of the table participants say who it was.",
            charts.bars(ended, "how it ended", "people", title="people") if ended else "",
            endings,
        ),
        Section(
            "Which games may be used",
            "A game is identical if all its players' browsers reported the same inputs and states, frame by "
            "frame. The second table lists all other games, with the reason.",
            charts.bars(verdicts, "scene", "games", title="games", color="verdict") if verdicts else "",
            games.uses(exported),
            games.doubtful_games(exported),
        ),
        Section(
            "Returns",
            "Mean return of a player in each finished episode, with its standard error (se). People in one "
            "game are not independent of each other: the error is a rough guide.",
            charts.lines(returns) if len(returns) > 1 else "",
            returns,
        ),
        Section(
            "How good the connections were",
            "The time to the partner and back, measured once a second on each side by the game's own "
            "datagrams; it includes the time that a busy browser took to answer. The second table has one "
            "row for each game, the worst first. A silence is a second or more without any sign of a "
            "partner. Stood still is the share of the time for which the picture stood still, on the side "
            "where that was longest.",
            charts.histogram(trips, "link", title="round trip, ms; the last bar has all that took longer")
            if trips
            else "",
            connections.by_link(exported),
            connections.by_game(exported),
        ),
        Section(
            "Standing still, and on whose side",
            "The share of the time for which the picture stood still, because a partner's input was missing "
            "for longer than the game may guess ahead (column window of the table games). This is what "
            "people notice. A line joins the sides of one game: where it is long, one player had more of "
            "it. One-sidedness is 0 if all players had the same share, 1 if one player had it all.",
            charts.pairs(sides, "stalls", title="share of the time", share=True) if sides else "",
            connections.side_by_side(sides, "stalls"),
        ),
        Section(
            "Corrections, and on whose side",
            "How often a minute a guess of a partner's input proved wrong, so that the last frames were "
            "simulated again with the right one (a rollback). Rollbacks are normal, and most go unnoticed.",
            charts.pairs(sides, "rollbacks", title="corrections a minute") if sides else "",
            connections.side_by_side(sides, "rollbacks"),
        ),
        Section(
            "Disturbances",
            "What happened to people's pages, links and partners before their path ended. The table events "
            "has every event.",
            charts.bars(disturbances, "what", "times", title="times"),
            disturbances,
        ),
    ]
