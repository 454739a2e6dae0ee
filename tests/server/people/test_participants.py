"""Who is admitted as a participant, and what is known of them after a restart."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.server.conftest import duel_study
from tests.server.people.world import World, world_of

from coplay.server.people.attendance import Attendance
from coplay.server.people.participants import ParticipantIdentity, _hash
from coplay.server.people.path_position import Group
from coplay.server.refusals import RequestRefusedError
from coplay.study.progress import PathEvent

pytestmark = pytest.mark.anyio


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with world_of(duel_study(), tmp_path) as world:
        yield world


async def test_new_participant_has_a_secret_that_is_stored_as_a_hash(world: World) -> None:
    participant, secret = world.arrive("ann")
    assert participant.participant_id == "ann"
    assert participant.identity.is_proven_by(secret)
    assert await world.rows("select participant_id, secret_hash from participants") == [
        ("ann", participant.identity.secret_hash)
    ]
    assert secret not in str(await world.rows("select * from participants"))


@pytest.mark.parametrize("asked", [None, ""])
def test_participant_without_an_id_gets_a_random_one(world: World, asked: Any) -> None:
    one, _ = world.participants.arrive({"participant": asked}, "")
    two, _ = world.participants.arrive({}, "")
    assert one.participant_id.startswith("p-")
    assert one.participant_id != two.participant_id


def test_next_page_with_the_secret_is_the_same_participants_next_visit(world: World) -> None:
    participant, secret = world.arrive("ann")
    participant.attendance.turn = 5
    again, kept = world.arrive("ann", secret)
    assert again is participant
    assert kept == secret
    assert (again.attendance.visit, again.attendance.turn) == (2, 0)


@pytest.mark.parametrize("secret", [None, "", "x", 7, ["x"]])
def test_next_page_without_the_secret_is_refused(world: World, secret: Any) -> None:
    participant, _ = world.arrive("ann")
    with pytest.raises(RequestRefusedError, match="another browser") as refused:
        world.participants.arrive({"participant": "ann", "secret": secret}, "")
    assert refused.value.status == 409
    assert participant.attendance.visit == 1


@pytest.mark.parametrize(
    "body",
    [
        {"participant": 7},
        {"participant": "a b"},
        {"participant": "-ann"},
        {"participant": "a" * 129},
        {"params": ["a"]},
        {"params": {str(number): "" for number in range(33)}},
        {"params": {"a": 1}},
        {"params": {"a": "x" * 513}},
        {"params": {"x" * 513: "a"}},
    ],
)
def test_malformed_arrival_is_refused_and_makes_nobody(world: World, body: dict[str, Any]) -> None:
    with pytest.raises(RequestRefusedError) as refused:
        world.participants.arrive({"participant": "ann", **body}, "")
    assert refused.value.status == 400
    assert world.participants.get("ann") is None


async def test_parameters_of_the_link_are_stored(world: World) -> None:
    world.participants.arrive({"participant": "ann", "params": {"PROLIFIC_PID": "x"}}, "")
    ((participant_id, params),) = await world.rows("select participant_id, params from recruitment")
    assert (participant_id, "PROLIFIC_PID" in params) == ("ann", True)


async def test_arrival_is_done_once_it_is_stored(world: World) -> None:
    participant, _ = world.arrive("ann")
    assert participant.stored is not None
    participant.stored.result(20)
    assert await world.rows("select kind, utc from events") == [("arrived", world.clock.stamp()[0])]


async def test_visits_turns_and_progress_are_known_after_a_restart(tmp_path: Path) -> None:
    with world_of(duel_study(), tmp_path) as world:
        participant, secret = world.arrive("ann")
        world.arrive("ann", secret)
        world.arrive("bob")
        world.connect(participant)
        world.page_tokens.opened(participant, 3, resumed=False)
        world.scene_flow._move(participant, PathEvent.CONTINUED)
        await world.settle()
    with world_of(duel_study(), tmp_path) as world:
        again = world.participants["ann"]
        assert again.attendance == Attendance(visit=2, turn=3)
        assert (again.position.progress.index, again.position.progress.ending) == (1, "")
        assert world.participants["bob"].attendance == Attendance(visit=1)
        assert again.identity.is_proven_by(secret)


async def test_progress_beyond_a_study_that_became_shorter_is_its_last_scene(tmp_path: Path) -> None:
    with world_of(duel_study(), tmp_path) as world:
        world.arrive("ann")
        world.event_log.progress("ann", 9, "")
        await world.settle()
    with world_of(duel_study(), tmp_path) as world:
        assert world.participants["ann"].position.progress.index == 3


def test_group_and_game_are_restored_to_those_who_are_known(world: World) -> None:
    participant, _ = world.arrive("ann")
    group = Group("g", ("ann", "zoe"), set())
    world.participants.restore_groups({"ann": group, "zoe": group})
    world.participants.restore_game("ann", "the game", 7.0)
    assert (participant.position.group, participant.position.game_id) == (group, "the game")
    assert (participant.attendance.away_since, participant.attendance.is_away) == (7.0, True)
    assert world.participants.get("zoe") is None


def test_identity_is_proven_by_its_own_secret_alone() -> None:
    identity = ParticipantIdentity("ann", _hash("secret"))
    assert identity.is_proven_by("secret")
    assert not any(identity.is_proven_by(other) for other in ("", "Secret", None, 3, b"secret", "\ud800"))
