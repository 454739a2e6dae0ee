"""Origins and bearer tokens of requests."""

import pytest
from starlette.requests import Request

from coplay.server.edge.authorization import bearer_claims, check_origin
from coplay.server.refusals import RequestRefusedError
from coplay.signaling import TokenError, TokenSigner

SIGNER = TokenSigner(b"s" * 32)
TOKEN = SIGNER.sign("game", {"player": 1}, expires=100)


def request(**headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "headers": raw})


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "lab:8000"},
        {"host": "lab:8000", "origin": "http://lab:8000"},
        {"host": "10.0.0.2", "x_forwarded_host": "lab.example", "origin": "https://lab.example"},
    ],
)
def test_our_own_pages_and_no_page_at_all_may_ask(headers: dict[str, str]) -> None:
    check_origin(request(**headers))


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "", "http://lab:8001"])
def test_page_of_another_site_is_refused(origin: str) -> None:
    with pytest.raises(RequestRefusedError) as raised:
        check_origin(request(host="lab:8000", origin=origin))
    assert raised.value.status == 403


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_bearer_token_is_read(scheme: str) -> None:
    assert bearer_claims(request(authorization=f"{scheme} {TOKEN}"), SIGNER, "game", 0) == {"player": 1}


@pytest.mark.parametrize("value", [None, "", "Bearer", "Bearer x", f"Basic {TOKEN}", TOKEN])
def test_request_without_a_valid_bearer_token_is_rejected(value: str | None) -> None:
    headers = {} if value is None else {"authorization": value}
    with pytest.raises(TokenError):
        bearer_claims(request(**headers), SIGNER, "game", 0)


def test_token_of_another_kind_is_rejected() -> None:
    with pytest.raises(TokenError):
        bearer_claims(request(authorization=f"Bearer {TOKEN}"), SIGNER, "watch", 0)
