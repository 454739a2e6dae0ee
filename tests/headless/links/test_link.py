"""The life of a headless peer's link in simulated time: signals come late, twice, or never."""

from random import Random
from typing import Any

import pytest

from coplay.headless.links.link import PeerLink
from coplay.headless.links.link_effects import (
    AcceptAnswer,
    CloseConnection,
    MakeDescription,
    OpenConnection,
    SendSignal,
)
from coplay.headless.links.relaying import RELAY_AFTER_S, STABLE_S

FPS = 30.0
STEP = 0.01


def sdp(owner: int, connection: int, ufrag: str = "x") -> str:
    return f"v=0\r\na=fingerprint:sha-256 {owner}:{connection}\r\na=ice-ufrag:{ufrag}\r\n"


class World:
    """Two links, and a server that loses some of their signals."""

    def __init__(self, seed: int = 0, loss: float = 0.0) -> None:
        self.random = Random(seed)
        self.loss = loss
        self.now = 0.0
        self.links = [PeerLink(me == 0, 0, f"name-{me}", FPS) for me in (0, 1)]
        self.signals: list[tuple[float, int, str, dict[str, Any]]] = []
        self.described: list[tuple[int, int]] = []
        self.remote: list[str] = ["", ""]
        self.sent: list[tuple[int, str]] = []

    def run(self, seconds: float, *, playing: bool = False) -> None:
        end = self.now + seconds
        while self.now < end:
            self.now += STEP
            due = [each for each in self.signals if each[0] <= self.now]
            self.signals = [each for each in self.signals if each[0] > self.now]
            for _, to, kind, payload in due:
                self.links[to].receive(kind, payload, self.now)
            for me, connection in self.described:
                self.links[me].description_made(connection, sdp(me, connection), self.now)
            self.described = []
            for me in (0, 1):
                self.links[me].tick(self.now)
                if playing:
                    self.links[me].datagram_sent(self.now)
                self._perform(me)
            self._open_channels()

    def connected(self) -> bool:
        return all(link.state == "connected" for link in self.links)

    def _perform(self, me: int) -> None:
        for effect in self.links[me].effects():
            match effect:
                case SendSignal(kind, payload):
                    self.sent.append((me, kind))
                    for _ in range(self.random.choice((1, 1, 2))):
                        if self.random.random() >= self.loss:
                            due = self.now + self.random.uniform(0.01, 0.3)
                            self.signals.append((due, 1 - me, kind, payload))
                case MakeDescription(connection, offer):
                    self.remote[me] = offer or self.remote[me]
                    self.described.append((me, connection))
                case AcceptAnswer(_, answer):
                    self.remote[me] = answer
                case OpenConnection() | CloseConnection():
                    self.remote[me] = ""

    def _open_channels(self) -> None:
        """Open the channels of two connections that know each other's description."""
        numbers = [link.connection for link in self.links]
        if all(self.remote[me] == sdp(1 - me, numbers[1 - me]) for me in (0, 1)):
            for link, number in zip(self.links, numbers, strict=True):
                if link.state == "connecting":
                    link.channel_opened(number, self.now)


@pytest.mark.parametrize("seed", range(20))
def test_two_links_connect_although_signals_are_lost(seed: int) -> None:
    world = World(seed, loss=0.3)
    for link in world.links:
        link.start(world.now)
    world.run(60)
    assert world.connected()
    world.signals.clear()
    world.sent.clear()
    world.run(20)
    assert world.sent == [], "a connected link sends no signals"


def test_datagrams_are_relayed_until_a_direct_path_is_stable() -> None:
    world = World(loss=1.0)
    for link in world.links:
        link.start(world.now)
    world.run(RELAY_AFTER_S - 0.1)
    assert not world.links[0].relay.is_on(world.now)
    world.run(0.2)
    assert world.links[0].relay.is_on(world.now)
    world.loss = 0.0
    world.run(5)
    assert world.connected()
    world.run(STABLE_S)
    assert not world.links[0].relay.is_on(world.now)


