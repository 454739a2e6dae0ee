"""The Socket.IO half of the server: who is on which socket, and what their pages ask."""

import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

import socketio

from coplay.messages.encoding import to_json
from coplay.messages.to_page import Failure
from coplay.messages.to_server import Acknowledgement
from coplay.server.clock import Clock
from coplay.server.edge.socket_limits import GuardedPacket, close_on_malformed_packets, hang_up_later
from coplay.server.event_log import EventLog
from coplay.server.games.coordinator import GameCoordinator
from coplay.server.messenger import Messenger
from coplay.server.people.page_tokens import PageTokens
from coplay.server.people.participants import Participant, Participants
from coplay.server.people.scene_flow import SceneFlow
from coplay.server.refusals import RequestRefusedError, log_fault
from coplay.signaling.rate_limits import RateLimiter

MAX_MESSAGE_BYTES: Final = 64 * 1024
MESSAGES_PER_SECOND: Final = 10.0
MESSAGE_BURST: Final = 60.0
CONNECTIONS_PER_SECOND: Final = 2.0
CONNECTION_BURST: Final = 60.0
_OFFSET = re.compile(r"[0-9]{1,16}")


def make_socket_server() -> socketio.AsyncServer:
    """The Socket.IO server.

    WebSocket only: no sticky sessions, no second transport to secure. Handlers run one after another for each
    socket (`async_handlers=False`), so that signals cannot overtake each other. Only pages of our own origin
    may connect.
    """
    server = socketio.AsyncServer(
        async_mode="asgi",
        transports=["websocket"],
        serializer=GuardedPacket,
        async_handlers=False,
        max_http_buffer_size=MAX_MESSAGE_BYTES,
        cors_allowed_origins=None,
        ping_interval=5,
        ping_timeout=5,
        logger=False,
        engineio_logger=False,
    )
    close_on_malformed_packets(server)
    return server


class SocketSender:
    """The side of the Socket.IO server that the messenger uses.

    Args:
        server: The Socket.IO server.
    """

    def __init__(self, server: socketio.AsyncServer) -> None:
        self._server = server

    async def emit(self, event: str, data: Any, *, to: str) -> None:
        """Send an event to one socket; a tuple is several arguments.

        `AsyncServer.emit` can reach many: it makes a task for each, and waits for them. One needs neither.
        """
        below = self._server.manager.eio_sid_from_sid(to, "/")
        if below is None:
            return
        arguments = data if isinstance(data, tuple) else (data,)
        encoded = GuardedPacket(socketio.packet.EVENT, [event, *arguments], namespace="/").encode()
        for part in encoded if isinstance(encoded, list) else (encoded,):
            await self._server.eio.send(below, part)

    async def disconnect(self, sid: str) -> None:
        """Close a socket."""
        await self._server.disconnect(sid)

    def backlog(self, sid: str) -> int:
        """How many packets wait to be sent to a socket."""
        socket = self._server.eio.sockets.get(self._server.manager.eio_sid_from_sid(sid, "/"))
        return 0 if socket is None else int(socket.queue.qsize())


