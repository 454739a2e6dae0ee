"""The paths of participants, and in which order their pages are told: without sockets, on a virtual clock."""

from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.server.conftest import KEYS, CountingDuel, duel_study
from tests.server.people.world import SETTINGS, World, world_of

from coplay.data.batches import FrameBatch, encode
from coplay.server.people.participants import Participant
from coplay.study import Study, scenes

pytestmark = pytest.mark.anyio
HOLD_S = 10.0


@pytest.fixture
def world(tmp_path: Path, anyio_backend: str) -> Iterator[World]:
    with world_of(duel_study(), tmp_path) as world:
        yield world


def study_of(*listed: Any) -> Study:
    study = Study("duel", version="7")
    study.scenes = list(listed)
    return study


LOBBY = scenes.Lobby(2, 60, otherwise=scenes.Finish("Sorry.", code="WAITED"))
PLAY = scenes.Play(CountingDuel, keys=KEYS, hold=HOLD_S)
READ = scenes.Instructions("Read.")
END = scenes.Finish("Bye.", code="DONE")


def to_lobby(world: World, participant_id: str) -> Participant:
    participant = world.enter(participant_id)
    assert world.scene_flow.continue_from(participant, 0)
    return participant


def pair(world: World) -> tuple[Participant, Participant]:
    """Two who are in one game."""
    one, two = (to_lobby(world, participant_id) for participant_id in ("ann", "bob"))
    assert one.position.game_id == two.position.game_id is not None
    return one, two


async def play(world: World, participant: Participant, player: int, number: int = 0) -> None:
    """A participant's page uploads four frames."""
    batch = FrameBatch(
        number=number,
        peer=player,
        first_frame=0,
        inputs=bytes([1, 2] * 4),
        confirmed_at_ms=array("d", [0.0] * 4),
        predicted=bytes(4),
        corrected_after=bytes(8),
        rewards=array("d", [0.0] * 8),
        flags=bytes([4] * 8),
        episodes=array("H", [0] * 4),
        checksums=[],
        net=[],
        events=[],
    )
    assert participant.position.game_id is not None
    await world.ledger.add_batch(participant.position.game_id, player, encode(batch))


async def report(world: World, participant: Participant, player: int) -> str:
    """A participant's page reports the end of its game; answers the game."""
    game_id = participant.position.game_id
    assert game_id is not None
    body = {"player_id": player, "verdict": "identical", "chain_hash": "ab", "last_frame": 3}
    await world.ledger.add_report(game_id, player, body)
    return game_id


# From scene to scene


async def test_page_is_shown_where_its_participant_is(world: World) -> None:
    participant = world.enter("ann")
    assert await world.sent(participant) == ["instructions"]


async def test_button_moves_on_from_its_own_scene_alone(world: World) -> None:
    participant = world.enter("ann")
    for index in (1, None, "0", 3, [0]):
        assert not world.scene_flow.continue_from(participant, index)
    assert world.scene_flow.continue_from(participant, 0)
    assert not world.scene_flow.continue_from(participant, 0)
    assert not world.scene_flow.continue_from(participant, 1)
    assert await world.sent(participant) == ["instructions", "lobby"]


async def test_scene_is_shown_once_its_place_on_the_path_is_stored(world: World) -> None:
    participant = world.enter("ann")
    world.scene_flow.continue_from(participant, 0)
    assert participant.stored is not None
    participant.stored.result(20)
    assert await world.rows("select scene, ended_how from participants") == [(1, None)]


async def test_ending_is_stored_with_its_code(tmp_path: Path) -> None:
    with world_of(study_of(READ, END), tmp_path) as world:
        participant = world.enter("ann")
        world.scene_flow.continue_from(participant, 0)
        assert await world.sent(participant) == ["instructions", "finish"]
        assert await world.rows("select ended_how, completion_code from participants") == [
            ("completed", "DONE")
        ]
        world.scene_flow.leave(participant)  # too late: nothing changes
        assert participant.position.progress.ending == "completed"


# Lobbies


async def test_participant_who_waits_is_shown_the_lobby_and_told_how_it_stands(world: World) -> None:
    participant = to_lobby(world, "ann")
    assert (await world.sent(participant, but=()))[-2:] == ["lobby", "lobby"]
    (state, *_) = await world.data(participant, "lobby")
    assert (state["present"], state["size"]) == (1, 2)


async def test_whoever_completes_a_group_never_sees_the_lobby_and_games_come_before_their_scenes(
    world: World,
) -> None:
    one, two = pair(world)
    assert await world.sent(one) == ["instructions", "lobby", "game", "play"]
    assert await world.sent(two) == ["instructions", "game", "play"]
    assert await world.rows("select members from groups") == [('["ann", "bob"]',)]


