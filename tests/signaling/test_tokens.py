import pytest

from coplay.signaling import TokenError, TokenSigner

SIGNER = TokenSigner(b"s" * 32)
TOKEN = SIGNER.sign("game", {"game": "g1", "player": 1}, expires=100)


def test_token_gives_back_its_claims() -> None:
    assert SIGNER.read("game", TOKEN, now=99) == {"game": "g1", "player": 1}


def test_token_out_of_date_is_refused() -> None:
    with pytest.raises(TokenError, match="out of date"):
        SIGNER.read("game", TOKEN, now=100)


def test_token_for_something_else_is_refused() -> None:
    with pytest.raises(TokenError, match="something else"):
        SIGNER.read("participant", TOKEN, now=0)


def test_token_of_another_server_is_refused() -> None:
    with pytest.raises(TokenError):
        TokenSigner(b"t" * 32).read("game", TOKEN, now=0)


@pytest.mark.parametrize("place", range(0, len(TOKEN), 7))
def test_token_changed_anywhere_is_refused(place: int) -> None:
    changed = TOKEN[:place] + ("A" if TOKEN[place] != "A" else "B") + TOKEN[place + 1 :]
    with pytest.raises(TokenError):
        SIGNER.read("game", changed, now=0)


@pytest.mark.parametrize("token", ["", ".", "a.b", "é.é", "x" * 5000, None, 3, b"a.b"])
def test_token_that_is_none_is_refused(token: object) -> None:
    with pytest.raises(TokenError):
        SIGNER.read("game", token, now=0)


def test_short_secret_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        TokenSigner(b"short")
