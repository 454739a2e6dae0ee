"""What is stored of a study as it happens, and with which time."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.server.virtual_clock import VirtualClock

from coplay.data.database.store import Store
from coplay.server.event_log import EventLog

WAIT_S = 60.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path)
    yield store
    store.close()


@pytest.fixture
def event_log(store: Store) -> EventLog:
    return EventLog(store, "duel", VirtualClock(0.0))


def rows(store: Store, query: str) -> list[tuple[Any, ...]]:
    return store.submit(lambda connection: [tuple(row) for row in connection.exec_driver_sql(query)]).result(
        WAIT_S
    )


def arrived(event_log: EventLog, participant_id: str) -> None:
    row = {"participant_id": participant_id, "version": "7", "browser": "", "secret_hash": "x", "scene": 0}
    event_log.participant(row).result(WAIT_S)


def test_event_is_stored_with_its_time_and_detail(store: Store, event_log: EventLog) -> None:
    event_log.event("rejoined", "ann", game_id="g", player_id=1, visit=2).result(WAIT_S)
    assert rows(
        store, "select study, participant_id, game_id, player_id, utc, ms, kind, detail from events"
    ) == [("duel", "ann", "g", 1, "1970-01-01T00:00:00.000+00:00", 1_000_000.0, "rejoined", '{"visit": 2}')]


def test_progress_changes_its_own_participant_of_its_own_study(store: Store, event_log: EventLog) -> None:
    for study in ("duel", "another"):
        log = EventLog(store, study, VirtualClock(0.0))
        for participant_id in ("ann", "bob"):
            arrived(log, participant_id)
    event_log.progress("ann", 2, "").result(WAIT_S)
    query = "select study, participant_id, scene, ended_how from participants order by study, participant_id"
    assert rows(store, query) == [
        ("another", "ann", 0, None),
        ("another", "bob", 0, None),
        ("duel", "ann", 2, None),
        ("duel", "bob", 0, None),
    ]


def test_ending_is_stored_with_its_time_and_a_code_if_there_is_one(store: Store, event_log: EventLog) -> None:
    for participant_id, code in (("ann", "DONE"), ("bob", "")):
        arrived(event_log, participant_id)
        event_log.progress(participant_id, 3, "completed", code).result(WAIT_S)
    query = "select ended_how, completion_code, finished_utc from participants order by participant_id"
    utc = "1970-01-01T00:00:00.000+00:00"
    assert rows(store, query) == [("completed", "DONE", utc), ("completed", None, utc)]


def test_group_is_stored_with_its_members_in_order(store: Store, event_log: EventLog) -> None:
    event_log.group("g", 1, ("bob", "ann")).result(WAIT_S)
    assert rows(store, "select group_id, scene, members from groups") == [("g", 1, '["bob", "ann"]')]


def test_recruitment_is_stored_as_the_link_had_it(store: Store, event_log: EventLog) -> None:
    event_log.recruitment("ann", {"PROLIFIC_PID": "x"}).result(WAIT_S)
    assert rows(store, "select participant_id, params from recruitment") == [("ann", '{"PROLIFIC_PID": "x"}')]
