"""Links are measured by kind and game, and smoothness by side."""

import pytest

from coplay.export.report import connections
from coplay.export.report.report_tables import ReportTables


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
