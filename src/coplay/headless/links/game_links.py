"""The links of one game to its other players: does with connections what the links (peer_link) want done."""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from coplay.headless.links.link import (
    AcceptAnswer,
    AddCandidates,
    CloseConnection,
    LinkEffect,
    MakeDescription,
    OpenConnection,
    PeerLink,
    SendSignal,
)
from coplay.headless.links.relay_lane import RelayLane
from coplay.headless.links.rtc_connection import RtcConnection


class GameLinksHost(Protocol):
    """What the links need around them."""

    def send_signal(self, peer: int, kind: str, payload: dict[str, Any]) -> None:
        """Send a signal through the server, or lose it."""

    def send_relayed(self, peer: int, data: bytes) -> None:
        """Send a datagram through the server, or lose it."""

    def arrived(self, peer: int, data: bytes) -> None:
        """Take a datagram of `peer`."""

    def now(self) -> float:
        """Monotonic seconds."""


class GameLinks:
    """All links of one game.

    Args:
        config: The server's `game` message; fields in protocol/README.md.
        host: Sends and takes.
    """

    def __init__(self, config: Mapping[str, Any], host: GameLinksHost) -> None:
        self._host = host
        self.ice_servers: Sequence[Mapping[str, Any]] = config["ice_servers"]
        self._policy: str = config.get("ice_policy", "all")
        me, page = config["player_id"], secrets.token_hex(8)
        self._links = {
            peer: PeerLink(me < peer, config["epochs"][str(peer)], f"{me}-{page}-{peer}", config["fps"])
            for peer in config["peers"]
            if peer != me
        }
        self._connections: dict[int, RtcConnection] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._lane = RelayLane(host.send_relayed)

    def start(self) -> None:
        """Begin to connect to everybody."""
        for peer, link in self._links.items():
            link.start(self._host.now())
            self._perform(peer)

    def tick(self) -> None:
        """Do what is due; to be called often, each frame or so."""
        now = self._host.now()
        for peer, link in self._links.items():
            link.tick(now)
            self._lane.set(peer, link.relay.on(now))
            self._perform(peer)

    def send(self, peer: int, data: bytes) -> None:
        """Send one datagram to a peer by whatever way there is, or lose it."""
        now = self._host.now()
        self._links[peer].spoke(now)
        self._lane.send(peer, data, now)
        connection = self._connections.get(peer)
        if connection is not None:
            connection.send(data)

    def receive_signal(self, peer: int, kind: str, payload: dict[str, Any]) -> None:
        """Take a signal that the server passed on."""
        if peer in self._links:
            self._links[peer].receive(kind, payload, self._host.now())
            self._perform(peer)

    def receive_relayed(self, message: bytes) -> None:
        """Take a datagram that came through the server: u8 sender, then its bytes."""
        if len(message) > 1 and message[0] in self._links:
            self._links[message[0]].heard(self._host.now(), direct=False)
            self._host.arrived(message[0], message[1:])

    def enter_epoch(self, peer: int, epoch: int) -> None:
        """The server raised the signaling epoch of our pair."""
        self._links[peer].enter_epoch(epoch, self._host.now())
        self._perform(peer)

    def socket_back(self) -> None:
        """The socket to the server is open again."""
        for peer, link in self._links.items():
            link.socket_back(self._host.now())
            self._perform(peer)

    def close_peer(self, peer: int) -> None:
        """Close the link to one player for good."""
        self._links[peer].close(self._host.now())
        self._perform(peer)

    async def close(self) -> None:
        """Close all links, with a goodbye to each player."""
        for peer in self._links:
            self.close_peer(peer)
        await asyncio.gather(*self._closing)

    def buffered(self) -> dict[int, int | None]:
        """Most bytes that waited in each player's channel since the last call; None without a channel."""
        found = self._connections
        return {peer: found[peer].take_buffered() if peer in found else None for peer in self._links}

    def ways(self) -> dict[int, str]:
        """How each player is reached now: `direct`, `turn` or `relay`; who is not reached is missing."""
        now = self._host.now()
        ways = {}
        for peer, link in self._links.items():
            if link.state == "connected":
                ways[peer] = self._connections[peer].way()
            elif link.relay.on(now):
                ways[peer] = "relay"
        return ways

    def _perform(self, peer: int) -> None:
        for effect in self._links[peer].effects():
            self._perform_one(peer, effect)

    def _perform_one(self, peer: int, effect: LinkEffect) -> None:
        match effect:
            case SendSignal(kind, payload):
                self._host.send_signal(peer, kind, payload)
            case OpenConnection(number):
                told = _LinkListener(self, peer, number)
                self._connections[peer] = RtcConnection(told, self.ice_servers, self._policy)
            case CloseConnection():
                closing = asyncio.ensure_future(self._connections.pop(peer).close())
                self._closing.add(closing)
                closing.add_done_callback(self._closing.discard)
            case MakeDescription(_, offer):
                self._connections[peer].describe(offer)
            case AcceptAnswer(_, sdp):
                self._connections[peer].accept(sdp)
            case AddCandidates(_, candidates):
                self._connections[peer].add_candidates(candidates)

    # What a connection tells

    def described(self, peer: int, number: int, sdp: str) -> None:
        self._links[peer].described(number, sdp, self._host.now())
        self._perform(peer)

    def opened(self, peer: int, number: int) -> None:
        self._links[peer].opened(number, self._host.now())
        self._perform(peer)

    def broke(self, peer: int, number: int) -> None:
        self._links[peer].broke(number, self._host.now())
        self._perform(peer)

    def heard(self, peer: int, number: int, data: bytes) -> None:
        if self._links[peer].connection == number:
            self._links[peer].heard(self._host.now(), direct=True)
            self._host.arrived(peer, data)


class _LinkListener:
    """Says what happens to one connection, until it is closed here."""

    def __init__(self, links: GameLinks, peer: int, number: int) -> None:
        self._links, self._peer, self._number = links, peer, number

    def described(self, sdp: str) -> None:
        self._links.described(self._peer, self._number, sdp)

    def opened(self) -> None:
        self._links.opened(self._peer, self._number)

    def broke(self) -> None:
        self._links.broke(self._peer, self._number)

    def heard(self, data: bytes | str) -> None:
        if isinstance(data, bytes):
            self._links.heard(self._peer, self._number, data)
