"""One page that shows how a study went, without scripts and without a network."""

import re
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner
from sqlalchemy import insert, update

from coplay.cli import main
from coplay.data.database import tables as records
from coplay.data.database.store import Store
from coplay.export.report import connections, games, people
from coplay.export.report.report_tables import ReportTables
from coplay.export.tables.exporting import export_tables


@pytest.fixture
def study(meeting, data):
    """Two games, and two more people: one found no partner, and one closed the page."""
    later = {"started_utc": "2026-01-02T00:00:00.000+00:00", "verdict": "truncated", "verdict_frame": 80}
    meeting.store(
        data, "a" * 20, people=("eve", "bob"), left_early=[0], verdict_reason="player 0 <left>", **later
    )
    person = {"study": "meeting", "version": "3", "secret_hash": "", "scene": 0}
    arrived = {"arrived_utc": "2026-01-03T00:00:00.000+00:00", "arrived_ms": 0.0, "browser": ""}
    event = {
        "study": "meeting",
        "participant_id": "zoe",
        "utc": "2026-01-03T00:01:00",
        "ms": 0.0,
        "detail": {},
    }
    store = Store(data)
    for who, ended in (("zoe", "waited"), ("yan", None)):
        row = {**person, **arrived, "participant_id": who, "ended_how": ended}
        store.execute(insert(records.participants).values(row)).result()
    for kind in ("connected", "disconnected"):
        gone = {**event, "participant_id": "yan", "kind": kind}
        store.execute(insert(records.events).values(gone)).result()
    store.execute(insert(records.events).values(**event, kind="disconnected")).result()
    store.close()
    return data


@pytest.fixture
def exported(study, tmp_path):
    export_tables(study, tmp_path / "out")
    return ReportTables.read(tmp_path / "out")


def test_page_is_one_file_that_asks_no_network_and_names_nobody(study, tmp_path):
    answer = CliRunner().invoke(main, ["report", str(tmp_path / "r.html"), "--data", str(study)])
    assert answer.exit_code == 0, answer.stderr
    text = (tmp_path / "r.html").read_text("utf-8")
    assert "<script" not in text
    assert "<link" not in text
    linked = set(re.findall(r"""(?:href|src)=["']?([^"'> ]+)|url\(([^)]+)\)""", text))
    assert {place for pair in linked for place in pair if place and not place.startswith("#")} == set()
    assert not re.search(r"\b(ada|bob|eve|zoe|yan)\b", text)
    charts = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert len(charts) == 8
    tiles = re.findall(r"<dd>(.*?)</dd><dt>(.*?)</dt>", text)
    assert {what: n for n, what in tiles} == {
        "people came": "5",
        "completed": "3",
        "found no partner": "1",
        "dropped out": "1",
        "games": "2",
        "usable games": "2",
        "minutes played": "0.1",
        "median round trip": "85 ms",
    }
    for chart in charts:
        assert len(list(ElementTree.fromstring(chart).iter())) > 10
    assert "player 0 &lt;left&gt;" in text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "r.html"]


def test_funnel_counts_each_person_once_at_each_step(exported):
    assert [(row["people"], row["share"]) for row in people.funnel(exported)] == [
        (5, 1.0), (3, 0.6), (3, 0.6), (3, 0.6)
    ]  # fmt: skip


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


def test_rollbacks_are_counted_by_side_and_told_apart(exported):
    rows = connections.sides(exported)
    assert [(row["game"], row["player"]) for row in rows] == [
        ("012345", "player 0"), ("012345", "player 1"), ("aaaaaa", "player 0"), ("aaaaaa", "player 1")
    ]  # fmt: skip
    # 3 rollbacks in each row, on player 1's side alone.
    assert [row["rollbacks"] > 0 for row in rows] == [False, True, False, True]
    assert [row["one-sidedness"] for row in connections.side_by_side(rows, "rollbacks")] == [1.0, 1.0]


def test_one_sidedness_is_zero_for_equals_and_unknown_for_none():
    def rows(*rates: float) -> list:
        return [{"game": "g", "player": f"player {p}", "rollbacks": rate} for p, rate in enumerate(rates)]

    assert connections.side_by_side(rows(4, 4, 4), "rollbacks")[0]["one-sidedness"] == pytest.approx(0)
    assert connections.side_by_side(rows(3, 1), "rollbacks")[0]["one-sidedness"] == pytest.approx(0.5)
    assert connections.side_by_side(rows(0, 0), "rollbacks")[0]["one-sidedness"] is None


def test_links_and_games_have_their_quality(exported):
    (link,) = connections.by_link(exported)
    assert (link["link"], link["share"], link["median, ms"], link["95 %, ms"]) == ("direct", 1.0, 85.0, 130.0)
    assert (link["jitter, ms"], link["lost"]) == (2.0, 0.0)
    rows = connections.by_game(exported)
    assert {row["game"] for row in rows} == {"012345", "aaaaaa"}
    # One frame of thirty a second: four rows that span 1.09 s, with one each.
    assert rows[0]["stood still"] == pytest.approx(4 / (1.09 * 30))


def test_round_trips_are_counted_in_bins_of_which_the_last_has_the_rest():
    def net(*trips: float) -> ReportTables:
        return ReportTables({"net": [{"link": "direct", "rtt_ms": trip} for trip in trips]})

    assert connections.round_trips(net()) == []
    assert [(r["from"], r["to"], r["seconds"]) for r in connections.round_trips(net(*[3.5] * 9, 7.2))] == [
        (3, 4, 9),
        (7, 8, 1),
    ]
    rows = connections.round_trips(net(*range(1000), 90_000.0))
    assert (rows[0]["from"], rows[0]["to"], rows[-1]["from"]) == (0, 50, 950)
    assert sum(row["seconds"] for row in rows) == 1001


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


def test_endings_and_disturbances_leave_out_who_closed_the_page_at_the_end(exported):
    ended = {(row["how it ended"], row["in"]): row["people"] for row in people.endings(exported)}
    assert ended == {
        ("completed", "–"): 3,
        ("found no partner", "lobby (scene 0)"): 1,
        ("page closed or connection lost", "lobby (scene 0)"): 1,
    }
    counts = {row["what"]: (row["times"], row["people"]) for row in people.disturbances(exported)}
    assert counts["left a game before its end"] == (1, 1)
    assert counts["page closed or connection lost"] == (2, 2)


def test_empty_study_has_a_report(tmp_path):
    Store(tmp_path / "d").close()
    answer = CliRunner().invoke(main, ["report", str(tmp_path / "r.html"), "--data", str(tmp_path / "d")])
    assert answer.exit_code == 0, answer.stderr
    assert "An empty study" in (tmp_path / "r.html").read_text("utf-8")
