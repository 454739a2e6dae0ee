"""What an adversary may try, one threat a section. Each attack is carried out against a running server while
two people play, and is refused: their game does not notice, no answer shows an inside, and no traceback is
logged.
"""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.server.conftest import Lab
from tests.server.playing import SDP, frames, signal, until
from tests.server.siege import Siege, Wire, besieged

from coplay.server.edge import socket_limits as guard
from coplay.signaling import TokenSigner

pytestmark = pytest.mark.anyio
CANDIDATE = "candidate:1 1 udp 2122260223 192.0.2.1 54321 typ host"


@pytest.fixture
async def siege(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, anyio_backend: str
) -> AsyncIterator[Siege]:
    monkeypatch.setattr(guard, "HANG_UP_S", 0.2)
    async with besieged(tmp_path, caplog) as siege:
        yield siege


# Spoofed sender


@pytest.mark.parametrize("claim", [1, "0", -1, [0], {"a": 0}, 2**60])
async def test_spoofed_sender_is_never_passed_on(siege: Siege, claim: Any) -> None:
    wire = await siege.wire({"token": siege.one.identity["token"]})  # takes the place of the page
    message = {**signal(siege.first, 1, "bye", message_id="spoof"), "from_player_id": claim}
    await wire.socket.send_str("421" + json.dumps(["webrtc_signal", message]))
    assert await wire.closed()
    assert siege.lab.server.coordinator.relay.signals.refused["spoofed"] == 1
    await siege.one.socket.disconnect()
    await siege.one.connect()


# Signals into another game


async def test_signal_from_outside_reaches_nobody(siege: Siege) -> None:
    stranger = await siege.lab.page().to_lobby()
    for kind in ("offer", "ice-candidate", "bye"):
        payload = {"candidate": None} if kind == "ice-candidate" else {}
        answer = await stranger.call("webrtc_signal", signal(siege.first, 1, kind, **payload))
        assert (answer["ok"], answer["reason"]) == (False, "not_member")


async def test_guessed_game_is_refused(siege: Siege) -> None:
    answer = await siege.one.call("webrtc_signal", {**signal(siege.first, 1), "game_id": "f" * 20})
    assert answer["reason"] == "not_member"


# Floods


async def test_flood_of_signals_is_cut_to_the_budget(siege: Siege) -> None:
    wire = await siege.stranger()
    message = json.dumps(["webrtc_signal", signal(siege.first, 1, "bye")])
    for number in range(1500):
        await wire.socket.send_str(f"42{number + 1}{message}")
    reasons = [json.loads((await _ack(wire))[1])[0]["reason"] for _ in range(1500)]
    assert reasons.count("rate") > 1000


async def test_flood_of_frames_slows_only_the_sender(siege: Siege, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "FRAMES_PER_SECOND", 0.01)
    wire = await siege.stranger()
    for _ in range(int(guard.FRAME_BURST)):
        await wire.socket.send_str("3")
    await wire.socket.send_str('42["prepared",{"index":0}]')
    assert await siege.one.call("webrtc_signal", signal(siege.first, 1, "bye")) == {"ok": True}
    await siege.two.next("webrtc_signal")
    # It is not read before 100 s have passed.
    assert await siege.lab.rows("select count(*) from events where kind = 'prepared'") == [(0,)]
    transport_of(wire).abort()


async def test_answers_that_nobody_reads_do_not_pile_up(
    siege: Siege, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "WRITE_WITHIN_S", 0.3)
    wire = await siege.stranger()
    transport = transport_of(wire)
    # A small window, so that little is under way between the two.
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    transport.pause_reading()
    sockets = siege.lab.server.sockets.eio.sockets
    # What cannot be connected to is named in the answer.
    message = f"40/{'x' * 60_000},"
    async with asyncio.timeout(90):
        while not siege.lab.server.asgi.closed["unread"]:
            # A server that waits for this reader does not read either: then a send waits, too.
            with suppress(ConnectionError, TimeoutError):
                async with asyncio.timeout(0.5):
                    await wire.socket.send_str(message)
            assert sum(each.queue.qsize() for each in sockets.values()) < guard.MAX_READ_AHEAD + 50
            await asyncio.sleep(0)
    transport.abort()


def transport_of(wire: Wire) -> asyncio.Transport:
    connection = wire.socket._response.connection
    assert connection is not None
    assert isinstance(connection.transport, asyncio.Transport)
    return connection.transport


async def test_too_many_sockets_of_one_address_are_refused(
    siege: Siege, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "MAX_SOCKETS_PER_ADDRESS", 3)
    headers = {"X-Forwarded-For": "203.0.113.9"}  # as a proxy on this machine would pass it on
    wires = [await siege.wire(**headers) for _ in range(3)]
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await siege.wire(**headers)
    await siege.wire(**{"X-Forwarded-For": "203.0.113.10"})
    await wires[0].socket.close()
    await until(lambda: siege.lab.server.asgi._open["203.0.113.9"] < 3)
    await siege.wire(**headers)


