"""Running games and their seats, by game and by participant."""

from tests.server.games.doubles import GAME, play_setup, running_game

from coplay.server.games.game import RunningGames


def test_added_game_is_found_by_its_id_and_by_its_participants() -> None:
    games, game = RunningGames(), running_game("ann", "bob")
    games.add(game)
    assert games.get(GAME) is game
    assert games.seat_of("bob") == (game, 1)
    assert games.running() == [game]


def test_participant_without_a_game_has_no_seat() -> None:
    assert RunningGames().seat_of("ann") == (None, -1)
    assert RunningGames().get(GAME) is None


def test_vacated_seat_belongs_to_nobody_and_the_game_goes_with_its_last_seat() -> None:
    games, game = RunningGames(), running_game("ann", "bob")
    games.add(game)
    games.vacate(game, 0)
    assert games.seat_of("ann") == (None, -1)
    assert game.members == {1: "bob"}
    assert games.running() == [game]
    games.vacate(game, 1)
    assert games.running() == []
    assert games.get(GAME) is None


def test_game_of_one_person_is_not_shared() -> None:
    assert not running_game("ann", setup=play_setup(0)).is_shared
    assert running_game("ann", "bob").is_shared


def test_others_are_all_players_except_one() -> None:
    assert list(running_game("ann", "bob", "cid").others(1)) == [0, 2]
