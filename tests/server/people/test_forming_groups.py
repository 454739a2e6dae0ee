"""Groups before a game: complete, waited for, or broken up."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.server.conftest import KEYS, CountingDuel, duel_study
from tests.server.people.world import SETTINGS, World, world_of

from coplay.server.games.play_setup import build_play_setups
from coplay.server.people.forming_groups import FormingGroups
from coplay.server.people.participants import Participant
from coplay.server.people.path_position import Group
from coplay.study import Study, scenes
from coplay.study.progress import Progress

PATIENCE_S = 60.0


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with world_of(duel_study(PATIENCE_S), tmp_path) as world:
        yield world


@pytest.fixture
def forming(world: World) -> FormingGroups:
    return FormingGroups(duel_study(PATIENCE_S), SETTINGS, world.participants)


@pytest.fixture
def pair(world: World) -> tuple[Participant, Participant]:
    """Two who were matched, and are at the play scene."""
    one, two = world.arrive("ann")[0], world.arrive("bob")[0]
    group = Group("g", ("ann", "bob"), set())
    for participant in (one, two):
        participant.position.group = group
        participant.position.progress = Progress(2)
    return one, two


def test_group_is_complete_once_all_of_it_waits(
    forming: FormingGroups, pair: tuple[Participant, Participant]
) -> None:
    one, two = pair
    assert forming.wait(two, 0.0) == ()
    assert forming.wait(one, 5.0) == (one, two)
    assert (one.position.waiting_since, two.position.waiting_since) == (5.0, 0.0)


def test_wait_counts_from_its_beginning(
    forming: FormingGroups, pair: tuple[Participant, Participant]
) -> None:
    one, _ = pair
    forming.wait(one, 0.0)
    forming.wait(one, 5.0)
    assert one.position.waiting_since == 0.0


def test_participant_without_a_group_waits_for_nobody(forming: FormingGroups, world: World) -> None:
    participant, _ = world.arrive("zoe")
    assert forming.wait(participant, 0.0) == ()
    assert forming.tick(1e6) == []
    assert forming.break_up(participant) == []


def test_group_with_a_member_who_is_away_is_not_complete(
    forming: FormingGroups, pair: tuple[Participant, Participant]
) -> None:
    one, two = pair
    forming.wait(one, 0.0)
    one.attendance.away_since = 0.0
    assert forming.wait(two, 1.0) == ()
    one.attendance.away_since = None
    assert forming.wait(one, 2.0) == (one, two)


def test_participant_who_stops_is_not_waited_with(
    forming: FormingGroups, pair: tuple[Participant, Participant]
) -> None:
    one, two = pair
    forming.wait(one, 0.0)
    forming.stop(one)
    assert one.position.waiting_since is None
    assert forming.wait(two, 0.0) == ()


def test_member_who_is_away_for_long_breaks_the_group_up(
    forming: FormingGroups, pair: tuple[Participant, Participant]
) -> None:
    one, two = pair
    forming.wait(one, 0.0)
    two.attendance.away_since = one.attendance.away_since = 0.0
    forming.wait(two, 0.0)
    two.attendance.away_since = None
    assert forming.tick(SETTINGS.lobby_hold_s - 0.1) == []
    assert forming.tick(SETTINGS.lobby_hold_s) == [two]
    assert one.position.group is not None
    assert one.position.group.gone == {"ann"}


def test_member_who_does_not_come_within_the_lobbys_patience_is_not_waited_for(
    forming: FormingGroups, pair: tuple[Participant, Participant]
) -> None:
    one, _ = pair
    forming.wait(one, 0.0)
    assert forming.tick(PATIENCE_S - 0.1) == []
    assert forming.tick(PATIENCE_S) == [one]
    assert one.position.group is not None
    assert one.position.group.gone == {"bob"}


def test_all_who_are_away_for_long_leave_nobody_behind(
    forming: FormingGroups, pair: tuple[Participant, Participant]
) -> None:
    for participant in pair:
        participant.attendance.away_since = 0.0
        forming.wait(participant, 0.0)
    assert forming.tick(SETTINGS.lobby_hold_s) == []
    assert pair[0].position.group is not None
    assert pair[0].position.group.gone == {"ann", "bob"}


def test_group_without_a_lobby_before_it_has_no_patience(world: World) -> None:
    study = Study("duel", version="1")
    study.scenes = [scenes.Play(CountingDuel, keys=KEYS), scenes.Finish()]
    forming = FormingGroups(study, SETTINGS, world.participants)
    participant, _ = world.arrive("ann")
    world.arrive("bob")
    participant.position.group = Group("g", ("ann", "bob"), set())
    forming.wait(participant, 0.0)
    assert forming.tick(0.0) == [participant]


def test_break_up_answers_who_waits_for_the_one_who_goes(
    forming: FormingGroups, pair: tuple[Participant, Participant]
) -> None:
    one, two = pair
    forming.wait(two, 0.0)
    assert forming.break_up(one) == [two]


def test_group_is_broken_where_several_play_and_one_is_gone(pair: tuple[Participant, Participant]) -> None:
    position = pair[0].position
    for_two = build_play_setups(duel_study())[2]
    alone = build_play_setups(duel_study(bots=True))[0]
    assert not FormingGroups.is_broken(position, for_two)
    assert position.group is not None
    position.group.gone.add("bob")
    assert FormingGroups.is_broken(position, for_two)
    assert not FormingGroups.is_broken(position, alone)
    position.group = None
    assert FormingGroups.is_broken(position, for_two)
