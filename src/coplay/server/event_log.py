"""The record of what happens in a study. Every method returns a future, done once the row is stored."""

from collections.abc import Mapping
from concurrent.futures import Future
from functools import cache
from typing import Any, Final

from sqlalchemy import Insert, Table, bindparam, insert, update

from coplay.data.database import tables
from coplay.data.database.store import Store
from coplay.server.clock import Clock

_PROGRESS: Final = update(tables.participants).where(
    tables.participants.c.study == bindparam("of_study"),
    tables.participants.c.participant_id == bindparam("of_participant"),
)


class EventLog:
    """Stores events, arrivals, progress, groups and games of one study, each with the time.

    Args:
        store: Where rows are stored.
        study: The study's name.
        clock: The server's clock.

    Attributes:
        store: Where rows are stored.
        study: The study's name.
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
        """Store an event.

        Args:
            kind: The kind of event, as listed in `coplay.data.event_kinds`.
            participant_id: The participant that it concerns; None if it concerns nobody in particular.
            game_id: The game that it concerns; None outside games.
            player_id: The seat in that game.
            detail: Further fields, stored as JSON.
        """
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
        return self._insert(tables.events, row)

    def participant(self, row: Mapping[str, Any]) -> "Future[None]":
        """Store a participant who arrives for the first time."""
        utc, ms = self._clock.stamp()
        return self._insert(
            tables.participants, {**row, "study": self.study, "arrived_utc": utc, "arrived_ms": ms}
        )

    def recruitment(self, participant_id: str, params: Mapping[str, str]) -> "Future[None]":
        """Store the parameters of the link through which a participant came."""
        utc, _ = self._clock.stamp()
        row = {"study": self.study, "participant_id": participant_id, "utc": utc, "params": dict(params)}
        return self._insert(tables.recruitment, row)

    def progress(self, participant_id: str, scene: int, ended_how: str, code: str = "") -> "Future[None]":
        """Store where a participant is on the path.

        Args:
            participant_id: The participant.
            scene: Scene index.
            ended_how: How the path ended; empty while it goes on.
            code: Completion code that they are shown; empty for none.
        """
        values: dict[str, Any] = {"scene": scene}
        if ended_how:
            utc, ms = self._clock.stamp()
            values |= {
                "ended_how": ended_how,
                "completion_code": code or None,
                "finished_utc": utc,
                "finished_ms": ms,
            }
        # Prefixed, because SQLAlchemy would take parameters with the names of columns for values to set.
        return self.store.execute(
            _PROGRESS, {**values, "of_study": self.study, "of_participant": participant_id}
        )

    def group(self, group_id: str, scene: int, members: tuple[str, ...]) -> "Future[None]":
        """Store a group that was formed.

        Args:
            group_id: The group's random id.
            scene: Scene index of the lobby.
            members: Participant ids, in order of arrival.
        """
        utc, ms = self._clock.stamp()
        row = {
            "group_id": group_id,
            "study": self.study,
            "scene": scene,
            "members": list(members),
            "formed_utc": utc,
            "formed_ms": ms,
        }
        return self._insert(tables.groups, row)

    def game(self, row: Mapping[str, Any]) -> "Future[None]":
        """Store a game that begins."""
        utc, ms = self._clock.stamp()
        return self._insert(tables.games, {**row, "study": self.study, "started_utc": utc, "started_ms": ms})

    def _insert(self, table: Table, row: Mapping[str, Any]) -> "Future[None]":
        return self.store.execute(_insert_into(table), row)


@cache
def _insert_into(table: Table) -> Insert:
    return insert(table)
