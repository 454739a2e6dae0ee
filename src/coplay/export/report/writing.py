"""Writes the report of a data directory."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

from coplay.export.optional_packages import needed
from coplay.export.report import charts, connections, findings
from coplay.export.report.findings import ReportTables
from coplay.export.report.page import Section, page
from coplay.export.tables.exporting import export_tables
from coplay.runtime import ReportProgress, silent


def write_report(data: Path, out: Path, *, progress: ReportProgress = silent) -> None:
    """Write a study as one page.

    Args:
        data: A data directory; the study may be running.
        out: The HTML file; replaced at once when it is there.
        progress: Told how far it is.

    Raises:
        StoreError: There is no data in `data`.
        UsageError: What draws the charts is not installed.
    """
    needed("vl_convert", "report")
    with tempfile.TemporaryDirectory(prefix="coplay-") as folder:
        export_tables(data, Path(folder) / "out", progress=progress)
        exported = ReportTables.read(Path(folder) / "out")
    progress("Drawing the charts", None)
    studies = sorted({f"{row['study']}, version {row['version']}" for row in exported["participants"]})
    title = "; ".join(studies) or "An empty study"
    text = page(title, _period(exported), findings.summary(exported), _sections(exported))
    partial = out.with_name(f".{out.name}.partial")
    partial.write_text(text, "utf-8")
    partial.replace(out)


def _period(exported: ReportTables) -> str:
    times = sorted(row["arrived_utc"][:16].replace("T", " ") for row in exported["participants"])
    now = datetime.now(UTC).isoformat(" ", "minutes")[:16]
    period = f"Arrivals from {times[0]} to {times[-1]} UTC. " if times else ""
    return f"{period}Report of {now} UTC, by coplay."


def _sections(exported: ReportTables) -> list[Section]:
    funnel, endings = findings.funnel(exported), findings.endings(exported)
    verdicts, returns = findings.verdicts(exported), findings.returns(exported)
    trips, sides = connections.round_trips(exported), connections.sides(exported)
    disturbances = findings.disturbances(exported)
    ended = findings.added_up(endings, "how it ended", "people")
    return [
        Section(
            "How far people came",
            "Everyone who opened the study, by how far they came.",
            charts.bars(funnel, "step", "people", title="people"),
            funnel,
        ),
        Section(
            "Who dropped out, and why",
            "How everybody's path ended; for who did not complete, in which scene. Who it was is in the "
            "table participants, columns ended_how and dropped_out.",
            charts.bars(ended, "how it ended", "people", title="people") if ended else "",
            endings,
        ),
        Section(
            "Which games may be used",
            "A game is identical if all its players' browsers reported the same inputs and states, frame by "
            "frame. All others are in the second table, with the reason.",
            charts.bars(verdicts, "scene", "games", title="games", color="verdict") if verdicts else "",
            findings.uses(exported),
            findings.doubtful_games(exported),
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
            "datagrams: it has in it how long a busy browser took to answer. Below: each game, the worst "
            "first. A silence is a second or more without any sign of a partner; stood still is the share of "
            "the time on the side that had it worst.",
            charts.histogram(trips, "link", title="round trip, ms; the last bar has all that took longer")
            if trips
            else "",
            connections.by_link(exported),
            connections.by_game(exported),
        ),
        Section(
            "Standing still, and on whose side",
            "The share of the time in which the picture stood still, because a partner's input was out for "
            "longer than can be guessed ahead (column window of the games). This is what people feel. The "
            "sides of one game are joined: where the line is long, one player had more of it. One-sidedness "
            "is 0 if all had as much, 1 if one player had it all.",
            charts.pairs(sides, "stalls", title="share of the time", share=True) if sides else "",
            connections.side_by_side(sides, "stalls"),
        ),
        Section(
            "Corrections, and on whose side",
            "How often a minute a guess of a partner's input proved wrong, and the last frames were played "
            "again with the right one (a rollback). They are part of it, and most go unnoticed.",
            charts.pairs(sides, "rollbacks", title="corrections a minute") if sides else "",
            connections.side_by_side(sides, "rollbacks"),
        ),
        Section(
            "Disturbances",
            "What happened to people's pages, links and partners, up to the end of their path. Every event "
            "is in the table events.",
            charts.bars(disturbances, "what", "times", title="times"),
            disturbances,
        ),
    ]
