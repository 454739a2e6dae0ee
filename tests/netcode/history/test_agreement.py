import pytest

from coplay.netcode.history.agreement import KEPT_CHECKSUMS, Chain, Checksums, LogAgreement
from coplay.netcode.peers.link import RemotePeer

HASH, OTHER = b"h" * 16, b"o" * 16


def two_links() -> list[RemotePeer]:
    """Those of peer 0 in a game of three."""
    return [RemotePeer(peer, (peer,), 3, 0, 0.0) for peer in (1, 2)]


# Checksums


def test_checksum_answer_must_be_the_one_asked_for() -> None:
    checksums = Checksums()
    checksums.ask(30)
    checksums.ask(60)
    assert checksums.add(60, 1) is False
    assert checksums.add(30, 1) is True
    assert checksums.waiting
    assert checksums.add(60, 1) is True
    assert not checksums.waiting


def test_checksums_are_sent_until_acknowledged_and_then_forgotten() -> None:
    links = two_links()
    checksums = Checksums()
    for frame in range(1, 6):
        checksums.ask(frame)
        checksums.add(frame, frame * 10)
    assert checksums.unacked(links[0], 3) == ([(1, 10), (2, 20), (3, 30)], 3)
    links[0].checksums_acked = 3
    assert checksums.unacked(links[0], 3) == ([(4, 40), (5, 50)], 5)
    checksums.drop_acked(links)
    assert checksums.unacked(links[1], 9)[0] == [(1, 10), (2, 20), (3, 30), (4, 40), (5, 50)]
    links[1].checksums_acked = 5
    checksums.drop_acked(links)
    assert checksums.unacked(links[1], 9) == ((), 5)
    assert checksums.unacked(links[0], 9) == ([(4, 40), (5, 50)], 5)


def test_first_difference_is_reported_once_whoever_is_first() -> None:
    links = two_links()
    checksums = Checksums()
    for frame, mine in ((1, 10), (2, 20), (3, 30)):
        checksums.ask(frame)
        checksums.add(frame, mine)
    assert checksums.compare(links[0], 1, 10) is None
    found = checksums.compare(links[0], 2, 99)
    assert found == (20, 99)
    assert links[0].desync == 2
    assert checksums.compare(links[0], 3, 98) is None
    assert checksums.compare(links[0], 4, 1) is None
    assert links[0].pending_checksums == {4: 1}


def test_checksums_of_a_flood_are_bounded() -> None:
    links = two_links()
    checksums = Checksums()
    for frame in range(10_000):
        checksums.compare(links[0], frame, 1)
    assert len(links[0].pending_checksums) == KEPT_CHECKSUMS


# The chain


def test_chain_depends_on_every_part_but_not_on_the_order_of_arrival() -> None:
    def chain(
        *, inputs: bytes = b"ab", checksum: int = 1, last: int = 1, leaves: tuple[()] = (), swap: bool = False
    ) -> bytes:
        log = Chain()
        if swap:
            log.checksums.append((1, checksum))
        for value in inputs:
            log.add_inputs((bytes((value,)), b"-"))
        if not swap:
            log.checksums.append((1, checksum))
        return log.digest(last, leaves)

    assert chain() == chain(swap=True)
    different = {chain(), chain(inputs=b"ac"), chain(checksum=2), chain(last=2)}
    assert len(different) == 4
    left = Chain()
    assert left.digest(5, [(1, 3), (0, 2)]) == Chain().digest(5, [(0, 2), (1, 3)])
    assert left.digest(5, [(1, 3)]) != Chain().digest(5)


def test_long_log_hashes_like_a_short_one() -> None:
    one, other = Chain(), Chain()
    for frame in range(3000):
        one.add_inputs((bytes((frame % 251,)),))
        other.add_inputs((bytes((frame % 251,)),))
        if frame % 100 == 0:
            other.digest(frame)
    assert one.digest(2999) == other.digest(2999)


# The end


def closing(*, truncated: bool = False) -> tuple[LogAgreement, list[RemotePeer]]:
    links = two_links()
    end = LogAgreement(links, 100.0, 49, truncated, "Peer 7 left." if truncated else "")
    end.chain = HASH
    return end, links


def test_verdict_waits_for_all_hashes_and_acks() -> None:
    end, links = closing()
    links[0].receive_closing(1, 49, HASH)
    assert end.verdict(100.1) is None
    links[1].receive_closing(0, 49, HASH)
    assert end.verdict(100.1) is None
    links[1].receive_closing(1, 49, HASH)
    assert end.verdict(100.1) == ("identical", "All peers hold the same log.")


@pytest.mark.parametrize(
    ("chain", "bits", "truncated", "verdict"),
    [
        (HASH, 1, False, "identical"),
        (HASH, 1, True, "truncated"),
        (HASH, 5, False, "truncated"),
        (OTHER, 1, False, "divergent"),
        (OTHER, 1, True, "divergent"),
        (HASH, 9, False, "divergent"),
    ],
)
def test_verdict_of_what_the_peers_said(chain: bytes, bits: int, truncated: bool, verdict: str) -> None:
    end, links = closing(truncated=truncated)
    links[0].receive_closing(1, 49, HASH)
    links[1].receive_closing(bits, 49, chain)
    found = end.verdict(101.0)
    assert found is not None
    assert found[0] == verdict


def test_verdict_without_an_answer_is_unverified_after_ten_seconds() -> None:
    end, links = closing()
    links[0].receive_closing(1, 49, HASH)
    assert end.verdict(109.9) is None
    assert end.verdict(110.0) == ("unverified", "Peer 2 did not answer within 10 s of the end.")


def test_own_hash_comes_before_any_verdict() -> None:
    end, _ = closing()
    end.chain = b""
    assert end.verdict(200.0) is None
    assert end.section(RemotePeer(1, (1,), 3, 0, 0.0)) is None


def test_second_hash_of_a_peer_does_not_replace_the_first() -> None:
    _, links = closing()
    assert links[0].receive_closing(0, 49, HASH) is True
    assert links[0].receive_closing(0, 49, OTHER) is False
    assert links[0].chain == HASH
