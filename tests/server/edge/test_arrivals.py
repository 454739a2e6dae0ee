"""Who a participant is: ids, secrets, tabs, tokens and origins."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import socketio
from tests.server.conftest import Lab, duel_study, running

from coplay.server.settings import Settings

pytestmark = pytest.mark.anyio


async def test_arrival_gives_all_that_a_page_needs(lab: Lab) -> None:
    answer = await lab.page().load()
    assert answer["study"] == {"name": "duel", "version": "7"}
    assert answer["runtime"]["base"] == f"/runtime/{'1' * 64}/"
    assert answer["bundle"] == {"url": f"/bundle/{'2' * 64}.zip", "hash": "2" * 64, "module": "study"}
    assert answer["participant_id"].startswith("p-")
    assert len(answer["secret"]) >= 32


async def test_same_id_and_secret_is_the_same_participant(lab: Lab) -> None:
    page = lab.page()
    first = await page.load(participant="ann", params={"PROLIFIC_PID": "5f"})
    await page.connect()
    await page.call("continue", {"index": 0})
    again = lab.page()
    await again.load(participant="ann", secret=first["secret"])
    await again.connect()
    await again.scene("lobby")


@pytest.mark.parametrize("secret", [None, "", "wrong", 5, ["x"]])
async def test_id_of_someone_else_is_refused(lab: Lab, secret: object) -> None:
    await lab.page().load(participant="ann")
    answer = await lab.page().load(participant="ann", secret=secret)
    assert answer["status"] == 409
    assert answer["error"]
    assert answer["hint"]


@pytest.mark.parametrize("participant", ["../x", "a b", "x" * 200, 7, {"a": 1}, "-", "é"])
async def test_malformed_id_is_refused(lab: Lab, participant: object) -> None:
    assert (await lab.page().load(participant=participant))["status"] == 400


@pytest.mark.parametrize("params", [[1], {"a": 1}, {"a": "x" * 600}, {str(n): "" for n in range(40)}])
async def test_malformed_params_are_refused(lab: Lab, params: object) -> None:
    assert (await lab.page().load(params=params))["status"] == 400


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"params": NaN}', b"[" * 9000])
async def test_body_that_is_no_object_is_refused(lab: Lab, body: bytes) -> None:
    async with lab.http.post(lab.base + "/api/participants", data=body) as response:
        assert response.status == 400


async def test_body_that_is_too_large_is_refused(lab: Lab) -> None:
    async with lab.http.post(lab.base + "/api/participants", data=b" " * 20_000) as response:
        assert response.status == 413


async def test_page_of_another_site_may_not_arrive(lab: Lab) -> None:
    headers = {"Origin": "https://evil.example"}
    async with lab.http.post(lab.base + "/api/participants", json={}, headers=headers) as response:
        assert response.status == 403


async def refused_connection(lab: Lab, auth: Any, **options: Any) -> socketio.AsyncClient:
    client = socketio.AsyncClient(reconnection=False, http_session=lab.http)
    with pytest.raises(socketio.exceptions.ConnectionError):
        await client.connect(lab.base, auth=auth, transports=["websocket"], **options)
    return client


@pytest.mark.parametrize("auth", [None, {}, {"token": ""}, {"token": "a.b"}, "token", {"token": ["x"]}])
async def test_socket_without_a_good_token_is_refused(lab: Lab, auth: object) -> None:
    await refused_connection(lab, auth)


async def test_socket_of_another_sites_page_is_refused(lab: Lab) -> None:
    token = (await lab.page().load())["token"]
    await refused_connection(lab, {"token": token}, headers={"Origin": "https://evil.example"})


async def test_game_token_opens_no_socket(lab: Lab) -> None:
    *_, config, _ = await lab.pair()
    await refused_connection(lab, {"token": config["token"]})


async def test_newest_tab_wins_and_the_old_one_is_told(lab: Lab) -> None:
    old = await lab.page().enter(participant="ann")
    await old.scene("instructions")
    closed = asyncio.Event()
    old.socket.on("disconnect", lambda *_: closed.set())
    new = lab.page()
    await new.load(participant="ann", secret=old.identity["secret"])
    assert "another tab" in (await old.next("failed"))["error"]
    await asyncio.wait_for(closed.wait(), 5)
    await refused_connection(lab, {"token": old.identity["token"]})
    await new.connect()
    await new.scene("instructions")


async def test_polling_transport_is_not_offered(lab: Lab) -> None:
    status, _, _ = await lab.get("/socket.io/?EIO=4&transport=polling")
    assert status == 400


async def test_flood_of_arrivals_from_one_address_is_throttled(tmp_path: Path) -> None:
    async with running(duel_study(), tmp_path, Settings(arrivals_a_second=0.001, arrival_burst=2)) as lab:

        async def arrive(address: str) -> int:
            # As a proxy on this machine would pass it on.
            headers = {"X-Forwarded-For": address}
            async with lab.http.post(lab.base + "/api/participants", json={}, headers=headers) as response:
                return response.status

        assert [await arrive("203.0.113.1") for _ in range(3)] == [200, 200, 429]
        assert await arrive("203.0.113.2") == 200
