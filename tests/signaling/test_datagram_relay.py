import pytest
from hypothesis import given
from hypothesis import strategies as st

from coplay.signaling.datagram_relay import DATAGRAM_BURST, MAX_DATAGRAM_BYTES, DatagramRelay, RelayedDatagram

MEMBERS = {0: "ann", 1: "bob", 2: "cid"}


def test_datagram_carries_its_sender_instead_of_its_target() -> None:
    relay = DatagramRelay()
    assert relay.relay(2, MEMBERS, b"\x01abc", 0) == RelayedDatagram(1, b"\x02abc")
    assert relay.relayed == 1
    assert not relay.dropped


@pytest.mark.parametrize("data", [None, "\x01abc", {}, [1, 2], b"", b"\x01", b"\x01" + bytes(1201), 7])
def test_malformed_datagram_is_dropped_and_counted(data: object) -> None:
    relay = DatagramRelay()
    assert relay.relay(0, MEMBERS, data, 0) is None
    assert relay.dropped == {"malformed": 1}


def test_largest_datagram_passes() -> None:
    passed = DatagramRelay().relay(0, MEMBERS, b"\x01" + bytes(MAX_DATAGRAM_BYTES), 0)
    assert passed is not None
    assert len(passed.data) == 1 + MAX_DATAGRAM_BYTES


@pytest.mark.parametrize("target", [0, 3, 255])
def test_datagram_to_oneself_or_nobody_is_dropped(target: int) -> None:
    relay = DatagramRelay()
    assert relay.relay(0, MEMBERS, bytes([target, 1]), 0) is None
    assert relay.dropped == {"no_target": 1}


@pytest.mark.parametrize("sender", [-1, 3])
def test_datagram_from_outside_the_game_is_dropped(sender: int) -> None:
    relay = DatagramRelay()
    assert relay.relay(sender, MEMBERS, b"\x01abc", 0) is None
    assert relay.dropped == {"not_member": 1}


def test_each_player_may_send_120_datagrams_a_second() -> None:
    relay = DatagramRelay()
    for now in range(3):
        passed = sum(relay.relay(0, MEMBERS, b"\x01x", now) is not None for _ in range(500))
        assert passed == DATAGRAM_BURST == 120
    assert relay.relay(1, MEMBERS, b"\x00x", 0) is not None


def test_malformed_datagrams_use_up_the_budget_too() -> None:
    relay = DatagramRelay()
    for _ in range(200):
        relay.relay(0, MEMBERS, b"", 0)
    assert relay.dropped == {"malformed": 120, "rate": 80}


@given(st.integers(-2, 9), st.binary(max_size=1300) | st.text() | st.none() | st.integers())
def test_garbage_never_raises(sender: int, data: object) -> None:
    passed = DatagramRelay().relay(sender, MEMBERS, data, 0)
    if passed is not None:
        assert passed.data[0] == sender
        assert passed.target in MEMBERS
        assert passed.target != sender


def test_forgotten_member_starts_with_a_full_budget() -> None:
    relay = DatagramRelay()
    while relay.relay(0, MEMBERS, b"\x01x", 0) is not None:
        pass
    relay.forget("ann")
    assert relay.relay(0, MEMBERS, b"\x01x", 0) is not None
