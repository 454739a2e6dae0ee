from typing import Any

import pytest

from coplay.data.games.reports import PeerReport, ReportedCut, cuts_column, read_report


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
def test_malformed_report_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="is not"):
        read_report(body)


def test_report_brings_cuts_and_desyncs() -> None:
    body = {
        "verdict": "identical",
        "last_frame": 9,
        "chain_hash": "ab",
        "reason": "left\nby\ud800 \x00one",
        "seats": [[1, -1, "default"]],
        "desyncs": [{"frame": 3, "peer": 1, "paths": ["x" * 500] * 40, "resynced_at": 5}],
    }
    report = read_report(body, players=2)
    assert report.cuts == (ReportedCut(1, -1, "default"),)
    (desync,) = report.desyncs
    assert (desync.frame, desync.peer, desync.resynced_at) == (3, 1, 5)
    assert (len(desync.paths), len(desync.paths[0])) == (32, 200)
    assert report.reason == "left by?  one"


@pytest.mark.parametrize(
    "more",
    [
        {"seats": {}},
        {"seats": [[2, 0, "bot"]]},
        {"seats": [[0, 0]]},
        {"seats": [[0, -2, "bot"]]},
        {"seats": [[0, 0, "gone"]]},
        {"seats": [[0, 0, []]]},
        {"seats": [[True, 0, "bot"]]},
        {"seats": [[0, 0, "bot"]] * 257},
        {"desyncs": [1]},
        {"desyncs": [{"frame": -1, "peer": 0}]},
        {"desyncs": [{"frame": 1, "peer": 2}]},
        {"desyncs": [{"frame": 1, "peer": 0, "paths": "x"}]},
        {"desyncs": [{"frame": 1, "peer": 0, "paths": [1]}]},
        {"desyncs": [{"frame": 1, "peer": 0, "resynced_at": "x"}]},
    ],
)
def test_report_with_impossible_cuts_or_desyncs_is_refused(more: dict[str, Any]) -> None:
    body = {"verdict": "identical", "last_frame": 9, "chain_hash": "ab", **more}
    with pytest.raises(ValueError, match="is not"):
        read_report(body, players=2)


def test_cuts_are_taken_from_the_peer_with_the_most_frames() -> None:
    early = PeerReport("truncated", 10, "ab", cuts=(ReportedCut(1, 4, "end"),))
    late = PeerReport("identical", 90, "cd", cuts=(ReportedCut(1, 5, "bot"),))
    assert cuts_column({0: early, 2: late}) == {"1": [{"last_frame": 5, "fate": "bot"}]}
    assert cuts_column({}) == {}
