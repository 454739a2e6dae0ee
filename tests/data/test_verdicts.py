from typing import Any

import pytest

from coplay.data.verdicts import Report, judge, read_report

SAME = Report("identical", 99, "ab")


def test_same_chain_from_all_is_identical() -> None:
    verdict = judge([0, 1], {0: SAME, 1: SAME})
    assert (verdict.name, verdict.frame, verdict.chain_hash, verdict.last_frame) == (
        "identical",
        None,
        "ab",
        99,
    )


def test_missing_report_is_unverified() -> None:
    assert judge([0, 1], {0: SAME}).name == "unverified"


def test_no_report_at_all_is_unverified() -> None:
    assert judge([0, 1], {}, left=[0, 1]).name == "unverified"


def test_someone_who_left_truncates() -> None:
    verdict = judge([0, 1], {0: Report("truncated", 40, "cd", "player 1 left")}, left=[1])
    assert (verdict.name, verdict.frame, verdict.reason) == ("truncated", 40, "player 1 left")


def test_someone_who_left_unnoticed_by_the_others_truncates() -> None:
    assert judge([0, 1], {0: SAME}, left=[1]).name == "truncated"


def test_reported_divergence_wins_over_a_truncation() -> None:
    reports = {0: Report("divergent", 50, "ab"), 1: Report("truncated", 60, "cd")}
    assert (judge([0, 1], reports).name, judge([0, 1], reports).frame) == ("divergent", 50)


def test_different_chains_over_the_same_frames_are_divergent() -> None:
    assert judge([0, 1], {0: SAME, 1: Report("identical", 99, "ff")}).name == "divergent"


def test_uploaded_inputs_that_differ_are_divergent_whatever_was_reported() -> None:
    verdict = judge([0, 1], {0: SAME, 1: SAME}, first_difference=12)
    assert (verdict.name, verdict.frame) == ("divergent", 12)


def test_different_last_frames_are_truncated_at_the_lower() -> None:
    verdict = judge([0, 1], {0: SAME, 1: Report("identical", 80, "cd")})
    assert (verdict.name, verdict.frame) == ("truncated", 80)


def test_chain_known_to_the_server_settles_what_a_peer_could_not_verify() -> None:
    assert judge([0, 1], {0: SAME, 1: Report("unverified", 99, "ab")}).name == "identical"


def test_game_that_never_began_is_unverified() -> None:
    reports = dict.fromkeys([0, 1], Report("mismatch", -1, "", "code differs"))
    assert (judge([0, 1], reports).name, judge([0, 1], reports).reason) == ("unverified", "code differs")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"verdict": 1, "last_frame": 1, "chain_hash": ""},
        {"verdict": "identical", "last_frame": -2, "chain_hash": ""},
        {"verdict": "identical", "last_frame": True, "chain_hash": ""},
        {"verdict": "identical", "last_frame": 1, "chain_hash": "<script>"},
        {"verdict": "identical", "last_frame": 1, "chain_hash": "a" * 129},
        {"verdict": "x" * 65, "last_frame": 1, "chain_hash": ""},
    ],
)
def test_report_that_is_none_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="is not"):
        read_report(body)
