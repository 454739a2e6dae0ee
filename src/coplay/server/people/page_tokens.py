"""The tokens with which a page opens its sockets: each is valid until the page has shown the next one.

The first token, of turn 0, comes with the page. Every socket brings the token of the next turn, and the page
confirms that it has it. From then on, or once that token has opened a socket, all earlier ones are stale: a
token that was intercepted, or found in a log, opens nothing. A lost message locks nobody out, because the
token of a page is valid until the page has shown a later one.

The latest turn that a page has shown is stored before the token of the next turn is sent. A server that was
killed therefore accepts no token that it would have refused before.
"""

import asyncio
import contextlib
from concurrent.futures import Future

from coplay.messages.to_page import NextToken
from coplay.server.clock import Clock
from coplay.server.event_log import EventLog
from coplay.server.messenger import Messenger
from coplay.server.people.attendance import Attendance
from coplay.server.people.participants import Participant, Participants
from coplay.server.refusals import RequestRefusedError
from coplay.signaling import TokenError, TokenSigner

KIND = "participant"


class PageTokens:
    """Checks and renews the tokens of all pages.

    Args:
        signer: Signs and verifies tokens.
        participants: The participants.
        messenger: Sends tokens to their pages.
        event_log: Stores which tokens were used.
        token_s: How long a token is valid, in seconds.
        clock: The server's clock.

    Attributes:
        replayed: Number of stale tokens that were shown.
    """

    def __init__(
        self,
        signer: TokenSigner,
        participants: Participants,
        messenger: Messenger,
        event_log: EventLog,
        token_s: float,
        clock: Clock,
    ) -> None:
        self._signer = signer
        self._participants = participants
        self._messenger = messenger
        self._event_log = event_log
        self._token_s = token_s
        self._clock = clock
        self._renewals: set[asyncio.Task[None]] = set()
        self.replayed = 0

    def read(self, token: object) -> tuple[Participant, int]:
        """Return the participant whose page shows a token, and the token's turn.

        Args:
            token: The token as the page sent it; any type.

        Raises:
            RequestRefusedError: The token is invalid, stale, or of a page that was replaced.
        """
        try:
            claims = self._signer.read(KIND, token, self._clock.wall())
        except TokenError as error:
            raise RequestRefusedError(
                401, "This page is out of date.", error.hint or "Reload the page."
            ) from None
        participant = self._participants.get(str(claims["participant"]))
        if participant is None:
            raise RequestRefusedError(401, "The study does not know this participant.", "Reload the page.")
        if claims["visit"] != participant.attendance.visit:
            raise RequestRefusedError(
                409, "This study was opened in another tab.", "Go on in that tab, and close this one."
            )
        turn = int(claims.get("turn", 0))
        if turn < participant.attendance.turn:
            self._note_replay(participant.participant_id, participant.attendance)
            raise RequestRefusedError(409, "This page was opened from elsewhere.", "Reload it to go on here.")
        return participant, turn

    def opened(self, participant: Participant, turn: int, resumed: bool) -> None:
        """Note that a token of this turn has opened a socket, and send the page its next token.

        Args:
            participant: Whose page opened the socket.
            turn: Turn of the token.
            resumed: True if the page resumes an earlier socket and is sent the events that it missed.
        """
        participant_id, attendance = participant.participant_id, participant.attendance
        attendance.turn = turn
        stored = self._event_log.event(
            "connected", participant_id, resumed=resumed, visit=attendance.visit, turn=turn
        )
        task = asyncio.create_task(
            self._renew(participant_id, attendance, attendance.visit, turn + 1, stored)
        )
        # asyncio keeps only weak references to tasks: without this one, the task could be garbage-collected.
        self._renewals.add(task)
        task.add_done_callback(self._renewals.discard)

    def keep(self, participant: Participant, token: object) -> bool:
        """Make a page's earlier tokens stale once it confirms its next one. Return False if it has none.

        Args:
            participant: The participant whose page confirms.
            token: The token that the page confirms, as it sent it; any type.
        """
        attendance = participant.attendance
        with contextlib.suppress(RequestRefusedError):
            owner, turn = self.read(token)
            if owner is participant and turn > attendance.turn:
                attendance.turn = turn
                self._event_log.event(
                    "resume_kept", participant.participant_id, visit=attendance.visit, turn=turn
                )
                return True
        return False

    async def _renew(
        self, participant_id: str, attendance: Attendance, visit: int, turn: int, stored: "Future[None]"
    ) -> None:
        try:
            await asyncio.wrap_future(stored)
        except Exception:  # noqa: BLE001 (the store has logged it; the page's present token stays valid)
            return
        # A newer page may have replaced this one while the store was busy; it has tokens of its own.
        if attendance.visit == visit:
            claims: dict[str, str | int] = {"participant": participant_id, "visit": visit, "turn": turn}
            token = self._signer.sign(KIND, claims, self._clock.wall() + self._token_s)
            self._messenger.post_volatile(participant_id, NextToken(token=token))

    def _note_replay(self, participant_id: str, attendance: Attendance) -> None:
        self.replayed += 1
        # Only the first replay against each page becomes a row: a flood must not fill the disk.
        if attendance.replayed_visit != attendance.visit:
            attendance.replayed_visit = attendance.visit
            self._event_log.event("token_replayed", participant_id, visit=attendance.visit)