class Sockets:
    """Connects sockets to participants, and their messages to whoever answers them.

    Args:
        server: The Socket.IO server.
        tokens: Those that open sockets.
        participants: The participants.
        messenger: Is told of their sockets.
        scene_flow: Answers what concerns their paths.
        coordinator: Answers signals.
        event_log: Writes down what happens.
        clock: The time.
    """

    def __init__(
        self,
        server: socketio.AsyncServer,
        tokens: PageTokens,
        participants: Participants,
        messenger: Messenger,
        scene_flow: SceneFlow,
        coordinator: GameCoordinator,
        event_log: EventLog,
        clock: Clock,
    ) -> None:
        self._server = server
        self._tokens = tokens
        self._participants = participants
        self._messenger = messenger
        self._scene_flow = scene_flow
        self._coordinator = coordinator
        self._event_log = event_log
        self._clock = clock
        self._members: dict[str, str] = {}
        self._messages = RateLimiter(MESSAGES_PER_SECOND, MESSAGE_BURST)
        self._connections = RateLimiter(CONNECTIONS_PER_SECOND, CONNECTION_BURST)
        server.on("connect", self._connect)
        server.on("disconnect", self._disconnect)
        for event, handle in (
            ("continue", self._continue),
            ("leave", self._leave),
            ("webrtc_signal", self._webrtc_signal),
            ("datagram", self._datagram),
            ("ice_servers", self._ice_servers),
            ("game_over", self._game_over),
            ("prepared", self._prepared),
            ("resume_kept", self._resume_kept),
        ):
            server.on(event, _answering(event, handle))

    async def _connect(self, sid: str, _environ: object, auth: object = None) -> None:
        try:
            self._admit(sid, auth)
        except socketio.exceptions.ConnectionRefusedError:
            hang_up_later(self._server, sid)
            raise
        except Exception as error:
            raise _refused(log_fault("connect", error)) from None

    def _admit(self, sid: str, auth: object) -> None:
        try:
            participant, turn = self._tokens.read(auth.get("token") if isinstance(auth, dict) else None)
        except RequestRefusedError as error:
            raise _refused(error.for_page()) from None
        if not self._connections.take(participant.participant_id, self._clock.now()):
            # Without a reason in its data a refusal is not final.
            raise socketio.exceptions.ConnectionRefusedError("too many connections")
        self._members[sid] = participant.participant_id
        resumed = self._messenger.open(participant.participant_id, sid, _offset(auth))
        self._tokens.opened(participant, turn, resumed)
        self._scene_flow.arrived(participant, resumed)

    async def _disconnect(self, sid: str, *_reason: object) -> None:
        hang_up_later(self._server, sid)
        participant_id = self._members.pop(sid, None)
        if participant_id is None:
            return
        newer = self._messenger.sid_of(participant_id)
        if self._messenger.lost(participant_id, sid) or newer is None:
            self._scene_flow.dropped(self._participants[participant_id])

    async def _continue(self, sid: str, message: object = None) -> dict[str, Any]:
        participant = self._asking(sid)
        index = message.get("index") if isinstance(message, dict) else None
        return {"ok": participant is not None and self._scene_flow.continue_from(participant, index)}

    async def _leave(self, sid: str, _message: object = None) -> dict[str, Any]:
        participant = self._asking(sid)
        if participant is not None:
            self._scene_flow.leave(participant)
        return {"ok": participant is not None}

    async def _webrtc_signal(self, sid: str, message: object = None) -> dict[str, Any]:
        participant = self._participant(sid)
        if participant is None:
            return {"ok": False, "error": "This socket has been replaced.", "reason": "not_member"}
        return self._coordinator.handle_webrtc_signal(participant.participant_id, message)

    async def _datagram(self, sid: str, data: object = None) -> None:
        participant = self._participant(sid)
        passed = (
            self._coordinator.relay.relay_datagram(participant.participant_id, data) if participant else None
        )
        if passed is not None and not await self._messenger.stream(passed[0], "datagram", passed[1]):
            self._coordinator.relay.datagrams.dropped["pressure"] += 1

    async def _ice_servers(self, sid: str, _message: object = None) -> dict[str, Any]:
        participant = self._asking(sid)
        servers = self._coordinator.relay.ice_servers_of(participant.participant_id) if participant else None
        return to_json(Acknowledgement(ok=servers is not None, ice_servers=servers))

    async def _game_over(self, sid: str, message: object = None) -> dict[str, Any]:
        participant = self._asking(sid)
        game_id = message.get("game_id") if isinstance(message, dict) else None
        return {"ok": participant is not None and self._scene_flow.game_over(participant, game_id)}

    async def _prepared(self, sid: str, message: object = None) -> dict[str, Any]:
        participant = self._asking(sid)
        index = message.get("index") if isinstance(message, dict) else None
        if participant is not None and isinstance(index, int) and 0 <= index < 2**31:
            self._event_log.event("prepared", participant.participant_id, scene=index)
        return {"ok": participant is not None}

    async def _resume_kept(self, sid: str, message: object = None) -> dict[str, Any]:
        participant = self._asking(sid)
        token = message.get("token") if isinstance(message, dict) else None
        return {"ok": participant is not None and self._tokens.keep(participant, token)}

    def _asking(self, sid: str) -> Participant | None:
        """Who speaks on a socket, unless they do it too often; a flood must not fill the disk."""
        participant = self._participant(sid)
        if participant is None or not self._messages.take(participant.participant_id, self._clock.now()):
            return None
        return participant

    def _participant(self, sid: str) -> Participant | None:
        """Who speaks on a socket; None if a newer socket speaks for them."""
        participant_id = self._members.get(sid)
        return (
            self._participants[participant_id]
            if participant_id and self._messenger.sid_of(participant_id) == sid
            else None
        )


def _answering(event: str, handle: Callable[[str, object], Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """A handler that takes whatever comes with an event, and answers with a sentence if the fault is ours."""

    async def answer(sid: str, message: object = None, *_more: object) -> Any:
        try:
            return await handle(sid, message)
        except Exception as error:
            return {"ok": False, **to_json(log_fault(event, error))}

    return answer


def _refused(failure: Failure) -> socketio.exceptions.ConnectionRefusedError:
    """Return the exception that makes Socket.IO refuse a connection, with a message for the page."""
    return socketio.exceptions.ConnectionRefusedError(failure.error, to_json(failure))


def _offset(auth: object) -> int | None:
    """The number of the last event that a page took, as socket.io-client tells it."""
    offset = auth.get("offset") if isinstance(auth, dict) else None
    return int(offset) if isinstance(offset, str) and _OFFSET.fullmatch(offset) else None
