"""All links of one game: performs the effects of each link's life cycle with aiortc connections."""

import asyncio
import secrets
from collections.abc import Sequence
from typing import Any, Protocol

from coplay.headless.links.link import PeerLink
from coplay.headless.links.link_effects import (
    AcceptAnswer,
    AddCandidates,
    CloseConnection,
    LinkEffect,
    MakeDescription,
    OpenConnection,
    SendSignal,
)
from coplay.headless.links.relay_lane import RelayLane
from coplay.headless.links.rtc_connection import RtcConnection
from coplay.messages.game import GameConfig, IceServer


class GameLinksHost(Protocol):
    """Callbacks that the links need from the game around them."""

    def send_signal(self, peer: int, kind: str, payload: dict[str, Any]) -> None:
        """Send a signal through the server; it may be lost."""

    def send_relayed(self, peer: int, data: bytes) -> None:
        """Send a datagram through the server; it may be lost."""

    def datagram_received(self, peer: int, data: bytes) -> None:
        """Process a datagram from `peer`."""

    def now(self) -> float:
        """Return monotonic seconds."""


class GameLinks:
    """The links from this player to all others of one game.

    Args:
        config: The game, as the server configured it.
        host: The game around the links.

    Attributes:
        ice_servers: STUN and TURN servers for connections opened from now on; their credentials expire.
    """

    def __init__(self, config: GameConfig, host: GameLinksHost) -> None:
        self._host = host
        self.ice_servers: Sequence[IceServer] = config.ice_servers
        self._policy = config.ice_policy
        # The random part differs in each process, so that a new one's messages never count as duplicates.
        me, process = config.player_id, secrets.token_hex(8)
        self._links = {
            peer: PeerLink(me < peer, config.epochs[str(peer)], f"{me}-{process}-{peer}", config.fps)
            for peer in config.peers
            if peer != me
        }
        self._connections: dict[int, RtcConnection] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._lane = RelayLane(host.send_relayed)

    def start(self) -> None:
        """Begin to connect to every other player."""
        for peer, link in self._links.items():
            link.start(self._host.now())
            self._perform_effects(peer)

    def tick(self) -> None:
        """Do the work that is due; call it about once per frame."""
        now = self._host.now()
        for peer, link in self._links.items():
            link.tick(now)
            self._lane.set(peer, link.relay.is_on(now))
            self._perform_effects(peer)

    def send(self, peer: int, data: bytes) -> None:
        """Send one datagram to a peer over every available path; it may be lost."""
        now = self._host.now()
        self._links[peer].datagram_sent(now)
        self._lane.send(peer, data, now)
        connection = self._connections.get(peer)
        if connection is not None:
            connection.send(data)

    def receive_signal(self, peer: int, kind: str, payload: dict[str, Any]) -> None:
        """Process a signal that the server passed on."""
        if peer in self._links:
            self._links[peer].receive(kind, payload, self._host.now())
            self._perform_effects(peer)

    def receive_relayed(self, message: bytes) -> None:
        """Process a datagram that came through the server.

        Args:
            message: The sender's player id in one byte, then the datagram.
        """
        if len(message) > 1 and message[0] in self._links:
            self._links[message[0]].datagram_received(self._host.now(), direct=False)
            self._host.datagram_received(message[0], message[1:])

    def enter_epoch(self, peer: int, epoch: int) -> None:
        """Start over with a peer: the server raised the signaling epoch of the pair."""
        self._links[peer].enter_epoch(epoch, self._host.now())
        self._perform_effects(peer)

    def socket_reopened(self) -> None:
        """Resend unacknowledged signals after the socket to the server was closed for a while."""
        for peer, link in self._links.items():
            link.socket_reopened(self._host.now())
            self._perform_effects(peer)

    def close_peer(self, peer: int) -> None:
        """Close the link to one player for good."""
        self._links[peer].close(self._host.now())
        self._perform_effects(peer)

    async def close(self) -> None:
        """Close all links, with a goodbye to each player."""
        for peer in self._links:
            self.close_peer(peer)
        await asyncio.gather(*self._closing)

    def take_buffered(self) -> dict[int, int | None]:
        """Return the most bytes that waited in each peer's channel since the last call; None without one."""
        found = self._connections
        return {peer: found[peer].take_buffered() if peer in found else None for peer in self._links}

    def paths(self) -> dict[int, str]:
        """Return how each reachable player is reached now: `direct`, `turn` or `relay`."""
        now = self._host.now()
        paths = {}
        for peer, link in self._links.items():
            if link.state == "connected":
                paths[peer] = self._connections[peer].path()
            elif link.relay.is_on(now):
                paths[peer] = "relay"
        return paths

    def _perform_effects(self, peer: int) -> None:
        for effect in self._links[peer].effects():
            self._perform(peer, effect)

    def _perform(self, peer: int, effect: LinkEffect) -> None:
        match effect:
            case SendSignal(kind, payload):
                self._host.send_signal(peer, kind, payload)
            case OpenConnection(number):
                listener = _LinkListener(self, peer, number)
                self._connections[peer] = RtcConnection(listener, self.ice_servers, self._policy)
            case CloseConnection():
                closing = asyncio.ensure_future(self._connections.pop(peer).close())
                # asyncio itself keeps only weak references to tasks.
                self._closing.add(closing)
                closing.add_done_callback(self._closing.discard)
            case MakeDescription(_, offer):
                self._connections[peer].describe(offer)
            case AcceptAnswer(_, sdp):
                self._connections[peer].accept(sdp)
            case AddCandidates(_, candidates):
                self._connections[peer].add_candidates(candidates)

    # From the connections

    def description_made(self, peer: int, number: int, sdp: str) -> None:
        """Send the local description of connection `number`."""
        self._links[peer].description_made(number, sdp, self._host.now())
        self._perform_effects(peer)

    def channel_opened(self, peer: int, number: int) -> None:
        """Handle that the channel of connection `number` is open."""
        self._links[peer].channel_opened(number, self._host.now())
        self._perform_effects(peer)

    def connection_failed(self, peer: int, number: int) -> None:
        """Handle the failure of connection `number`."""
        self._links[peer].connection_failed(number, self._host.now())
        self._perform_effects(peer)

    def message_received(self, peer: int, number: int, data: bytes) -> None:
        """Process a datagram that came over connection `number`."""
        # A connection that was replaced may still deliver datagrams of an earlier epoch.
        if self._links[peer].connection == number:
            self._links[peer].datagram_received(self._host.now(), direct=True)
            self._host.datagram_received(peer, data)


class _LinkListener:
    """Passes the callbacks of one connection on, with its peer and number."""

    def __init__(self, links: GameLinks, peer: int, number: int) -> None:
        self._links, self._peer, self._number = links, peer, number

    def description_made(self, sdp: str) -> None:
        self._links.description_made(self._peer, self._number, sdp)

    def channel_opened(self) -> None:
        self._links.channel_opened(self._peer, self._number)

    def connection_failed(self) -> None:
        self._links.connection_failed(self._peer, self._number)

    def message_received(self, data: bytes | str) -> None:
        if isinstance(data, bytes):
            self._links.message_received(self._peer, self._number, data)
