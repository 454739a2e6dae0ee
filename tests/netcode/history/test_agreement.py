import pytest

from coplay.netcode.history.agreement import LogAgreement
from coplay.netcode.peers.remote_peer import RemotePeer

HASH, OTHER = b"h" * 16, b"o" * 16


def two_remotes() -> list[RemotePeer]:
    """The remote peers of peer 0 in a game of three."""
    return [RemotePeer(peer, (peer,), 3, 0, 0.0) for peer in (1, 2)]


def agreement(*, truncated: bool = False) -> tuple[LogAgreement, list[RemotePeer]]:
    remotes = two_remotes()
    end = LogAgreement(remotes, 100.0, 49, truncated, "Peer 7 left." if truncated else None)
    end.chain = HASH
    return end, remotes


def test_verdict_waits_for_all_hashes_and_acks() -> None:
    end, remotes = agreement()
    remotes[0].receive_closing(1, 49, HASH)
    assert end.decide(100.1) is None
    remotes[1].receive_closing(0, 49, HASH)
    assert end.decide(100.1) is None
    remotes[1].receive_closing(1, 49, HASH)
    assert end.decide(100.1) == ("identical", "All peers hold the same log.")


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
def test_verdict_follows_from_the_closing_sections(
    chain: bytes, bits: int, truncated: bool, verdict: str
) -> None:
    end, remotes = agreement(truncated=truncated)
    remotes[0].receive_closing(1, 49, HASH)
    remotes[1].receive_closing(bits, 49, chain)
    found = end.decide(101.0)
    assert found is not None
    assert found[0] == verdict


def test_verdict_without_an_answer_is_unverified_after_ten_seconds() -> None:
    end, remotes = agreement()
    remotes[0].receive_closing(1, 49, HASH)
    assert end.decide(109.9) is None
    assert end.decide(110.0) == ("unverified", "Peer 2 did not answer within 10 s of the end.")


def test_without_the_local_hash_there_is_no_verdict() -> None:
    end, _ = agreement()
    end.chain = None
    assert end.decide(200.0) is None
    assert end.section(RemotePeer(1, (1,), 3, 0, 0.0)) is None


def test_second_hash_of_a_peer_is_ignored() -> None:
    _, remotes = agreement()
    assert remotes[0].receive_closing(0, 49, HASH) is True
    assert remotes[0].receive_closing(0, 49, OTHER) is False
    assert remotes[0].chain == HASH