# Huge messages, and bytes where none belong


async def test_frame_beyond_64_kib_ends_the_socket(siege: Siege) -> None:
    wire = await siege.stranger()
    await wire.socket.send_str("42" + json.dumps(["webrtc_signal", "x" * 70_000]))
    assert await wire.closed()


@pytest.mark.parametrize(
    "payload",
    [
        {"sdp": "v=0" + "x" * 17_000},
        {"sdp": SDP, "more": "x" * 5_000},
        {"sdp": SDP, "message_id": "x" * 65},
    ],
)
async def test_huge_signal_is_refused(siege: Siege, payload: dict[str, Any]) -> None:
    answer = await siege.one.call("webrtc_signal", signal(siege.first, 1, **payload))
    assert answer["reason"] == "malformed"


async def test_huge_candidate_is_refused(siege: Siege) -> None:
    candidate = {"candidate": CANDIDATE + " x" * 300}
    message = signal(siege.first, 1, "ice-candidate", candidate=candidate)
    assert (await siege.one.call("webrtc_signal", message))["reason"] == "malformed"


async def test_bytes_in_a_signal_are_refused(siege: Siege) -> None:
    message = signal(siege.first, 1, "bye", more=b"\x00\x01")
    assert (await siege.one.call("webrtc_signal", message))["reason"] == "malformed"


async def test_bytes_that_nothing_waits_for_end_the_socket(siege: Siege) -> None:
    for frames_sent in [
        [b"\x00\x01\x02"],
        ['459999999999-["datagram",{"_placeholder":true,"num":0}]'],
        ['452-["datagram",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]', b"a", b"b"],
        ['451-["datagram",{"_placeholder":true,"num":7}]', b"a"],
        ['451-["datagram",{"_placeholder":true,"num":"x"}]', b"a"],
        ['451-["datagram",{"_placeholder":true,"num":-1}]', b"a", b"b", b"c"],
        ['451-{"_placeholder":true,"num":0}', b"a"],
    ]:
        wire = await siege.stranger()
        for frame in frames_sent:
            with suppress(ConnectionError):
                if isinstance(frame, bytes):
                    await wire.socket.send_bytes(frame)
                else:
                    await wire.socket.send_str(frame)
        # Closed, or of no effect: what is left of an event that is none is no datagram.
        with suppress(ConnectionError):
            await wire.socket.send_str('429["prepared",{"index":0}]')
        while (text := await wire.next()) and not text.startswith("439"):
            pass
        assert siege.lab.server.coordinator.relay.datagrams.relayed == 0


async def _ack(wire: Wire) -> tuple[int, str]:
    while (text := await wire.next()).startswith("42"):
        pass
    number = text[2 : text.index("[")]
    return int(number), text[2 + len(number) :]


# Malformed packets


async def test_malformed_packet_harms_nobody(siege: Siege) -> None:
    for frame in [
        "4",
        "4x",
        "42",
        "42[",
        "42{}",
        "42[]",
        "42[1]",
        "42[null]",
        '42["disconnect"]',
        '42["connect"]',
        '42["__disconnect_final"]',
        "4" + "2" * 2000 + "[]",
        "42" + "[" * 60_000,
        '42["continue",' + "9" * 60_000 + "]",
        '42["continue",1e999999]',
        '42["\\ud800"]',
        "43",
        "43999[]",
        "44",
        "44{}",
        "46",
        "47",
        "49",
        "40/other,",
        "41",
        '40{"token":1}',
    ]:
        wire = await siege.stranger()
        await wire.socket.send_str(frame)
        # Either it is ignored, or the socket is closed.
        with suppress(ConnectionError):
            await wire.socket.send_str('427["prepared",{"index":0}]')
        while (text := await wire.next()) and not text.startswith("437"):
            pass


async def test_frame_that_is_no_packet_ends_the_socket(siege: Siege) -> None:
    for frame in ["", "x", "0{}", "5", "6", "b4AAAA", "\x00", "é"]:
        wire = await siege.stranger()
        await wire.socket.send_str(frame)
        assert await wire.closed()


async def test_socket_that_does_not_begin_with_a_greeting_is_closed(siege: Siege) -> None:
    for frame in ["42[]", "2", "3", "41", "4", ""]:
        wire = await siege.wire()
        await wire.socket.send_str(frame)
        assert await wire.closed()


async def test_socket_that_was_refused_is_not_kept(siege: Siege) -> None:
    wire = await siege.wire()
    await wire.socket.send_str('40{"token":"x"}')
    assert (await wire.next()).startswith("44")
    assert await wire.closed()


