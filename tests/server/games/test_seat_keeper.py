"""Seats while pages lose their sockets, are reloaded, and come back; without sockets, on a virtual clock."""

from typing import Any

import pytest
from tests.server.games.doubles import GAME, Events, Messages, VirtualClock, play_setup, running_game

from coplay.messages.to_page import PlayerBack
from coplay.server.games.game import RunningGame, RunningGames
from coplay.server.games.seats import SeatKeeper
from coplay.server.settings import Settings
from coplay.signaling import SignalRelay


class World:
    def __init__(self, game: RunningGame) -> None:
        self.game = game
        self.games = RunningGames()
        self.games.add(game)
        self.relay, self.messages, self.events = SignalRelay(), Messages(), Events()
        self.clock = VirtualClock()
        fakes: list[Any] = [self.messages, self.events]
        self.seats = SeatKeeper(self.games, self.relay, Settings(resume_s=60), *fakes, self.clock)

    def held_for(self, player: int) -> float | None:
        absence = self.game.seats[player].absence
        return None if absence is None else absence.until - self.clock.now()


@pytest.fixture
def world() -> World:
    return World(running_game("ann", "bob"))


def test_lost_socket_holds_the_seat_once(world: World) -> None:
    world.seats.drop("ann", world.clock.now())
    assert world.held_for(0) == 10
    world.clock.advance(4)
    world.seats.drop("ann", world.clock.now())
    assert world.held_for(0) == 6
    assert world.events.kinds == ["connection_lost"]


def test_page_that_comes_back_has_its_seat_as_before(world: World) -> None:
    world.seats.drop("ann", world.clock.now())
    world.seats.arrive("ann", visit=1)
    assert world.held_for(0) is None
    assert world.game.seats[0].incarnation == 0
    assert world.game.seats[0].has_state
    assert world.events.kinds == ["connection_lost", "connection_back"]


def test_later_page_takes_the_seat_without_the_state_and_the_others_are_told(world: World) -> None:
    world.seats.replace_page("ann", world.clock.now())
    assert world.held_for(0) == 10
    world.seats.arrive("ann", visit=2)
    seat = world.game.seats[0]
    assert (seat.visit, seat.incarnation, seat.has_state, seat.absence) == (2, 1, False, None)
    assert world.messages.to("bob", PlayerBack) == [
        PlayerBack(game_id=GAME, player_id=0, incarnation=1, epoch=1)
    ]
    assert world.relay.epoch(GAME, 0, 1) == 1
    kind, participant_id, detail = world.events.rows[-1]
    assert (kind, participant_id, detail["epochs"]) == ("rejoined", "ann", {"1": 1})


def test_first_frames_of_a_later_page_give_it_the_state(world: World) -> None:
    world.seats.arrive("ann", visit=2)
    world.seats.receive_batch(GAME, 0, incarnation=1, frames=0)
    assert not world.game.seats[0].has_state
    world.seats.receive_batch(GAME, 0, incarnation=1, frames=4)
    assert world.game.seats[0].has_state


def test_upload_extends_the_uploaders_own_hold(world: World) -> None:
    world.seats.drop("ann", world.clock.now())
    world.clock.advance(8)
    world.seats.receive_batch(GAME, 0, incarnation=0, frames=0)
    assert world.held_for(0) == 10


def test_confirmed_frames_of_one_page_extend_the_holds_of_all(world: World) -> None:
    world.seats.drop("ann", world.clock.now())
    world.clock.advance(8)
    world.seats.receive_batch(GAME, 1, incarnation=0, frames=0)
    assert world.held_for(0) == 2
    world.seats.receive_batch(GAME, 1, incarnation=0, frames=4)
    assert world.held_for(0) == 10


def test_upload_of_a_replaced_page_extends_nothing(world: World) -> None:
    world.seats.arrive("ann", visit=2)
    world.seats.drop("ann", world.clock.now())
    world.clock.advance(8)
    world.seats.receive_batch(GAME, 0, incarnation=0, frames=4)
    assert world.held_for(0) == 2
    assert not world.game.seats[0].has_state


def test_upload_about_an_unknown_game_is_ignored(world: World) -> None:
    world.seats.receive_batch("unknown", 0, incarnation=0, frames=4)


def test_upload_for_a_vacated_seat_extends_the_others_only(world: World) -> None:
    world.seats.drop("bob", world.clock.now())
    world.games.vacate(world.game, 0)
    world.clock.advance(8)
    world.seats.receive_batch(GAME, 0, incarnation=0, frames=4)
    assert world.held_for(1) == 10


def test_person_who_plays_alone_is_held_for_the_resume_time() -> None:
    world = World(running_game("ann", setup=play_setup(0)))
    world.seats.drop("ann", world.clock.now())
    assert world.held_for(0) == 60


def test_participant_without_a_game_is_ignored(world: World) -> None:
    world.seats.drop("eve", 0)
    world.seats.replace_page("eve", 0)
    world.seats.arrive("eve", visit=1)
    assert world.events.kinds == []
