"""What pages are told of a game, and what is stored of it."""

from dataclasses import replace

from tests.server.games.doubles import GAME, IDENTITY, play_setup

from coplay.server.games.game_config import game_config, game_row, new_seed


def test_seed_fits_a_number_of_javascript() -> None:
    assert all(0 <= new_seed() < 2**53 for _ in range(100))


def test_row_names_the_participant_and_the_owner_of_each_seat() -> None:
    row = game_row(IDENTITY, play_setup(1), GAME, None, 5, {1: "ann"})
    assert row["seats"] == [
        {"player_id": 0, "participant_id": None, "owner": 1},
        {"player_id": 1, "participant_id": "ann", "owner": 1},
    ]
    assert row["group_id"] is None
    assert row["input_delay"] is None  # chosen by the peers, from their round trips
    assert (row["code_hash"], row["lock_hash"]) == (IDENTITY.code_hash, IDENTITY.lock_hash)


def test_digest_differs_when_pages_could_not_play_together() -> None:
    setup = play_setup(0, 1)
    digest = game_config(IDENTITY, setup, GAME, 5).digest
    others = [
        game_config(replace(IDENTITY, code_hash="d" * 64), setup, GAME, 5),
        game_config(replace(IDENTITY, lock_hash="m" * 64), setup, GAME, 5),
        game_config(IDENTITY, replace(setup, fps=21.0), GAME, 5),
        game_config(IDENTITY, play_setup(0, 1, n_players=3), GAME, 5),
        game_config(IDENTITY, setup, GAME, 6),
    ]
    assert all(other.digest != digest for other in others)


def test_relay_only_study_forces_relayed_connections() -> None:
    assert game_config(IDENTITY, play_setup(0, 1), GAME, 5).ice_policy == "all"
    assert game_config(replace(IDENTITY, relay_only=True), play_setup(0, 1), GAME, 5).ice_policy == "relay"