# Another site's page


async def test_page_of_another_site_opens_no_socket(siege: Siege) -> None:
    for origin in ["https://evil.example", "null", "http://127.0.0.1.evil.example", "x" * 300]:
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await siege.wire(Origin=origin)


async def test_page_of_another_site_uploads_nothing(siege: Siege) -> None:
    headers = {"Authorization": f"Bearer {siege.first['token']}", "Origin": "https://evil.example"}
    path = f"/api/games/{siege.first['game_id']}"
    for name in ("batches", "report"):
        assert (await siege.post(f"{path}/{name}", data=b"{}", headers=headers))[0] == 403


# Token replay


@pytest.mark.parametrize(
    ("kind", "more", "age"),
    [
        ("participant", {}, 10**6),  # out of date
        ("game", {"game": "g", "player": 0}, 0),  # for something else
        ("participant", {"visit": 0}, 0),  # of a former page
        ("participant", {"visit": 99}, 0),  # of no page yet
        ("participant", {"participant": "nobody"}, 0),
    ],
)
async def test_token_that_is_not_of_the_page_opens_no_socket(
    siege: Siege, kind: str, more: dict[str, Any], age: int
) -> None:
    signer: TokenSigner = siege.lab.server.signer
    claims = {"participant": siege.one.identity["participant_id"], "visit": 1, **more}
    token = signer.sign(kind, claims, time.time() + 60 - age)
    wire = await siege.wire()
    await wire.socket.send_str("40" + json.dumps({"token": token}))
    assert (await wire.next()).startswith("44")


async def test_token_signed_with_another_secret_opens_no_socket(siege: Siege) -> None:
    claims = {"participant": siege.one.identity["participant_id"], "visit": 1}
    token = TokenSigner(b"x" * 32).sign("participant", claims, time.time() + 60)
    wire = await siege.wire()
    await wire.socket.send_str("40" + json.dumps({"token": token}))
    assert (await wire.next()).startswith("44")


async def test_token_of_one_player_uploads_nothing_for_another(siege: Siege) -> None:
    status, _ = await siege.two.upload({**siege.first, "token": siege.second["token"]}, frames(0))
    assert status == 403


async def test_token_in_the_query_is_not_read(siege: Siege) -> None:
    url = siege.lab.base.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket&token="
    socket = await siege.lab.http.ws_connect(url + siege.one.identity["token"])
    wire = Wire(socket, siege.texts)
    siege.wires.append(wire)
    await wire.next()
    await socket.send_str("40")
    assert (await wire.next()).startswith("44")


# Ghosts of participants


async def test_id_alone_is_nobody(siege: Siege) -> None:
    for secret in [None, "", "x", 1, [], {"a": 1}, "é" * 100]:
        body = {"participant": siege.one.identity["participant_id"], "secret": secret}
        status, answer = await siege.post("/api/participants", json=body)
        assert status == 409
        assert "token" not in answer


# Ids and paths


async def test_game_that_is_none_takes_nothing(siege: Siege) -> None:
    for game_id in ["..%2f..%2fsecret", "%00", "a" * 5000, "0" * 20, "%2e%2e"]:
        url = aiohttp.client.URL(f"{siege.lab.base}/api/games/{game_id}/batches", encoded=True)
        headers = {"Authorization": f"Bearer {siege.first['token']}"}
        async with siege.lab.http.post(url, data=frames(0), headers=headers) as response:
            assert response.status in (403, 404)


# Markup


async def test_markup_in_a_link_is_never_shown(siege: Siege) -> None:
    markup = "<script>alert(1)</script>"
    assert (await siege.post("/api/participants", json={"participant": markup}))[0] == 400
    status, answer = await siege.post("/api/participants", json={"params": {"NAME": markup}})
    assert status == 200
    assert "script" not in json.dumps(answer)


# Errors


async def test_fault_of_ours_is_a_sentence_and_a_number(
    lab: Lab, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("the inside of the server")

    player, _, config, _ = await lab.pair()
    page = await lab.page().enter()
    await page.scene("instructions")
    monkeypatch.setattr(lab.server.ledger, "add_batch", fail)
    monkeypatch.setattr(lab.server.scene_flow, "continue_from", fail)
    monkeypatch.setattr(lab.server.participants, "arrive", fail)
    status, answer = await player.upload(config, b"anything")
    assert status == 500
    answers = [answer, await page.call("continue", {"index": 0})]
    async with lab.http.post(lab.base + "/api/participants", json={}) as response:
        assert response.status == 500
        answers.append(await response.json())
    for answer in answers:
        assert "inside" not in json.dumps(answer)
        assert answer["error"].endswith(".")
        assert answer["reference"] in caplog.text
    assert caplog.text.count("RuntimeError: the inside of the server") >= 3
    assert page.socket.connected
