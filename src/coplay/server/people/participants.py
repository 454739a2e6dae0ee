"""The participants of a study: admitted when a page is loaded, and read from the store after a restart."""

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
from coplay.server.people.attendance import Attendance
from coplay.server.people.path_position import Group, PathPosition
from coplay.server.refusals import RequestRefusedError
from coplay.study.progress import Progress, start
from coplay.study.study import Study

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@+-]{0,127}")
MAX_PARAMS: Final = 32
MAX_PARAM_LENGTH: Final = 512


@dataclass(frozen=True, slots=True)
class ParticipantIdentity:
    """Who a participant is.

    Attributes:
        participant_id: Pseudonymous id, from the link or random.
        secret_hash: SHA-256 of the secret stored in the participant's browser.
    """

    participant_id: str
    secret_hash: str

    def is_proven_by(self, secret: object) -> bool:
        """Return True if this is the secret that the participant's browser stores."""
        return isinstance(secret, str) and hmac.compare_digest(_hash(secret), self.secret_hash)


@dataclass(slots=True)
class Participant:
    """A participant of the study.

    Attributes:
        identity: Who they are.
        attendance: Which page speaks for them.
        position: Where they are on the path.
        stored: A future that is done once everything is stored that their page may show next, or None.
    """

    identity: ParticipantIdentity
    attendance: Attendance
    position: PathPosition
    stored: "Future[None] | None" = None

    @property
    def participant_id(self) -> str:
        """The participant's pseudonymous id."""
        return self.identity.participant_id


class Participants:
    """All participants of a study who ever arrived.

    Args:
        study: The study.
        event_log: Records arrivals. Its store is read once, when this object is created.
    """

    def __init__(self, study: Study, event_log: EventLog) -> None:
        self._study = study
        self._event_log = event_log
        self._participants: dict[str, Participant] = event_log.store.submit(self._load).result()

    def __getitem__(self, participant_id: str) -> Participant:
        return self._participants[participant_id]

    def get(self, participant_id: str) -> Participant | None:
        """Return a participant, or None if they never arrived."""
        return self._participants.get(participant_id)

    def restore_groups(self, groups: Mapping[str, Group]) -> None:
        """Put participants back into their groups after a restart.

        Args:
            groups: Participant id → last group. Unknown participants are ignored.
        """
        for participant_id, group in groups.items():
            if participant_id in self._participants:
                self._participants[participant_id].position.group = group

    def restore_game(self, participant_id: str, game_id: str, now: float) -> None:
        """Put a participant back into a game after a restart; they are away until their page reconnects.

        Args:
            participant_id: The participant, who has arrived before.
            game_id: The game that goes on.
            now: Monotonic seconds.
        """
        participant = self._participants[participant_id]
        participant.position.game_id = game_id
        participant.attendance.away_since = now

    def arrive(self, body: Mapping[str, Any], browser: str) -> tuple[Participant, str]:
        """Admit a page that was loaded: a new participant, or the next page of a known one.

        Args:
            body: `{participant?, params?, secret?}`, as the page sent it.
            browser: The page's User-Agent header.

        Returns:
            The participant, and the secret that their browser should store.

        Raises:
            RequestRefusedError: The id or the parameters are malformed, or the id belongs to another browser.
        """
        asked, secret = body.get("participant"), body.get("secret")
        participant_id = f"p-{secrets.token_hex(8)}" if asked in (None, "") else asked
        if not isinstance(participant_id, str) or not _ID.fullmatch(participant_id):
            raise RequestRefusedError(
                400, "The participant id in this link cannot be used.", "Check the link."
            )
        params = _checked_params(body.get("params") or {})
        participant = self._participants.get(participant_id)
        if participant is None:
            secret = secrets.token_urlsafe(24)
            participant = self._register(participant_id, secret, browser)
        elif not participant.identity.is_proven_by(secret):
            raise RequestRefusedError(
                409,
                "This participant id is in use in another browser.",
                "Go on where you began, or ask the researcher for a new link.",
            )
        if params:
            self._event_log.recruitment(participant_id, params)
        participant.attendance.begin_visit()
        participant.stored = self._event_log.event(
            "arrived", participant_id, visit=participant.attendance.visit
        )
        return participant, str(secret)

    def _register(self, participant_id: str, secret: str, browser: str) -> Participant:
        identity, position = (
            ParticipantIdentity(participant_id, _hash(secret)),
            PathPosition(start(self._study)),
        )
        participant = self._participants[participant_id] = Participant(identity, Attendance(), position)
        self._event_log.participant(
            {
                "participant_id": participant_id,
                "version": self._study.version,
                "browser": browser[:400],
                "secret_hash": identity.secret_hash,
                "scene": position.progress.index,
            }
        )
        return participant

    def _load(self, connection: Connection) -> dict[str, Participant]:
        study = self._event_log.study
        # Tokens name the visit: if a restart began to count from zero, old tokens would be valid again.
        counted = (
            select(events.c.participant_id, func.count())
            .where(events.c.study == study, events.c.kind == "arrived")
            .group_by(events.c.participant_id)
        )
        visits = {row[0]: row[1] for row in connection.execute(counted)}
        turns = _turns(study, visits, connection)
        rows = connection.execute(select(participants).where(participants.c.study == study))
        # The study may have had more scenes when a participant's progress was stored.
        last = len(self._study.scenes) - 1
        return {
            row.participant_id: Participant(
                ParticipantIdentity(row.participant_id, row.secret_hash),
                Attendance(visits.get(row.participant_id, 0), turns.get(row.participant_id, 0)),
                PathPosition(Progress(min(row.scene, last), row.ended_how or "")),
            )
            for row in rows
        }


def _turns(study: str, visits: Mapping[str, int], connection: Connection) -> dict[str, int]:
    """Return participant id → turn of the latest token that their newest page has shown."""
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
        raise RequestRefusedError(400, "This link cannot be read.", "Check the link.")
    for name, value in params.items():
        if not isinstance(value, str) or len(value) > MAX_PARAM_LENGTH or len(name) > MAX_PARAM_LENGTH:
            raise RequestRefusedError(400, "This link cannot be read.", "Check the link.")
    return params


def _hash(secret: str) -> str:
    # A fast hash is enough: the secret is 24 random bytes, which nobody can guess.
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
