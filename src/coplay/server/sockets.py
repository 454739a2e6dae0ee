"""The Socket.IO half of the server: who is on which socket, and what their pages ask."""

import logging
from typing import Any, Final

import socketio

from coplay.server import clock
from coplay.server.coordinator import GameCoordinator
from coplay.server.messenger import Messenger
from coplay.server.recorder import Recorder
from coplay.server.usher import Usher, failure
from coplay.server.visitors import Visitor, Visitors
from coplay.signaling import TokenError, TokenSigner

MAX_MESSAGE_BYTES: Final = 64 * 1024

_log = logging.getLogger(__name__)


def make_socket_server() -> socketio.AsyncServer:
    """The Socket.IO server.

    WebSocket only: no sticky sessions, no second transport to secure. Handlers run one after another for each
    socket (`async_handlers=False`), so that signals cannot overtake each other. Only pages of our own origin
    may connect.
    """
    return socketio.AsyncServer(
        async_mode="asgi",
        transports=["websocket"],
        async_handlers=False,
        max_http_buffer_size=MAX_MESSAGE_BYTES,
        cors_allowed_origins=None,
        ping_interval=5,
        ping_timeout=5,
        logger=False,
        engineio_logger=False,
    )


class Sockets:
    """Connects sockets to participants, and their messages to whoever answers them.

    Args:
        server: The Socket.IO server.
        signer: Reads tokens.
        visitors: The participants.
        messenger: Is told of their sockets.
        usher: Answers what concerns their paths.
        coordinator: Answers signals.
        recorder: Writes down what happens.
    """

    def __init__(
        self,
        server: socketio.AsyncServer,
        signer: TokenSigner,
        visitors: Visitors,
        messenger: Messenger,
        usher: Usher,
        coordinator: GameCoordinator,
        recorder: Recorder,
    ) -> None:
        self._signer = signer
        self._visitors = visitors
        self._messenger = messenger
        self._usher = usher
        self._coordinator = coordinator
        self._recorder = recorder
        self._members: dict[str, str] = {}
        server.on("connect", self._connect)
        server.on("disconnect", self._disconnect)
        server.on("continue", self._continue)
        server.on("leave", self._leave)
        server.on("webrtc_signal", self._webrtc_signal)
        server.on("game_over", self._game_over)
        server.on("prepared", self._prepared)

    async def _connect(self, sid: str, _environ: object, auth: object = None) -> None:
        try:
            token = auth.get("token") if isinstance(auth, dict) else None
            claims = self._signer.read("participant", token, clock.wall())
        except TokenError as error:
            raise _refusal("This page is out of date.", error.hint or "Reload the page.") from None
        visitor = self._visitors.get(str(claims["participant"]))
        if visitor is None:
            raise _refusal("The study does not know this participant.", "Reload the page.")
        if claims["visit"] != visitor.visit:
            raise _refusal("This study was opened in another tab.", "Go on in that tab, and close this one.")
        self._members[sid] = visitor.participant_id
        self._messenger.open(visitor.participant_id, sid)
        self._recorder.event("connected", visitor.participant_id)
        self._usher.arrived(visitor)

    async def _disconnect(self, sid: str, *_reason: object) -> None:
        member = self._members.pop(sid, None)
        if member is None:
            return
        newer = self._messenger.sid_of(member)
        if self._messenger.lost(member, sid) or newer is None:
            self._usher.dropped(self._visitors[member])

    async def _continue(self, sid: str, message: object = None) -> dict[str, Any]:
        visitor = self._visitor(sid)
        index = message.get("index") if isinstance(message, dict) else None
        return {"ok": visitor is not None and self._usher.continue_from(visitor, index)}

    async def _leave(self, sid: str, _message: object = None) -> dict[str, Any]:
        visitor = self._visitor(sid)
        if visitor is not None:
            self._usher.leave(visitor)
        return {"ok": visitor is not None}

    async def _webrtc_signal(self, sid: str, message: object = None) -> dict[str, Any]:
        visitor = self._visitor(sid)
        if visitor is None:
            return {"ok": False, "error": "This socket has been replaced.", "reason": "not_member"}
        return self._coordinator.handle_webrtc_signal(visitor.participant_id, message)

    async def _game_over(self, sid: str, message: object = None) -> dict[str, Any]:
        visitor = self._visitor(sid)
        game_id = message.get("game_id") if isinstance(message, dict) else None
        return {"ok": visitor is not None and self._usher.game_over(visitor, game_id)}

    async def _prepared(self, sid: str, message: object = None) -> dict[str, Any]:
        visitor = self._visitor(sid)
        index = message.get("index") if isinstance(message, dict) else None
        if visitor is not None and isinstance(index, int):
            self._recorder.event("prepared", visitor.participant_id, scene=index)
        return {"ok": visitor is not None}

    def _visitor(self, sid: str) -> Visitor | None:
        """Who speaks on a socket; None if a newer socket speaks for them."""
        member = self._members.get(sid)
        return self._visitors[member] if member and self._messenger.sid_of(member) == sid else None


def _refusal(error: str, hint: str) -> socketio.exceptions.ConnectionRefusedError:
    return socketio.exceptions.ConnectionRefusedError(error, failure(error, hint))
