import pytest

from coplay.errors import UsageError
from coplay.signaling.turn import IceServers

TURN = "turn:turn.example.org:3478?transport=udp"


def test_default_has_no_servers() -> None:
    assert IceServers().for_player("g-0", 0) == []
    assert not IceServers().expires


def test_credentials_match_those_of_coturn() -> None:
    servers = IceServers(("stun:stun.example.org",), (TURN,), "north").for_player("game-1", 1_700_000_000.9)
    # printf %s 1700000600:game-1 | openssl dgst -sha1 -hmac north -binary | base64
    assert servers == [
        {"urls": ["stun:stun.example.org"]},
        {"urls": [TURN], "username": "1700000600:game-1", "credential": "AbteE04abyXNBpbe0dai5csQEdg="},
    ]


@pytest.mark.parametrize("url", ["", "http://x", "stun:", "turn:x", "stun:a b", "javascript:x"])
def test_malformed_stun_url_is_rejected(url: str) -> None:
    with pytest.raises(UsageError):
        IceServers(stun=(url,))


@pytest.mark.parametrize("url", ["stun:x", "turn:", "turn:x?transport=sctp", "turn:x y"])
def test_malformed_turn_url_is_rejected(url: str) -> None:
    with pytest.raises(UsageError):
        IceServers(turn=(url,), secret="s")


def test_turn_without_a_secret_is_rejected() -> None:
    with pytest.raises(UsageError, match="no secret"):
        IceServers(turn=(TURN,))