async def test_group_that_has_something_to_read_first_plays_once_both_have_read(tmp_path: Path) -> None:
    with world_of(study_of(LOBBY, READ, PLAY, END), tmp_path) as world:
        one, two = world.enter("ann"), world.enter("bob")
        assert await world.sent(one) == ["lobby", "instructions"]
        world.scene_flow.continue_from(one, 1)
        assert await world.sent(one) == ["lobby", "instructions", "play"]
        world.scene_flow.continue_from(two, 1)
        assert await world.sent(one) == ["lobby", "instructions", "play", "game"]
        assert await world.sent(two) == ["instructions", "game", "play"]


async def test_lobby_right_after_a_lobby_leads_a_group_into_its_game_in_one_go(tmp_path: Path) -> None:
    with world_of(study_of(LOBBY, LOBBY, PLAY, END), tmp_path) as world:
        one, two = world.enter("ann"), world.enter("bob")
        assert await world.sent(one) == ["lobby", "game", "play"]
        assert await world.sent(two) == ["game", "play"]


async def test_groups_of_different_sizes_lead_from_lobby_to_lobby(tmp_path: Path) -> None:
    four = scenes.Lobby(4, 60)
    with world_of(study_of(LOBBY, four, READ, END), tmp_path) as world:
        people = [world.enter(participant_id) for participant_id in ("ann", "bob", "cid", "dot")]
        assert [await world.sent(participant) for participant in people] == [
            ["lobby", "lobby", "instructions"],
            ["lobby", "instructions"],
            ["lobby", "instructions"],
            ["instructions"],
        ]


async def test_patience_ends_in_the_lobbys_own_ending(world: World) -> None:
    participant = to_lobby(world, "ann")
    world.pass_time(59)
    assert participant.position.progress.ending == ""
    world.pass_time(1)
    assert (await world.data(participant, "scene"))[-1]["code"] == "WAITED"


async def test_participant_who_leaves_the_lobby_is_matched_with_nobody(world: World) -> None:
    participant = to_lobby(world, "ann")
    world.scene_flow.leave(participant)
    other = to_lobby(world, "bob")
    assert (await world.data(participant, "scene"))[-1]["title"] == "You left"
    assert other.position.game_id is None


async def test_participant_who_is_away_is_not_matched_until_they_are_back(world: World) -> None:
    one = to_lobby(world, "ann")
    world.drop(one)
    two = to_lobby(world, "bob")
    assert two.position.game_id is None
    world.connect(one)
    assert one.position.game_id == two.position.game_id is not None


# Games


async def test_participant_alone_plays_without_a_group(tmp_path: Path) -> None:
    with world_of(duel_study(bots=True), tmp_path) as world:
        participant = world.enter("ann")
        assert await world.sent(participant) == ["game", "play"]
        assert await world.rows("select group_id from games") == [(None,)]


async def test_page_that_is_done_with_its_game_goes_on(world: World) -> None:
    one, _ = pair(world)
    game_id = await report(world, one, 0)
    for wrong in (None, 3, "x"):
        assert not world.scene_flow.game_over(one, wrong)
    assert world.scene_flow.game_over(one, game_id)
    assert one.position.game_id is None
    assert (await world.sent(one))[-1] == "finish"


async def test_page_that_resumes_its_socket_in_a_game_is_told_nothing_again(world: World) -> None:
    one, _ = pair(world)
    world.drop(one)
    world.connect(one, resumed=True)
    assert await world.sent(one) == []
    world.drop(one)
    world.connect(one)
    assert await world.sent(one) == ["game", "play"]


async def test_player_who_leaves_is_led_to_the_end_and_the_other_plays_on(world: World) -> None:
    one, two = pair(world)
    world.scene_flow.leave(one)
    assert (await world.data(one, "scene"))[-1]["title"] == "You left"
    assert (await world.sent(two))[-1] == "player_left"
    assert two.position.progress.ending == ""


async def test_player_whose_page_does_not_come_back_is_removed_and_told_when_they_do(world: World) -> None:
    one, two = pair(world)
    world.drop(one)
    world.pass_time(HOLD_S)
    assert (await world.sent(two))[-1] == "player_left"
    assert one.position.progress.index == 2, "whoever is away has not completed anything"
    world.connect(one)
    assert await world.sent(one) == ["removed", "notice", "finish"]
    assert "away for too long" in (await world.data(one, "notice"))[0]["text"]
    assert one.position.removed_from is None


async def test_player_who_never_begins_is_removed_at_once_with_a_page_that_is_there(world: World) -> None:
    one, two = pair(world)
    await play(world, two, 1)
    world.pass_time(SETTINGS.begin_s)
    assert (await world.sent(one))[-3:] == ["removed", "notice", "finish"]
    assert (await world.sent(two))[-1] == "player_left"


