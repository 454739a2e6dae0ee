"""The coordinator without sockets or a database: opening, relaying, arriving and ending."""

from typing import Any

import pytest
from tests.server.games.doubles import IDENTITY, Events, Messages, Uploads, VirtualClock, play_setup

from coplay.messages.game import GameConfig
from coplay.messages.to_page import PlayerLeft
from coplay.server.games.coordinator import GameCoordinator, LostSeat, SeatStatus
from coplay.server.games.game import Seat
from coplay.server.settings import Settings
from coplay.signaling import IceServers, TokenSigner
from coplay.signaling.turn import CREDENTIALS_S

SIGNER = TokenSigner(b"s" * 32)
TURN = IceServers(turn=("turn:turn.example.org",), secret="north")


class World:
    def __init__(self, ice: IceServers | None = None) -> None:
        self.messages, self.events, self.uploads = Messages(), Events(), Uploads()
        self.clock = VirtualClock()
        fakes: list[Any] = [self.messages, self.events, self.uploads]
        settings = Settings(begin_s=120, resume_s=60)
        self.coordinator = GameCoordinator(
            IDENTITY, settings, *fakes, SIGNER, ice or IceServers(), self.clock
        )

    def open(self, *participants: str, **setup: Any) -> Any:
        humans = range(len(participants))
        seats = [Seat(participant, visit=1) for participant in participants]
        return self.coordinator.open_game(play_setup(*humans, n_players=len(seats), **setup), seats, "g")

    def tick(self, seconds: float) -> list[str]:
        self.clock.advance(seconds)
        return self.coordinator.tick(self.clock.now())


@pytest.fixture
def world() -> World:
    return World()


def test_opened_game_is_stored_and_its_pages_are_configured(world: World) -> None:
    game = world.open("ann", "bob")
    assert world.uploads.opened == [game.game_id]
    assert world.events.games[0]["game_id"] == game.game_id
    assert world.events.kinds == ["game_joined", "game_joined"]
    (config,) = world.messages.to("bob", GameConfig)
    assert (config.player_id, config.rejoining, config.epochs) == (1, False, {"0": 0})
    claims = SIGNER.read("game", config.token, world.clock.wall())
    assert claims == {"game": game.game_id, "player": 1, "participant": "bob", "incarnation": 0}


def test_configuration_is_sent_to_players_only(world: World) -> None:
    assert not world.coordinator.send_config("eve")
    assert world.messages.posted == []


def test_signal_reaches_the_other_player_stamped(world: World) -> None:
    game = world.open("ann", "bob")
    message = {"type": "bye", "game_id": game.game_id, "target_player_id": 1, "payload": {}}
    assert world.coordinator.handle_webrtc_signal("ann", message) == {"ok": True}
    ((recipient, event, data),) = world.messages.forwarded
    assert (recipient, event, data["from_player_id"]) == ("bob", "webrtc_signal", 0)


def test_refused_signals_are_recorded_once_and_spoofed_ones_close_the_socket(world: World) -> None:
    game = world.open("ann", "bob")
    message = {"type": "bye", "game_id": game.game_id, "target_player_id": 1, "payload": {}}
    for _ in range(3):
        answer = world.coordinator.handle_webrtc_signal("ann", {**message, "from_player_id": 1})
    assert (answer["ok"], answer["reason"]) == (False, "spoofed")
    assert world.events.kinds.count("signal_refused") == 1
    assert world.messages.closed == ["ann"] * 3


def test_datagram_is_addressed_to_a_player_of_the_same_game(world: World) -> None:
    world.open("ann", "bob")
    assert world.coordinator.relay.relay_datagram("ann", b"\x01hello") == ("bob", b"\x00hello")
    assert world.coordinator.relay.relay_datagram("eve", b"\x01hello") is None


def test_credentials_are_for_players_and_are_renewed_in_time() -> None:
    world = World(TURN)
    world.open("ann", "bob")
    assert world.coordinator.relay.ice_servers_of("eve") is None
    servers = world.coordinator.relay.ice_servers_of("ann")
    assert servers is not None
    assert servers[0].credential
    world.uploads.uploaders |= {0, 1}
    world.tick(CREDENTIALS_S / 2 - 1)
    assert len(world.messages.to("ann", GameConfig)) == 1
    world.tick(1)
    assert len(world.messages.to("ann", GameConfig)) == 2


def test_page_of_a_running_game_is_playing_and_any_other_has_no_seat(world: World) -> None:
    world.open("ann", "bob")
    assert world.coordinator.arrive("ann", 1) is SeatStatus.PLAYING
    assert world.coordinator.arrive("eve", 1) is SeatStatus.NO_SEAT


