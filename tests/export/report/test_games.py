"""Games are counted by verdict, and their returns by condition."""

import pytest
from sqlalchemy import update

from coplay.data.database import tables as records
from coplay.data.database.store import Store
from coplay.export.report import games, people
from coplay.export.report.report_tables import ReportTables
from coplay.export.tables.exporting import export_tables


def test_games_are_counted_by_verdict_and_doubtful_ones_named(exported):
    assert {row["verdict"]: row["games"] for row in games.verdicts(exported)} == {
        "identical": 1,
        "truncated": 1,
    }
    assert [row["game"] for row in games.doubtful_games(exported)] == ["a" * 20]


def test_returns_are_those_of_people_in_finished_episodes(exported):
    rows = games.returns(exported)
    assert {row["condition"] for row in rows} == {"color: blue", "color: red"}
    first = exported["episodes"][0]["returns"]
    assert next(r for r in rows if r["condition"] == "color: red" and r["episode"] == 0)["mean"] == first[1]
    assert {row["players"] for row in rows} == {2}


def test_games_to_use_are_counted_with_their_minutes(exported):
    assert [(row["verdict"], row["games"]) for row in games.uses(exported)] == [
        ("identical", 1),
        ("truncated", 1),
    ]
    assert games.uses(exported)[0]["minutes"] == pytest.approx(120 / 30 / 60)


def test_game_that_has_not_ended_counts_with_what_was_played_of_it(study, tmp_path):
    store = Store(study)
    store.execute(update(records.games).values(frames=None, verdict=None)).result()
    store.close()
    export_tables(study, tmp_path / "out")
    exported = ReportTables.read(tmp_path / "out")
    assert people.funnel(exported)[2]["people"] == 3
    assert games.uses(exported) == [
        {
            "verdict": "running",
            "games": 2,
            "minutes": pytest.approx(240 / 30 / 60),
            "what to use": "nothing yet: it has not ended",
        }
    ]
