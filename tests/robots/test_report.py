"""Reports of robots: seconds, frames and games are summed up."""

from typing import Any

from coplay.robots.report import report_robot


def test_report_sums_up_scenes_and_games() -> None:
    timeline = [["lobby", "waiting", 0], ["play", "connecting", 1500], ["play", "playing", 2000]]
    games = [
        {"game_id": "a", "frame": 100, "rollbacks": 3, "rtt_ms": {"1": 20.0, "2": None}},
        {"game_id": "b", "frame": 50, "rollbacks": 1, "rtt_ms": {"1": 40.0}},
    ]
    seen: dict[str, Any] = {"scene": "play", "phase": "playing", "now_ms": 5000, "timeline": timeline}
    report = report_robot(1, {**seen, "games": games, "said": ""}, "")
    assert (report.waited_s, report.played_s) == (1.5, 3.0)
    assert (report.frames, report.rollbacks, report.rtt_ms, report.games) == (150, 4, 30.0, ["a", "b"])
    assert report.outcome == "stuck in play/playing"
    assert report_robot(2, None, "the browser stopped").outcome == "error: the browser stopped"
