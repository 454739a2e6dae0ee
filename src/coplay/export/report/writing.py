"""Writes the report of a data directory."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

from coplay.data import records
from coplay.export.extras import needed
from coplay.export.reading import reading
from coplay.export.report import charts, findings
from coplay.export.report.findings import Exported
from coplay.export.report.page import Section, page
from coplay.export.tables import export_tables
from coplay.runtime import Report, silent


def write_report(data: Path, out: Path, *, progress: Report = silent) -> None:
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
        exported = Exported.read(Path(folder) / "out")
    with reading(data) as reader:
        last_scenes = {
            row["participant_id"]: f"scene {row['scene']}" for row in reader.rows(records.participants)
        }
    for game in exported["games"]:
        for who, scene in last_scenes.items():
            if scene == f"scene {game['scene']}":
                last_scenes[who] = exported.label(game)
    progress("Drawing the charts", None)
    studies = sorted({f"{row['study']} {row['version']}" for row in exported["participants"]})
    title = ", ".join(studies) or "An empty study"
    text = page(title, _period(exported), findings.summary(exported), _sections(exported, last_scenes))
    partial = out.with_name(f".{out.name}.partial")
    partial.write_text(text, "utf-8")
    partial.replace(out)


def _period(exported: Exported) -> str:
    times = sorted(row["arrived_utc"][:16].replace("T", " ") for row in exported["participants"])
    now = datetime.now(UTC).isoformat(" ", "minutes")[:16]
    period = f"Arrivals from {times[0]} to {times[-1]} UTC. " if times else ""
    return f"{period}Report of {now} UTC, by coplay."


def _sections(exported: Exported, last_scenes: dict[str, str]) -> list[Section]:
    funnel, verdicts = findings.funnel(exported), findings.verdicts(exported)
    returns, trips = findings.returns(exported), findings.round_trips(exported)
    sides, endings = findings.sides(exported), findings.endings(exported, last_scenes)
    disturbances = findings.disturbances(exported)
    shown = [{**row, "ended": " · ".join(filter(None, (row["ended"], row["last scene"])))} for row in endings]
    return [
        Section(
            "How far people got",
            "Everyone who opened the study, by how far they came.",
            charts.bars(funnel, "step", "people", title="people"),
            funnel,
        ),
        Section(
            "Can the games be trusted",
            "A game is identical if all its players' browsers reported the same chain of inputs and states. "
            "All others are in the table.",
            charts.bars(verdicts, "scene", "games", title="games", color="verdict") if verdicts else "",
            findings.doubtful_games(exported),
        ),
        Section(
            "Returns",
            "Mean return of a player in each finished episode, with its standard error. People in one game "
            "are not independent of each other: the error is a rough guide.",
            charts.lines(returns) if returns else "",
            returns,
        ),
        Section(
            "Round trips",
            "The time to the partner and back, as each side measured it once a second.",
            charts.histogram(trips, "rtt_ms", "link", title="round trip, ms") if trips else "",
            findings.round_trip_quantiles(trips),
        ),
        Section(
            "Rollbacks, and on whose side",
            "Corrections of a wrong guess, a minute. The sides of one game are joined: where the line is "
            "long, one player saw more of them than the other. One-sidedness is 0 if all saw as many, 1 if "
            "one player saw them all.",
            charts.pairs(sides, "rollbacks", title="rollbacks a minute") if sides else "",
            findings.one_sidedness(sides),
        ),
        Section(
            "Stalls, and on whose side",
            "Frames that had to wait for the other side, a minute.",
            charts.pairs(sides, "stalls", title="stalled frames a minute") if sides else "",
            sides,
        ),
        Section(
            "Time-outs and drop-outs",
            "How everybody's path ended; for who did not complete, in which scene that was.",
            charts.bars(shown, "ended", "people", title="people") if shown else "",
            endings,
        ),
        Section(
            "Disturbances",
            "What happened to people's pages, links and partners.",
            charts.bars(disturbances, "what", "times", title="times"),
            disturbances,
        ),
    ]
