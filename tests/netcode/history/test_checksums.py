from coplay.netcode.history.checksums import KEPT_CHECKSUMS, ChecksumExchange
from coplay.netcode.peers.remote_peer import RemotePeer


def two_remotes() -> list[RemotePeer]:
    """The remote peers of peer 0 in a game of three."""
    return [RemotePeer(peer, (peer,), 3, 0, 0.0) for peer in (1, 2)]


def test_checksum_that_was_not_requested_next_is_rejected() -> None:
    checksums = ChecksumExchange()
    checksums.request(30)
    checksums.request(60)
    assert checksums.add(60, 1) is False
    assert checksums.add(30, 1) is True
    assert checksums.pending
    assert checksums.add(60, 1) is True
    assert not checksums.pending


def test_checksums_are_sent_until_acknowledged_and_then_dropped() -> None:
    remotes = two_remotes()
    checksums = ChecksumExchange()
    for frame in range(1, 6):
        checksums.request(frame)
        checksums.add(frame, frame * 10)
    assert checksums.unacked_by(remotes[0], 3) == ([(1, 10), (2, 20), (3, 30)], 3)
    remotes[0].checksums_acked = 3
    assert checksums.unacked_by(remotes[0], 3) == ([(4, 40), (5, 50)], 5)
    checksums.drop_acked(remotes)
    assert checksums.unacked_by(remotes[1], 9)[0] == [(1, 10), (2, 20), (3, 30), (4, 40), (5, 50)]
    remotes[1].checksums_acked = 5
    checksums.drop_acked(remotes)
    assert checksums.unacked_by(remotes[1], 9) == ((), 5)
    assert checksums.unacked_by(remotes[0], 9) == ([(4, 40), (5, 50)], 5)


def test_first_mismatch_is_reported_once() -> None:
    remotes = two_remotes()
    checksums = ChecksumExchange()
    for frame, mine in ((1, 10), (2, 20), (3, 30)):
        checksums.request(frame)
        checksums.add(frame, mine)
    assert checksums.compare(remotes[0], 1, 10) is None
    found = checksums.compare(remotes[0], 2, 99)
    assert found == (20, 99)
    assert remotes[0].first_desync == 2
    assert checksums.compare(remotes[0], 3, 98) is None
    assert checksums.compare(remotes[0], 4, 1) is None
    assert remotes[0].pending_checksums == {4: 1}


def test_pending_checksums_of_a_peer_are_bounded() -> None:
    remotes = two_remotes()
    checksums = ChecksumExchange()
    for frame in range(10_000):
        checksums.compare(remotes[0], frame, 1)
    assert len(remotes[0].pending_checksums) == KEPT_CHECKSUMS


def test_old_checksums_are_dropped() -> None:
    checksums = ChecksumExchange()
    remote = RemotePeer(1, (1,), 2, 0, 0.0)
    for frame in range(KEPT_CHECKSUMS + 5):
        checksums.request(frame)
        checksums.add(frame, frame)
    assert checksums.compare(remote, 2, 99) is None
    assert checksums.compare(remote, KEPT_CHECKSUMS, 99) == (KEPT_CHECKSUMS, 99)
