import pytest

from coplay.netcode.peers.remote_peer import RemotePeer
from coplay.netcode.wire.format import PLAY


def peers() -> tuple[RemotePeer, RemotePeer]:
    return RemotePeer(1, (1,), 2, 0, 0.0), RemotePeer(0, (0,), 2, 0, 0.0)


def exchange(frames: int, one_way: float, wait: float = 0.003) -> RemotePeer:
    a, b = peers()
    now = 0.0
    for _ in range(frames):
        there = bytes(a.start_datagram(PLAY, now))
        b.receive_header(there, now + one_way)
        back = bytes(b.start_datagram(PLAY, now + one_way + wait))
        a.receive_header(back, now + 2 * one_way + wait)
        now += 0.02
    return a


@pytest.mark.parametrize("one_way", [0.0, 0.01, 0.25, 1.0])
def test_round_trip_excludes_the_time_the_peer_waited(one_way: float) -> None:
    remote = exchange(20, one_way)
    assert remote.rtt == pytest.approx(2 * one_way, abs=0.0006)
    assert remote.jitter < 0.001


def test_long_hold_gives_no_round_trip() -> None:
    remote = exchange(5, 0.01, wait=0.3)
    assert remote.rtt == -1


def test_duplicate_is_distinguished_from_an_overtaken_datagram() -> None:
    a, b = peers()
    first, second, third = (bytes(a.start_datagram(PLAY, 0.0)) for _ in range(3))
    assert b.receive_header(first, 0.1) is True
    assert b.receive_header(third, 0.1) is True
    assert b.receive_header(second, 0.1) is False
    assert b.receive_header(second, 0.1) is None
    assert b.receive_header(third, 0.1) is None
    assert b.loss == 0


def test_sequence_numbers_wrap() -> None:
    a, b = peers()
    for _ in range(70_000):
        assert b.receive_header(bytes(a.start_datagram(PLAY, 0.0)), 0.0) is True
    assert b.loss == 0


@pytest.mark.parametrize(("later", "loss"), [(2, 0.0), (3, 0.2)])
def test_retransmitted_datagram_counts_as_lost_and_a_reordered_one_does_not(later: int, loss: float) -> None:
    a, b = peers()
    late: dict[int, bytes] = {}
    for count in range(2000):
        data = bytes(a.start_datagram(PLAY, 0.0))
        if count % 5:
            b.receive_header(data, 0.0)
        else:
            late[count + later] = data
        if count in late:
            assert b.receive_header(late.pop(count), 0.0) is False
    assert b.loss == pytest.approx(loss, abs=0.02)


def test_loss_is_the_share_that_did_not_arrive() -> None:
    a, b = peers()
    for count in range(2000):
        data = bytes(a.start_datagram(PLAY, 0.0))
        if count % 5:
            b.receive_header(data, 0.0)
    assert b.loss == pytest.approx(0.2, abs=0.02)


def test_acknowledged_datagram_acknowledges_its_checksums_only() -> None:
    a, b = peers()
    lost, arrived = bytes(a.start_datagram(PLAY, 0.0, 7)), bytes(a.start_datagram(PLAY, 0.0, 5))
    assert lost
    b.receive_header(arrived, 0.1)
    a.receive_header(bytes(b.start_datagram(PLAY, 0.1)), 0.2)
    assert a.checksums_acked == 5


def test_acknowledgement_of_what_was_never_sent_is_ignored() -> None:
    a, b = peers()
    b.receive_header(bytes(a.start_datagram(PLAY, 0.0, 3)), 0.1)
    forged = b.start_datagram(PLAY, 0.1)
    forged[4:6] = b"\x00\x80"
    a.receive_header(bytes(forged), 0.2)
    assert a.checksums_acked == 0
    assert a.rtt == -1


def test_very_old_datagram_counts_as_overtaken() -> None:
    ours, theirs = RemotePeer(1, (1,), 2, 0, 0.0), RemotePeer(0, (0,), 2, 0, 0.0)
    first = bytes(ours.start_datagram(PLAY, 0.0))
    for _ in range(100):
        theirs.receive_header(bytes(ours.start_datagram(PLAY, 0.0)), 0.1)
    assert theirs.receive_header(first, 0.2) is False
