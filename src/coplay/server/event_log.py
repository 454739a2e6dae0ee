"""Writes down what happens, as it happens. Every method answers a future that is done once it is stored."""

from collections.abc import Mapping
from concurrent.futures import Future
from functools import cache
from typing import Any, Final

from sqlalchemy import Insert, Table, bindparam, insert, update

from coplay.data.database import tables as records
from coplay.data.database.store import Store
from coplay.server.clock import Clock

_PROGRESS: Final = update(records.participants).where(
    records.participants.c.study == bindparam("of_study"),
    records.participants.c.participant_id == bindparam("of_participant"),
)


class EventLog:
    """The records of one study.

    Args:
        store: Where they are kept.
        study: The study's name.
        clock: The time of each record.
    """

    def __init__(self, store: Store, study: str, clock: Clock) -> None:
        self.store = store
        self.study = study
        self._clock = clock

    def event(
        self,
        kind: str,
        participant_id: str | None = None,
        *,
        game_id: str | None = None,
        player_id: int | None = None,
        **detail: Any,
    ) -> "Future[None]":
        """Something happened to a participant, or in a game."""
        utc, ms = self._clock.stamp()
        row = {
            "study": self.study,
            "participant_id": participant_id,
            "game_id": game_id,
            "player_id": player_id,
            "utc": utc,
            "ms": ms,
            "kind": kind,
            "detail": detail,
        }
        return self._insert(records.events, row)

    def participant(self, row: Mapping[str, Any]) -> "Future[None]":
        """A participant arrived for the first time."""
        utc, ms = self._clock.stamp()
        return self._insert(
            records.participants, {**row, "study": self.study, "arrived_utc": utc, "arrived_ms": ms}
        )

    def recruitment(self, participant_id: str, params: Mapping[str, str]) -> "Future[None]":
        """What the recruiter's link carried."""
        utc, _ = self._clock.stamp()
        row = {"study": self.study, "participant_id": participant_id, "utc": utc, "params": dict(params)}
        return self._insert(records.recruitment, row)

    def progress(self, participant_id: str, scene: int, ended_how: str, code: str = "") -> "Future[None]":
        """A participant is at another scene, or at the end."""
        values: dict[str, Any] = {"scene": scene}
        if ended_how:
            utc, ms = self._clock.stamp()
            values |= {
                "ended_how": ended_how,
                "completion_code": code or None,
                "finished_utc": utc,
                "finished_ms": ms,
            }
        # Parameters must not have the names of columns that are changed, or could be.
        return self.store.execute(
            _PROGRESS, {**values, "of_study": self.study, "of_participant": participant_id}
        )

    def group(self, group_id: str, scene: int, members: tuple[str, ...]) -> "Future[None]":
        """A group was formed."""
        utc, ms = self._clock.stamp()
        row = {
            "group_id": group_id,
            "study": self.study,
            "scene": scene,
            "members": list(members),
            "formed_utc": utc,
            "formed_ms": ms,
        }
        return self._insert(records.groups, row)

    def game(self, row: Mapping[str, Any]) -> "Future[None]":
        """A game begins."""
        utc, ms = self._clock.stamp()
        return self._insert(records.games, {**row, "study": self.study, "started_utc": utc, "started_ms": ms})

    def _insert(self, table: Table, row: Mapping[str, Any]) -> "Future[None]":
        return self.store.execute(_insert_into(table), row)


@cache
def _insert_into(table: Table) -> Insert:
    return insert(table)