@pytest.mark.parametrize("broken", [0, 1])
def test_failed_connection_is_replaced_by_a_new_one(broken: int) -> None:
    world = World(loss=0.1)
    for link in world.links:
        link.start(world.now)
    world.run(20)
    assert world.connected()
    world.links[broken].connection_failed(world.links[broken].connection, world.now)
    assert world.links[broken].state == "rebuilding"
    assert world.links[broken].relay.is_on(world.now)
    world.run(20)
    assert world.connected()
    assert [link.connection for link in world.links] == [2, 2]


def test_silent_path_is_replaced_by_a_new_connection() -> None:
    world = World()
    for link in world.links:
        link.start(world.now)
    world.run(5)
    for link in world.links:
        link.datagram_received(world.now, direct=True)
    world.run(1.0, playing=True)
    assert world.connected()
    assert world.links[0].relay.is_on(world.now)
    world.run(5, playing=True)
    assert [link.connection for link in world.links] == [2, 2]


def signal(count: int, negotiation: int, **content: Any) -> dict[str, Any]:
    stamp = {"epoch": 0, "negotiation": negotiation, "seq": count, "message_id": f"other-{count}"}
    return {**content, **stamp}


def sent_signals(link: PeerLink) -> list[tuple[str, int]]:
    effects = [effect for effect in link.effects() if isinstance(effect, SendSignal)]
    return [(effect.kind, effect.payload["negotiation"]) for effect in effects]


def test_page_that_restarts_a_connection_is_asked_to_rebuild() -> None:
    link = PeerLink(False, 0, "me", FPS)
    link.start(0.0)
    link.receive("offer", signal(1, 1, sdp=sdp(0, 1)), 0.1)
    link.description_made(1, sdp(1, 1), 0.2)
    link.channel_opened(1, 0.3)
    link.effects()
    link.receive("offer", signal(2, 2, sdp=sdp(0, 1, "y")), 5.0)
    assert sent_signals(link) == [("rebuild-request", 2)]
    assert link.relay.is_on(5.0)
    link.receive("offer", signal(3, 3, sdp=sdp(0, 2)), 5.1)
    assert MakeDescription(2, sdp(0, 2)) in link.effects()


def test_page_that_asks_for_a_restart_gets_a_new_connection() -> None:
    link = PeerLink(True, 0, "me", FPS)
    link.start(0.0)
    link.description_made(1, sdp(0, 1), 0.1)
    link.receive("answer", signal(1, 1, sdp=sdp(1, 1)), 0.2)
    link.channel_opened(1, 0.3)
    link.effects()
    link.receive("restart-request", signal(2, 1), 5.0)
    link.tick(5.0)
    assert MakeDescription(2, None) in link.effects()


def test_signals_of_another_epoch_and_malformed_signals_are_dropped() -> None:
    link = PeerLink(False, 1, "me", FPS)
    link.start(0.0)
    link.receive("offer", signal(1, 1, sdp=sdp(0, 1)), 0.1)
    for payload in ({}, {"epoch": 1}, {"epoch": 1, "negotiation": "1", "message_id": "a"}):
        link.receive("offer", payload, 0.1)
    link.receive("offer", {**signal(2, 1), "epoch": 1}, 0.1)
    link.receive("ice-candidate", {**signal(3, 1, candidate=[1, "a", None]), "epoch": 1}, 0.1)
    assert (link.state, link.connection) == ("signaling", 0)
    link.enter_epoch(2, 0.2)
    link.tick(0.5)
    link.receive("offer", {**signal(4, 1, sdp=sdp(0, 1)), "epoch": 2}, 0.6)
    assert link.state == "connecting"


def test_bye_closes_both_links_for_good() -> None:
    world = World()
    for link in world.links:
        link.start(world.now)
    world.run(3)
    world.links[0].close(world.now)
    world.run(30)
    assert [link.state for link in world.links] == ["closed", "closed"]
