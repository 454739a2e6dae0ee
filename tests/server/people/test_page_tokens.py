"""Tokens that open sockets: each is good until the page has shown the next."""

from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from tests.server.conftest import duel_study
from tests.server.people.world import SETTINGS, World, world_of

from coplay.server.people.page_tokens import KIND
from coplay.server.people.participants import Participant
from coplay.server.refusals import RequestRefusedError

pytestmark = pytest.mark.anyio


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with world_of(duel_study(), tmp_path) as world:
        yield world


def token_of(world: World, of: Participant, turn: int | None = None, **claims: Any) -> str:
    known = {"participant": of.participant_id, "visit": of.attendance.visit, **claims}
    if turn is not None:
        known["turn"] = turn
    return world.signer.sign(KIND, known, world.clock.wall() + SETTINGS.token_s)


def refusal(world: World, token: object) -> str:
    with pytest.raises(RequestRefusedError) as refused:
        world.page_tokens.read(token)
    return refused.value.message


def test_token_says_whose_page_it_is_and_of_which_turn(world: World) -> None:
    participant, _ = world.arrive("ann")
    assert world.page_tokens.read(token_of(world, participant)) == (participant, 0)
    assert world.page_tokens.read(token_of(world, participant, 3)) == (participant, 3)


@pytest.mark.parametrize("token", [None, "", "x", 7, ["x"], {"token": "x"}])
def test_what_is_no_token_is_refused(world: World, token: object) -> None:
    assert refusal(world, token) == "This page is out of date."


def test_token_is_refused_once_its_time_is_over(world: World) -> None:
    participant, _ = world.arrive("ann")
    token = token_of(world, participant)
    world.clock.advance(SETTINGS.token_s - 1)
    assert world.page_tokens.read(token) == (participant, 0)
    world.clock.advance(2)
    assert refusal(world, token) == "This page is out of date."


def test_token_of_a_game_opens_no_socket(world: World) -> None:
    participant, _ = world.arrive("ann")
    claims: dict[str, str | int] = {"participant": participant.participant_id, "visit": 1}
    assert refusal(world, world.signer.sign("game", claims, 2**33)) == "This page is out of date."


def test_token_of_a_participant_who_is_unknown_is_refused(world: World) -> None:
    participant, _ = world.arrive("ann")
    assert "does not know" in refusal(world, token_of(world, participant, participant="zoe"))


def test_token_of_a_page_that_was_replaced_is_refused(world: World) -> None:
    participant, secret = world.arrive("ann")
    former = token_of(world, participant)
    world.arrive("ann", secret)
    assert "another tab" in refusal(world, former)
    assert world.page_tokens.replayed == 0


async def test_stale_token_is_refused_counted_and_noted_once_for_each_page(world: World) -> None:
    participant, secret = world.arrive("ann")
    world.connect(participant)
    for _ in range(2):
        world.page_tokens.opened(participant, 1, resumed=True)
        for _ in range(3):
            assert "from elsewhere" in refusal(world, token_of(world, participant))
        world.arrive("ann", secret)
    assert world.page_tokens.replayed == 6
    noted = await world.rows("select count(*) from events where kind = 'token_replayed'")
    assert noted == [(2,)]


async def test_socket_brings_the_token_of_the_next_turn_once_its_own_is_stored(world: World) -> None:
    participant, _ = world.arrive("ann")
    world.connect(participant)
    world.page_tokens.opened(participant, 0, resumed=False)
    assert world.sockets.sent.get("s1", []) == []
    ((token,),) = [[data["token"] for data in await world.data(participant, "resume")]]
    assert world.page_tokens.read(token) == (participant, 1)
    assert await world.rows("select count(*) from events where kind = 'connected'") == [(1,)]


async def test_no_token_is_sent_to_a_page_that_was_replaced_meanwhile(world: World) -> None:
    participant, secret = world.arrive("ann")
    world.connect(participant)
    world.page_tokens.opened(participant, 0, resumed=False)
    world.arrive("ann", secret)
    assert await world.data(participant, "resume") == []


async def test_no_token_is_sent_if_the_present_one_could_not_be_stored(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    participant, _ = world.arrive("ann")
    world.connect(participant)
    failed: Future[None] = Future()
    failed.set_exception(OSError("disk full"))
    monkeypatch.setattr(world.event_log, "event", lambda *_, **__: failed)
    world.page_tokens.opened(participant, 0, resumed=False)
    assert await world.data(participant, "resume") == []
    assert world.page_tokens.read(token_of(world, participant)) == (participant, 0)


async def test_confirmed_token_makes_the_former_stale(world: World) -> None:
    participant, _ = world.arrive("ann")
    former, token = token_of(world, participant), token_of(world, participant, 1)
    assert world.page_tokens.keep(participant, token)
    assert "from elsewhere" in refusal(world, former)
    assert world.page_tokens.read(token) == (participant, 1)
    assert ("resume_kept",) in await world.rows("select kind from events")


def test_only_the_next_token_of_ones_own_page_can_be_confirmed(world: World) -> None:
    participant, other = world.arrive("ann")[0], world.arrive("bob")[0]
    for token in (
        None,
        "x",
        token_of(world, participant),
        token_of(world, participant, 0),
        token_of(world, other, 1),
        token_of(world, participant, 1, visit=2),
    ):
        assert not world.page_tokens.keep(participant, token)
    assert participant.attendance.turn == other.attendance.turn == 0