def test_page_that_comes_after_the_report_is_done(world: World) -> None:
    world.open("ann", "bob")
    world.uploads.reports.add(0)
    assert world.coordinator.arrive("ann", 2) is SeatStatus.DONE
    assert world.coordinator.games.seat_of("ann") == (None, -1)


def test_participant_who_leaves_is_announced_and_the_game_goes_on(world: World) -> None:
    game = world.open("ann", "bob")
    world.coordinator.leave("ann", "left the study")
    assert world.messages.to("bob", PlayerLeft) == [
        PlayerLeft(game_id=game.game_id, player_id=0, reason="left the study")
    ]
    assert game.left == {0}
    assert world.uploads.closed == {}
    world.coordinator.leave("bob", "left the study")
    assert world.uploads.closed == {game.game_id: {0, 1}}
    world.coordinator.leave("bob", "again")


def test_participant_who_leaves_after_the_report_did_not_leave_early(world: World) -> None:
    game = world.open("ann", "bob")
    world.uploads.reports.add(0)
    world.coordinator.leave("ann", "left the study")
    assert game.left == set()
    assert world.messages.to("bob", PlayerLeft) == []


def test_finished_game_is_closed_when_all_have_reported(world: World) -> None:
    game = world.open("ann", "bob")
    world.uploads.reports |= {0, 1}
    assert world.coordinator.finish("ann", game.game_id)
    assert world.coordinator.finish("bob", game.game_id)
    assert world.uploads.closed == {game.game_id: set()}
    assert not world.coordinator.finish("bob", game.game_id)


def test_page_that_ends_without_a_report_has_left(world: World) -> None:
    game = world.open("ann", "bob")
    assert world.coordinator.finish("ann", game.game_id)
    assert game.left == {0}
    assert not world.coordinator.finish("bob", "another game")


def test_page_that_does_not_come_back_in_time_is_removed(world: World) -> None:
    world.open("ann", "bob")
    world.coordinator.seats.drop("ann", world.clock.now())
    assert world.tick(9.9) == []
    assert world.tick(0.1) == ["ann"]
    assert world.messages.to("bob", PlayerLeft)[0].reason == "connection lost"


def test_page_that_never_begins_is_removed(world: World) -> None:
    world.open("ann", "bob")
    world.uploads.uploaders.add(1)
    assert world.tick(119) == []
    assert world.tick(1) == ["ann"]


def test_person_who_plays_alone_may_begin_late(world: World) -> None:
    world.open("ann")
    assert world.tick(1000) == []


def test_game_whose_pages_were_all_reloaded_is_lost_and_can_restart(world: World) -> None:
    game = world.open("ann", "bob")
    assert world.coordinator.arrive("ann", 2) is SeatStatus.PLAYING
    assert world.coordinator.arrive("bob", 2) is SeatStatus.NO_SEAT
    assert world.coordinator.take_lost_seats() == [LostSeat("ann", True), LostSeat("bob", True)]
    assert world.coordinator.take_lost_seats() == []
    assert world.uploads.closed == {game.game_id: {0, 1}}


def test_lost_game_cannot_restart_without_everyone(world: World) -> None:
    world.open("ann", "bob")
    world.coordinator.arrive("ann", 2)
    world.coordinator.leave("bob", "left the study")
    assert world.coordinator.take_lost_seats() == [LostSeat("ann", False)]


def test_tick_survives_a_game_that_ends_while_it_is_looked_at(world: World) -> None:
    world.open("ann", "bob")
    world.coordinator.arrive("bob", 2)
    world.coordinator.seats.drop("ann", world.clock.now())
    assert world.tick(10) == ["ann"]
    assert world.coordinator.games.running() == []


def test_successor_is_the_participant_whose_later_page_has_the_seat(world: World) -> None:
    game = world.open("ann", "bob")
    assert world.coordinator.successor_of(game.game_id, 0, 0) is None
    world.coordinator.arrive("ann", 2)
    assert world.coordinator.successor_of(game.game_id, 0, 0) == "ann"
    assert world.coordinator.successor_of(game.game_id, 0, 1) is None
    assert world.coordinator.successor_of("unknown", 0, 0) is None


def test_resumed_game_holds_all_seats_and_keeps_its_epochs(world: World) -> None:
    game = world.open("ann", "bob")
    later = World()
    later.coordinator.resume_game(game, {(1, 0): 3}, later.clock.now())
    assert later.coordinator.relay.signals.epoch(game.game_id, 0, 1) == 3
    assert later.tick(59) == []
    assert later.tick(1) == ["ann", "bob"]
