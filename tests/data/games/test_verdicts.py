from coplay.data.games.reports import PeerReport, ReportedCut, ReportedDesync, cuts_column, desyncs_column
from coplay.data.games.verdicts import judge

SAME = PeerReport("identical", 99, "ab")


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
    verdict = judge([0, 1], {0: PeerReport("truncated", 40, "cd", "player 1 left")}, left=[1])
    assert (verdict.name, verdict.frame, verdict.reason) == ("truncated", 40, "Player 1 left.")


def test_peer_that_left_unnoticed_by_the_others_truncates() -> None:
    assert judge([0, 1], {0: SAME}, left=[1]).name == "truncated"


def test_reported_divergence_wins_over_a_truncation() -> None:
    reports = {0: PeerReport("divergent", 50, "ab"), 1: PeerReport("truncated", 60, "cd")}
    assert (judge([0, 1], reports).name, judge([0, 1], reports).frame) == ("divergent", 50)


def test_different_chains_over_the_same_frames_are_divergent() -> None:
    assert judge([0, 1], {0: SAME, 1: PeerReport("identical", 99, "ff")}).name == "divergent"


def test_uploaded_inputs_that_differ_are_divergent_whatever_was_reported() -> None:
    verdict = judge([0, 1], {0: SAME, 1: SAME}, first_difference=12)
    assert (verdict.name, verdict.frame) == ("divergent", 12)


def test_different_last_frames_are_truncated_at_the_lower() -> None:
    verdict = judge([0, 1], {0: SAME, 1: PeerReport("identical", 80, "cd")})
    assert (verdict.name, verdict.frame) == ("truncated", 80)


def test_chain_known_to_the_server_settles_what_a_peer_could_not_verify() -> None:
    assert judge([0, 1], {0: SAME, 1: PeerReport("unverified", 99, "ab")}).name == "identical"


def test_uploads_count_when_all_players_left() -> None:
    verdict = judge([0, 1], {}, left=[0, 1], frames=30, shared_frames=25)
    assert (verdict.name, verdict.frame, verdict.last_frame) == ("truncated", 24, 24)
    assert judge([0, 1], {}, left=[0], frames=30, shared_frames=25).name == "unverified"
    assert judge([0], {}, left=[0], frames=30, shared_frames=30).name == "unverified"
    assert judge([0, 1], {}, left=[0, 1], first_difference=3, shared_frames=25).name == "divergent"


def test_game_that_never_began_is_unverified() -> None:
    reports = dict.fromkeys([0, 1], PeerReport("mismatch", -1, "", "code differs"))
    assert (judge([0, 1], reports).name, judge([0, 1], reports).reason) == ("unverified", "Code differs.")


def test_every_reason_is_a_sentence() -> None:
    truncated = PeerReport("truncated", 40, "ab", "Peer 2 left")
    verdicts = (
        judge([0, 1], {0: SAME, 1: SAME}),
        judge([0], {0: SAME}),
        judge([0, 1], {0: SAME}),
        judge([0, 1, 2], {0: SAME}),
        judge([0, 1], {}, left=[0, 1], frames=0),
        judge([0, 1], {0: SAME}, left=[1]),
        judge([0, 1, 2], {0: truncated, 1: truncated}, left=[2]),
        judge([0, 1], {0: SAME, 1: PeerReport("identical", 80, "cd")}),
        judge([0, 1], {0: SAME, 1: PeerReport("identical", 99, "ff")}),
        judge([0, 1], {0: SAME, 1: SAME}, first_difference=12),
        judge([0, 1], {0: PeerReport("divergent", 9, ""), 1: PeerReport("divergent", 9, "", "no")}),
        judge([0, 1], {0: SAME, 1: SAME}, checksum_difference=12),
    )
    reasons = [verdict.reason for verdict in verdicts]
    assert all(reason[0].isupper() and reason.endswith(".") for reason in reasons), reasons
    assert reasons[1] == "One browser played alone: there was no other to compare it with."
    assert reasons[3] == "No report of the end came from players 1 and 2."
    assert reasons[4] == "Nothing was played. No report of the end came from players 0 and 1."
    assert reasons[6] == "Player 2 left."


BOT = ReportedCut(1, 40, "bot")


def test_game_that_a_bot_played_on_is_identical_when_all_that_remained_agree() -> None:
    went_on = PeerReport("identical", 99, "ab", cuts=(BOT,))
    early = PeerReport("truncated", 40, "cd")
    for reports in ({0: went_on, 2: went_on}, {0: went_on, 1: early, 2: went_on}):
        verdict = judge([0, 1, 2], reports, left=[1])
        assert (verdict.name, verdict.frame, verdict.chain_hash, verdict.last_frame) == (
            "identical",
            None,
            "ab",
            99,
        )
        assert verdict.reason == (
            "Player 1 left after frame 40, and a bot played on; all players who stayed reported the same."
        )


def test_seat_that_nobody_saw_leave_must_report_whatever_the_others_say() -> None:
    went_on = PeerReport("identical", 99, "ab", cuts=(BOT,))
    assert judge([0, 1], {0: went_on}).name == "unverified"
    assert judge([0, 1], {0: went_on, 1: PeerReport("identical", 80, "cd")}).name == "truncated"


def test_game_that_ended_with_a_leave_is_truncated() -> None:
    report = PeerReport("truncated", 40, "ab", "player 1 left", (ReportedCut(1, 40, "end"),))
    assert judge([0, 1], {0: report}, left=[1]).name == "truncated"


def test_person_who_came_back_must_agree_with_the_others() -> None:
    cuts = (BOT, ReportedCut(1, 60, "back"))
    same = PeerReport("identical", 99, "ab", cuts=cuts)
    assert judge([0, 1], {0: same, 1: same}).name == "identical"
    assert judge([0, 1], {0: same, 1: PeerReport("identical", 99, "ff", cuts=cuts)}).name == "divergent"
    assert judge([0, 1], {0: same}).name == "unverified"
    assert cuts_column({0: same}) == {
        "1": [{"last_frame": 40, "fate": "bot"}, {"last_frame": 60, "fate": "back"}]
    }


def test_remaining_peers_that_differ_are_divergent() -> None:
    reports = {
        0: PeerReport("identical", 99, "ab", cuts=(BOT,)),
        2: PeerReport("identical", 99, "cd", cuts=(BOT,)),
    }
    assert judge([0, 1, 2], reports, left=[1]).name == "divergent"


def test_divergence_names_the_first_frame_and_path() -> None:
    reports = {
        0: PeerReport("divergent", 90, "ab"),
        1: PeerReport(
            "divergent", 90, "cd", desyncs=(ReportedDesync(60, 0, ("world.ball.x", "world.t"), None),)
        ),
    }
    verdict = judge([0, 1], reports, checksum_difference=60)
    assert (verdict.name, verdict.frame) == ("divergent", 60)
    assert verdict.reason == "The players' states differed, first in world.ball.x."
    assert desyncs_column(reports) == [
        {"reported_by": 1, "frame": 60, "peer": 0, "paths": ["world.ball.x", "world.t"], "resynced_at": None}
    ]


def test_game_that_was_made_equal_again_is_divergent_and_says_so() -> None:
    same = PeerReport("identical", 99, "ab", desyncs=(ReportedDesync(60, 1, (), 75),))
    verdict = judge([0, 1], {0: same, 1: SAME}, checksum_difference=60)
    assert (verdict.name, verdict.frame) == ("divergent", 60)
    assert verdict.reason.endswith("made equal again at frame 75.")