async def test_group_that_lost_a_member_passes_its_next_game_by(tmp_path: Path) -> None:
    with world_of(study_of(LOBBY, PLAY, READ, PLAY, END), tmp_path) as world:
        one, two = world.enter("ann"), world.enter("bob")
        for player, participant in enumerate((one, two)):
            game_id = await report(world, participant, player)
            world.scene_flow.game_over(participant, game_id)
        world.scene_flow.continue_from(one, 2)
        assert (await world.sent(one))[-1] == "play"
        world.scene_flow.leave(two)
        assert (await world.sent(one))[-2:] == ["notice", "finish"]
        assert "not complete" in (await world.data(one, "notice"))[0]["text"]
        assert ("game_skipped", "ann") in await world.rows("select kind, participant_id from events")


async def test_member_who_does_not_come_to_the_next_game_is_not_waited_for(tmp_path: Path) -> None:
    with world_of(study_of(LOBBY, READ, PLAY, END), tmp_path) as world:
        one, two = world.enter("ann"), world.enter("bob")
        world.scene_flow.continue_from(one, 1)
        world.pass_time(60)
        assert (await world.sent(one))[-2:] == ["notice", "finish"]
        world.scene_flow.continue_from(two, 1)
        assert (await world.sent(two))[-2:] == ["notice", "finish"]


async def test_game_that_no_page_has_any_more_begins_again_with_all_of_its_people(world: World) -> None:
    one, secret = world.arrive("ann")
    world.connect(one)
    two, other_secret = world.arrive("bob")
    world.connect(two)
    for participant in (one, two):
        world.scene_flow.continue_from(participant, 0)
    former = one.position.game_id
    for participant_id, proof in (("ann", secret), ("bob", other_secret)):
        participant, _ = world.arrive(participant_id, proof)
        world.drop(participant)
        world.scene_flow.reloaded(participant)
    world.connect(one)
    assert await world.sent(one) == ["game", "play"]
    world.connect(two)
    assert await world.sent(one) == ["game", "play", "player_back", "notice", "play", "game"]
    assert await world.sent(two) == ["notice", "game", "play"]
    assert one.position.game_id == two.position.game_id not in (None, former)


async def test_game_that_no_page_has_any_more_is_over_where_someone_is_missing(world: World) -> None:
    one, secret = world.arrive("ann")
    world.connect(one)
    world.scene_flow.continue_from(one, 0)
    two = to_lobby(world, "bob")
    world.scene_flow.leave(two)
    world.arrive("ann", secret)
    world.drop(one)
    world.scene_flow.reloaded(one)
    world.connect(one)
    assert await world.sent(one) == ["removed", "notice", "finish"]
    assert "ended while" in (await world.data(one, "notice"))[0]["text"]


async def test_lost_game_begins_again_once_the_one_who_is_away_is_back(world: World) -> None:
    one, secret = world.arrive("ann")
    world.connect(one)
    world.scene_flow.continue_from(one, 0)
    two, other_secret = world.arrive("bob")
    world.connect(two)
    world.scene_flow.continue_from(two, 0)
    for participant_id, proof in (("ann", secret), ("bob", other_secret)):
        participant, _ = world.arrive(participant_id, proof)
        world.drop(participant)
        world.scene_flow.reloaded(participant)
    world.connect(one)
    world.drop(one)
    world.connect(two)
    assert await world.sent(two) == ["notice", "play"]
    world.connect(one)
    assert await world.sent(two) == ["notice", "play", "game"]


async def test_page_loaded_after_its_seats_report_is_done_with_the_game(world: World) -> None:
    one, secret = world.arrive("ann")
    world.connect(one)
    world.scene_flow.continue_from(one, 0)
    to_lobby(world, "bob")
    await report(world, one, 0)
    world.arrive("ann", secret)
    world.drop(one)
    world.scene_flow.reloaded(one)
    world.connect(one)
    assert await world.sent(one) == ["finish"]


async def test_report_that_a_former_page_left_leads_the_newer_page_on(world: World) -> None:
    one, secret = world.arrive("ann")
    world.connect(one)
    world.scene_flow.continue_from(one, 0)
    to_lobby(world, "bob")
    world.arrive("ann", secret)
    world.drop(one)
    world.scene_flow.reloaded(one)
    world.connect(one)
    game_id = await report(world, one, 0)
    world.scene_flow.take_left_report("no such game", 0, 0)
    assert one.position.game_id == game_id
    world.scene_flow.take_left_report(game_id, 0, 0)
    assert (await world.sent(one))[-1] == "finish"
