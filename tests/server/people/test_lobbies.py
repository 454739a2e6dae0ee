"""Lobbies: who is matched, who is away, and what those who wait are told."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.server.conftest import duel_study
from tests.server.people.world import SETTINGS, World, world_of

from coplay.server.people.lobbies import Lobbies
from coplay.study.matching import Matched, PatienceExceeded

pytestmark = pytest.mark.anyio
LOBBY = 1


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with world_of(duel_study(), tmp_path) as world:
        yield world


@pytest.fixture
def lobbies(world: World, anyio_backend: str) -> Lobbies:
    return Lobbies(duel_study(60), SETTINGS, world.messenger, world.event_log)


async def told(world: World, sid: str) -> list[tuple[int, float]]:
    """What a socket was told of the lobby: how many are present, and the seconds waited."""
    await world.settle()
    messages = world.sockets.sent.get(sid, [])
    return [(data["present"], data["waited_s"]) for event, data in messages if event == "lobby"]


def test_indices_are_those_of_lobby_scenes(lobbies: Lobbies) -> None:
    assert lobbies.indices == [LOBBY]


async def test_two_who_join_are_matched_in_order_of_arrival(lobbies: Lobbies) -> None:
    lobbies.join(LOBBY, "bob", 1.0)
    assert lobbies.tick(LOBBY, 1.0) == []
    lobbies.join(LOBBY, "ann", 2.0)
    assert lobbies.tick(LOBBY, 2.0) == [Matched(("bob", "ann"))]


async def test_patience_that_is_exceeded_ends_the_wait(lobbies: Lobbies) -> None:
    lobbies.join(LOBBY, "ann", 0.0)
    assert lobbies.tick(LOBBY, 59.9) == []
    assert lobbies.tick(LOBBY, 60.0) == [PatienceExceeded("ann")]


async def test_those_who_wait_are_told_regularly(world: World, lobbies: Lobbies) -> None:
    world.messenger.open("ann", "s")
    lobbies.join(LOBBY, "ann", 10.0)
    for now in (10.0, 10.5, 11.0, 11.5, 12.0):
        lobbies.tick(LOBBY, now)
    assert await told(world, "s") == [(1, 0.0), (1, 1.0), (1, 2.0)]


async def test_those_who_stay_are_told_when_someone_drops_or_leaves(world: World, lobbies: Lobbies) -> None:
    world.messenger.open("ann", "s")
    for participant_id in ("ann", "bob", "cid"):
        lobbies.join(LOBBY, participant_id, 0.0)
    lobbies.drop(LOBBY, "bob", 1.0)
    lobbies.leave(LOBBY, "cid", 2.0)
    assert await told(world, "s") == [(2, 1.0), (1, 2.0)]


async def test_participant_who_is_away_keeps_the_place_for_a_while(world: World, lobbies: Lobbies) -> None:
    lobbies.join(LOBBY, "ann", 0.0)
    lobbies.drop(LOBBY, "ann", 1.0)
    lobbies.join(LOBBY, "bob", 2.0)
    assert lobbies.tick(LOBBY, 2.0) == []
    lobbies.join(LOBBY, "ann", 3.0)
    assert lobbies.tick(LOBBY, 3.0) == [Matched(("ann", "bob"))]


async def test_participant_who_does_not_come_back_is_noted_and_not_listed(
    world: World, lobbies: Lobbies
) -> None:
    world.messenger.open("bob", "s")
    lobbies.join(LOBBY, "ann", 0.0)
    lobbies.drop(LOBBY, "ann", 0.0)
    lobbies.join(LOBBY, "bob", 0.0)
    assert lobbies.tick(LOBBY, SETTINGS.lobby_hold_s) == []
    assert await world.rows("select kind, participant_id from events") == [("went_away", "ann")]
    assert await told(world, "s") == [(1, SETTINGS.lobby_hold_s)]


@pytest.mark.parametrize("index", [0, LOBBY])
async def test_someone_who_does_not_wait_is_neither_dropped_nor_leaves(
    world: World, lobbies: Lobbies, index: int
) -> None:
    world.messenger.open("ann", "s")
    lobbies.join(LOBBY, "ann", 0.0)
    lobbies.drop(index, "zoe", 1.0)
    lobbies.leave(index, "zoe", 1.0)
    assert await told(world, "s") == []
