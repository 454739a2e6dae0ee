"""Participants as the server knows them: who they are, where they are, and which tab speaks for them."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, func, select

from coplay.data.database.tables import events, participants
from coplay.server.event_log import EventLog
from coplay.study.progress import Progress, start
from coplay.study.study import Study

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@+-]{0,127}")
MAX_PARAMS: Final = 32
MAX_PARAM_LENGTH: Final = 512


class ArrivalError(Exception):
    """A visit that is refused.

    Args:
        status: HTTP status.
        message: A sentence for the participant.
        hint: What they can do.
    """

    def __init__(self, status: int, message: str, hint: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.hint = hint


@dataclass(slots=True)
class Group:
    """Participants who were matched.

    Attributes:
        group_id: Its id.
        members: In the order they came.
        gone: Who will not play on.
    """

    group_id: str
    members: tuple[str, ...]
    gone: set[str]


@dataclass(slots=True)
class Participant:
    """One participant, now.

    Attributes:
        participant_id: Who.
        secret_hash: Of what their browser keeps to prove it is them.
        progress: Where on the path they are.
        visit: Counts page loads; the newest one speaks for them.
        turn: The latest token of that page which it has shown.
        replayed_visit: The last page of which a former token was shown.
        group: Whom they were matched with last.
        game_id: The game they are in.
        removed_from: The game that went on without them, until they are told.
        waiting_since: Since when they wait for the rest of their group; monotonic seconds.
        away_since: Since when their page has no socket; monotonic seconds.
        stored: Done once what the page may show is stored.
    """

    participant_id: str
    secret_hash: str
    progress: Progress
    visit: int = 0
    turn: int = 0
    replayed_visit: int = -1
    group: Group | None = None
    game_id: str | None = None
    removed_from: str | None = None
    waiting_since: float | None = None
    away_since: float | None = None
    stored: "Future[None] | None" = None


class Participants:
    """All participants of a study.

    Args:
        study: The study.
        recorder: Writes down arrivals.
    """

    def __init__(self, study: Study, recorder: EventLog) -> None:
        self._study = study
        self._recorder = recorder
        self._visitors: dict[str, Participant] = recorder.store.submit(self._load).result()

    def __getitem__(self, participant_id: str) -> Participant:
        return self._visitors[participant_id]

    def get(self, participant_id: str) -> Participant | None:
        """The participant, if they ever arrived."""
        return self._visitors.get(participant_id)

    def restore_groups(self, groups: Mapping[str, Group]) -> None:
        """Everyone is in the group that they were in before the server was restarted."""
        for participant_id, group in groups.items():
            if participant_id in self._visitors:
                self._visitors[participant_id].group = group

    def arrive(self, body: Mapping[str, Any], browser: str) -> tuple[Participant, str]:
        """A page was loaded.

        Args:
            body: `{participant?, params?, secret?}`, as the page sent it.
            browser: The User-Agent.

        Returns:
            The participant, and the secret that their browser should keep.

        Raises:
            ArrivalError: The id is malformed, or is bound to another browser's secret.
        """
        asked, secret = body.get("participant"), body.get("secret")
        participant_id = f"p-{secrets.token_hex(8)}" if asked in (None, "") else asked
        if not isinstance(participant_id, str) or not _ID.fullmatch(participant_id):
            raise ArrivalError(400, "The participant id in this link cannot be used.", "Check the link.")
        params = _checked_params(body.get("params") or {})
        visitor = self._visitors.get(participant_id)
        if visitor is None:
            secret = secrets.token_urlsafe(24)
            visitor = Participant(participant_id, _hash(secret), start(self._study))
            self._visitors[participant_id] = visitor
            self._recorder.participant(
                {
                    "participant_id": participant_id,
                    "version": self._study.version,
                    "browser": browser[:400],
                    "secret_hash": visitor.secret_hash,
                    "scene": visitor.progress.index,
                }
            )
        elif not isinstance(secret, str) or not hmac.compare_digest(_hash(secret), visitor.secret_hash):
            raise ArrivalError(
                409,
                "This participant id is in use in another browser.",
                "Go on where you began, or ask the researcher for a new link.",
            )
        if params:
            self._recorder.recruitment(participant_id, params)
        visitor.visit += 1
        visitor.turn = 0
        visitor.stored = self._recorder.event("arrived", participant_id, visit=visitor.visit)
        return visitor, secret

    def _load(self, connection: Connection) -> dict[str, Participant]:
        study = self._recorder.study
        # Tokens name the visit, so that a restart must not begin to count anew.
        counted = (
            select(events.c.participant_id, func.count())
            .where(events.c.study == study, events.c.kind == "arrived")
            .group_by(events.c.participant_id)
        )
        visits = {row[0]: row[1] for row in connection.execute(counted)}
        turns = _turns(study, visits, connection)
        rows = connection.execute(select(participants).where(participants.c.study == study))
        last = len(self._study.scenes) - 1
        return {
            row.participant_id: Participant(
                row.participant_id,
                row.secret_hash,
                Progress(min(row.scene, last), row.ended_how or ""),
                visits.get(row.participant_id, 0),
                turns.get(row.participant_id, 0),
            )
            for row in rows
        }


def _turns(study: str, visits: Mapping[str, int], connection: Connection) -> dict[str, int]:
    """Of every participant's last page, the latest token that it has shown."""
    shown = select(events.c.participant_id, events.c.detail).where(
        events.c.study == study, events.c.kind.in_(("connected", "resume_kept"))
    )
    turns: dict[str, int] = {}
    for participant_id, detail in connection.execute(shown):
        if detail.get("visit") == visits.get(participant_id):
            turns[participant_id] = max(turns.get(participant_id, 0), detail["turn"])
    return turns


def _checked_params(params: object) -> dict[str, str]:
    if not isinstance(params, dict) or len(params) > MAX_PARAMS:
        raise ArrivalError(400, "This link cannot be read.", "Check the link.")
    for name, value in params.items():
        if not isinstance(value, str) or len(value) > MAX_PARAM_LENGTH or len(name) > MAX_PARAM_LENGTH:
            raise ArrivalError(400, "This link cannot be read.", "Check the link.")
    return params


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
