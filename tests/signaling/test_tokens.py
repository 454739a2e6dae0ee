import pytest

from coplay.signaling import TokenError, TokenSigner

SIGNER = TokenSigner(b"s" * 32)
TOKEN = SIGNER.sign("game", {"game": "g1", "player": 1}, expires=100)


def test_valid_token_returns_its_claims() -> None:
    assert SIGNER.read("game", TOKEN, now=99) == {"game": "g1", "player": 1}


def test_expired_token_is_rejected() -> None:
    with pytest.raises(TokenError, match="has expired"):
        SIGNER.read("game", TOKEN, now=100)


def test_token_of_another_kind_is_rejected() -> None:
    with pytest.raises(TokenError, match="another purpose"):
        SIGNER.read("participant", TOKEN, now=0)


def test_token_of_another_server_is_rejected() -> None:
    with pytest.raises(TokenError):
        TokenSigner(b"t" * 32).read("game", TOKEN, now=0)


@pytest.mark.parametrize("place", range(0, len(TOKEN), 7))
def test_token_changed_anywhere_is_rejected(place: int) -> None:
    changed = TOKEN[:place] + ("A" if TOKEN[place] != "A" else "B") + TOKEN[place + 1 :]
    with pytest.raises(TokenError):
        SIGNER.read("game", changed, now=0)


@pytest.mark.parametrize("token", ["", ".", "a.b", "é.é", "x" * 5000, None, 3, b"a.b"])
def test_garbage_instead_of_a_token_is_rejected(token: object) -> None:
    with pytest.raises(TokenError):
        SIGNER.read("game", token, now=0)


def test_short_secret_raises() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        TokenSigner(b"short")
