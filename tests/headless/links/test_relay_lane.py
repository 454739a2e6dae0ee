"""The relay through the server: when a link uses it, and how much it sends."""

from coplay.headless.links.relay_lane import RelayLane
from coplay.headless.links.relaying import RelaySwitch


def test_relaying_is_mirrored_but_its_echo_is_not() -> None:
    switch = RelaySwitch()
    switch.relayed_datagram_received(10.0)
    assert switch.is_on(10.0)
    assert switch.is_on(11.4)
    assert not switch.is_on(11.6)
    switch.relayed_datagram_received(11.7)
    assert not switch.is_on(11.7), "an echo"
    switch.relayed_datagram_received(14.2)
    assert switch.is_on(14.2)


def test_relayed_peers_share_the_rate_limit_equally() -> None:
    sent: list[int] = []
    lane = RelayLane(lambda peer, data: sent.append(peer))
    for peer in (1, 2):
        lane.set(peer, True)
    for frame in range(200):
        for peer in (1, 2, 3):
            lane.send(peer, b"", 1 + frame / 100)
    assert sent.count(3) == 0
    assert sent.count(1) == sent.count(2)
    assert 100 <= sent.count(1) <= 120
