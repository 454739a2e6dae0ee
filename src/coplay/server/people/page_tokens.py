"""The tokens that open a page's sockets: each is worth something only until the page has the next one.

The first comes with the page, in turn 0; every socket brings the token of the next turn, and the page says it
back. From then on, or once it has opened a socket, all former ones are worth nothing: what was caught on its
way, or is found in a log, opens no door. An answer that is lost locks nobody out: until the page has shown
the next token, the one it has is good.

Of each page one number is kept: the latest turn that it has shown. It is stored before the token after it is
given away, so that a server that was killed takes no token that it would not have taken before.
"""

import asyncio
import contextlib
from concurrent.futures import Future

from coplay.messages.to_page import NextToken
from coplay.server.clock import Clock
from coplay.server.event_log import EventLog
from coplay.server.messenger import Messenger
from coplay.server.people.participants import Participant, Participants
from coplay.signaling import TokenError, TokenSigner

KIND = "participant"


class PageRefusedError(Exception):
    """A page that may open no socket.

    Args:
        message: A sentence for the participant.
        hint: What they can do.
    """

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class PageTokens:
    """Reads and replaces the tokens of all pages.

    Args:
        signer: Makes and reads them.
        visitors: The participants.
        messenger: Reaches their pages.
        recorder: Writes down which were used.
        token_s: How long one is valid.
        clock: The time.

    Attributes:
        replayed: How often a token was shown whose successor had been shown.
    """

    def __init__(
        self,
        signer: TokenSigner,
        visitors: Participants,
        messenger: Messenger,
        recorder: EventLog,
        token_s: float,
        clock: Clock,
    ) -> None:
        self._signer = signer
        self._visitors = visitors
        self._messenger = messenger
        self._recorder = recorder
        self._token_s = token_s
        self._clock = clock
        self._giving: set[asyncio.Task[None]] = set()
        self.replayed = 0

    def read(self, token: object) -> tuple[Participant, int]:
        """Whose page shows a token, and of which turn it is.

        Raises:
            PageRefusedError: It opens nothing, or nothing any more.
        """
        try:
            claims = self._signer.read(KIND, token, self._clock.wall())
        except TokenError as error:
            raise PageRefusedError("This page is out of date.", error.hint or "Reload the page.") from None
        visitor = self._visitors.get(str(claims["participant"]))
        if visitor is None:
            raise PageRefusedError("The study does not know this participant.", "Reload the page.")
        if claims["visit"] != visitor.visit:
            raise PageRefusedError(
                "This study was opened in another tab.", "Go on in that tab, and close this one."
            )
        turn = int(claims.get("turn", 0))
        if turn < visitor.turn:
            self._note_replay(visitor)
            raise PageRefusedError("This page was opened from elsewhere.", "Reload it to go on here.")
        return visitor, turn

    def opened(self, visitor: Participant, turn: int, resumed: bool) -> None:
        """A page has opened a socket with its token of this turn: it is given the next."""
        visitor.turn = turn
        stored = self._recorder.event(
            "connected", visitor.participant_id, resumed=resumed, visit=visitor.visit, turn=turn
        )
        task = asyncio.create_task(self._give(visitor, visitor.visit, turn + 1, stored))
        self._giving.add(task)
        task.add_done_callback(self._giving.discard)

    def keep(self, visitor: Participant, token: object) -> bool:
        """A page says that it has its next token; False if that is none of its own."""
        with contextlib.suppress(PageRefusedError):
            whose, turn = self.read(token)
            if whose is visitor and turn > visitor.turn:
                visitor.turn = turn
                self._recorder.event("resume_kept", visitor.participant_id, visit=visitor.visit, turn=turn)
                return True
        return False

    async def _give(self, visitor: Participant, visit: int, turn: int, stored: "Future[None]") -> None:
        try:
            await asyncio.wrap_future(stored)
        except Exception:
            return  # said in the store's log; the page goes on with the token that it has
        if visitor.visit == visit:
            claims: dict[str, str | int] = {
                "participant": visitor.participant_id,
                "visit": visit,
                "turn": turn,
            }
            token = self._signer.sign(KIND, claims, self._clock.wall() + self._token_s)
            self._messenger.mention(visitor.participant_id, NextToken(token=token))

    def _note_replay(self, visitor: Participant) -> None:
        self.replayed += 1
        # Only the first of each page is worth a row: a flood must not fill the disk.
        if visitor.replayed_visit != visitor.visit:
            visitor.replayed_visit = visitor.visit
            self._recorder.event("token_replayed", visitor.participant_id, visit=visitor.visit)
