"""The Socket.IO half of the server: opens and closes the pages' sockets, and handles their events."""

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
from coplay.signaling.token_buckets import RateLimiter

MAX_MESSAGE_BYTES: Final = 64 * 1024
MESSAGES_PER_SECOND: Final = 10.0
MESSAGE_BURST: Final = 60.0
CONNECTIONS_PER_SECOND: Final = 2.0
CONNECTION_BURST: Final = 60.0
# Bounded, because the time for parsing a whole number grows quadratically with its length.
_OFFSET = re.compile(r"[0-9]{1,16}")


def make_socket_server() -> socketio.AsyncServer:
    """Create the Socket.IO server.

    It offers WebSocket only: no sticky sessions, and no second transport to secure. The handlers of one
    socket run one after another (`async_handlers=False`), so that signals cannot overtake each other. Only
    pages of our own origin may connect.
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
    """The part of the Socket.IO server that the messenger needs.

    Args:
        server: The Socket.IO server.
    """

    def __init__(self, server: socketio.AsyncServer) -> None:
        self._server = server

    async def emit(self, event: str, data: Any, *, to: str) -> None:
        """Send an event to one socket.

        Args:
            event: The event's name.
            data: Its argument; a tuple holds several.
            to: The socket's id.
        """
        # `AsyncServer.emit` is made for many sockets: it creates a task for each and waits for all of them.
        connection = self._server.manager.eio_sid_from_sid(to, "/")
        if connection is None:
            return
        arguments = data if isinstance(data, tuple) else (data,)
        encoded = GuardedPacket(socketio.packet.EVENT, [event, *arguments], namespace="/").encode()
        for part in encoded if isinstance(encoded, list) else (encoded,):
            await self._server.eio.send(connection, part)

    async def disconnect(self, sid: str) -> None:
        """Close a socket."""
        await self._server.disconnect(sid)

    def backlog(self, sid: str) -> int:
        """Return how many packets wait to be sent to a socket."""
        socket = self._server.eio.sockets.get(self._server.manager.eio_sid_from_sid(sid, "/"))
        return 0 if socket is None else int(socket.queue.qsize())


class Sockets:
    """The handlers of all events that pages send.

    Args:
        server: The Socket.IO server.
        page_tokens: Verifies the tokens that open sockets.
        participants: All participants of the study.
        messenger: Delivers events to the sockets that are opened here.
        scene_flow: Moves participants along the study.
        coordinator: Runs the games.
        event_log: Records what pages report.
        clock: The source of time.
    """

    def __init__(
        self,
        server: socketio.AsyncServer,
        page_tokens: PageTokens,
        participants: Participants,
        messenger: Messenger,
        scene_flow: SceneFlow,
        coordinator: GameCoordinator,
        event_log: EventLog,
        clock: Clock,
    ) -> None:
        self._server = server
        self._page_tokens = page_tokens
        self._participants = participants
        self._messenger = messenger
        self._scene_flow = scene_flow
        self._coordinator = coordinator
        self._event_log = event_log
        self._clock = clock
        self._participant_ids: dict[str, str] = {}
        self._message_limiter = RateLimiter(MESSAGES_PER_SECOND, MESSAGE_BURST)
        self._connection_limiter = RateLimiter(CONNECTIONS_PER_SECOND, CONNECTION_BURST)
        server.on("connect", self._connect)
        server.on("disconnect", self._disconnect)
        server.on("webrtc_signal", _safe("webrtc_signal", self._webrtc_signal))
        server.on("datagram", _safe("datagram", self._datagram))
        for event, handle in (
            ("continue", self._continue),
            ("leave", self._leave),
            ("ice_servers", self._ice_servers),
            ("game_over", self._game_over),
            ("prepared", self._prepared),
            ("resume_kept", self._resume_kept),
        ):
            server.on(event, _safe(event, self._limited(handle)))

    # Connections

    async def _connect(self, sid: str, _environ: object, auth: object = None) -> None:
        try:
            self._admit(sid, auth)
        except socketio.exceptions.ConnectionRefusedError:
            hang_up_later(self._server, sid)
            raise
        except Exception as error:  # noqa: BLE001 (the outermost handler)
            raise _connection_refused(log_fault("connect", error)) from None

    def _admit(self, sid: str, auth: object) -> None:
        try:
            participant, turn = self._page_tokens.read(_field(auth, "token"))
        except RequestRefusedError as error:
            raise _connection_refused(error.for_page()) from None
        if not self._connection_limiter.take(participant.participant_id, self._clock.now()):
            # Pages retry after a refusal that carries no data, and give up after one that does.
            raise socketio.exceptions.ConnectionRefusedError("too many connections")
        self._participant_ids[sid] = participant.participant_id
        # Opened first: events for a page that has not opened a socket yet are dropped, not kept.
        resumed = self._messenger.open(participant.participant_id, sid, _offset(auth))
        self._page_tokens.opened(participant, turn, resumed)
        self._scene_flow.arrived(participant, resumed)

    async def _disconnect(self, sid: str, *_reason: object) -> None:
        hang_up_later(self._server, sid)
        participant_id = self._participant_ids.pop(sid, None)
        if participant_id is None:
            return
        current = self._messenger.sid_of(participant_id)
        # A socket that was replaced closes after its successor has opened, which is not a disconnection.
        if self._messenger.lost(participant_id, sid) or current is None:
            self._scene_flow.dropped(self._participants[participant_id])

    def _participant(self, sid: str) -> Participant | None:
        """Return the participant whose socket it is; None if a newer socket has replaced it."""
        participant_id = self._participant_ids.get(sid)
        if participant_id is None or self._messenger.sid_of(participant_id) != sid:
            return None
        return self._participants[participant_id]

    # Relaying, with limits of its own

    async def _webrtc_signal(self, sid: str, message: object) -> dict[str, Any]:
        participant = self._participant(sid)
        if participant is None:
            return {"ok": False, "error": "This socket has been replaced.", "reason": "not_member"}
        return self._coordinator.handle_webrtc_signal(participant.participant_id, message)

    async def _datagram(self, sid: str, data: object) -> None:
        participant = self._participant(sid)
        if participant is None:
            return
        relay = self._coordinator.relay
        addressed = relay.relay_datagram(participant.participant_id, data)
        if addressed is not None and not await self._messenger.stream(addressed[0], "datagram", addressed[1]):
            relay.datagrams.dropped["pressure"] += 1

    # Everything else

    async def _continue(self, participant: Participant, message: object) -> dict[str, Any]:
        return {"ok": self._scene_flow.continue_from(participant, _field(message, "index"))}

    async def _leave(self, participant: Participant, _message: object) -> dict[str, Any]:
        self._scene_flow.leave(participant)
        return {"ok": True}

    async def _ice_servers(self, participant: Participant, _message: object) -> dict[str, Any]:
        servers = self._coordinator.relay.ice_servers_of(participant.participant_id)
        return to_json(Acknowledgement(ok=servers is not None, ice_servers=servers))

    async def _game_over(self, participant: Participant, message: object) -> dict[str, Any]:
        return {"ok": self._scene_flow.game_over(participant, _field(message, "game_id"))}

    async def _prepared(self, participant: Participant, message: object) -> dict[str, Any]:
        index = _field(message, "index")
        if isinstance(index, int) and 0 <= index < 2**31:
            self._event_log.event("prepared", participant.participant_id, scene=index)
        return {"ok": True}

    async def _resume_kept(self, participant: Participant, message: object) -> dict[str, Any]:
        return {"ok": self._page_tokens.keep(participant, _field(message, "token"))}

    def _limited(
        self, handle: Callable[[Participant, object], Awaitable[dict[str, Any]]]
    ) -> Callable[[str, object], Awaitable[dict[str, Any]]]:
        """Return a handler that ignores replaced sockets, and participants over their rate limit."""

        async def handle_if_allowed(sid: str, message: object) -> dict[str, Any]:
            participant = self._participant(sid)
            # Most of these events become rows, so that a flood could fill the disk.
            if participant is None or not self._message_limiter.take(
                participant.participant_id, self._clock.now()
            ):
                return {"ok": False}
            return await handle(participant, message)

        return handle_if_allowed


def _safe(event: str, handle: Callable[[str, object], Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Return a handler that takes any number of arguments, and answers with a reference when it fails."""

    async def answer(sid: str, message: object = None, *_more: object) -> Any:
        try:
            return await handle(sid, message)
        except Exception as error:  # noqa: BLE001 (the outermost handler)
            return {"ok": False, **to_json(log_fault(event, error))}

    return answer


def _connection_refused(failure: Failure) -> socketio.exceptions.ConnectionRefusedError:
    """Return the exception that makes Socket.IO refuse a connection, with a message for the page."""
    return socketio.exceptions.ConnectionRefusedError(failure.error, to_json(failure))


def _field(message: object, name: str) -> object:
    """Return a field of a message, which may be anything; None if there is no such field."""
    return message.get(name) if isinstance(message, dict) else None


def _offset(auth: object) -> int | None:
    """Return the number of the last event that a page received, as socket.io-client sends it."""
    offset = _field(auth, "offset")
    return int(offset) if isinstance(offset, str) and _OFFSET.fullmatch(offset) else None
