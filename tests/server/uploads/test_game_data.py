"""What is derived from a game's uploads."""

import pytest
from tests.server.uploading import batch

from coplay.data.games.reports import read_report
from coplay.server.uploads.game_data import GameData

BEGAN = 1_780_000_000.0


@pytest.fixture
def game_data() -> GameData:
    return GameData("0" * 20, (1, 1), (0, 1), 20.0, BEGAN, used_at=0)


def test_bound_on_frames_grows_with_the_age_of_the_game(game_data: GameData) -> None:
    assert game_data.max_frames(BEGAN) == pytest.approx(1000 + 1.1 * 20 * 60)
    assert game_data.max_frames(BEGAN + 100) == pytest.approx(1000 + 1.1 * 20 * 160)


def test_verdict_of_copies_that_agree_and_of_equal_reports_is_identical(game_data: GameData) -> None:
    for peer in (0, 1):
        game_data.copies.add(batch(peer))
        game_data.reports[peer] = read_report(
            {"player_id": peer, "verdict": "identical", "chain_hash": "ab", "last_frame": 3}, 2
        )
    columns = game_data.verdict_columns()
    assert (columns["verdict"], columns["frames"], columns["left_early"]) == ("identical", 4, [])


def test_verdict_of_copies_that_differ_is_divergent(game_data: GameData) -> None:
    game_data.copies.add(batch(0))
    game_data.copies.add(batch(1, inputs=bytes([1, 2, 1, 2, 0, 2, 1, 2])))
    for peer in (0, 1):
        game_data.reports[peer] = read_report(
            {"player_id": peer, "verdict": "identical", "chain_hash": "ab", "last_frame": 3}, 2
        )
    columns = game_data.verdict_columns()
    assert columns["verdict"] == "divergent"
    assert columns["verdict_frame"] == 2
