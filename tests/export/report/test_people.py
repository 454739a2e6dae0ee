"""People are counted by how far they came, how their path ended, and what disturbed them."""

from coplay.export.report import people


def test_funnel_counts_each_person_once_at_each_step(exported):
    assert [(row["people"], row["share"]) for row in people.funnel(exported)] == [
        (5, 1.0), (3, 0.6), (3, 0.6), (3, 0.6)
    ]  # fmt: skip


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
