"""Signals of one game, relayed over real sockets."""

import asyncio

import pytest
from tests.server.conftest import Lab
from tests.server.playing import SDP, signal

pytestmark = pytest.mark.anyio


async def test_offer_and_answer_between_players_arrive_stamped_by_the_server(lab: Lab) -> None:
    one, two, first, second = await lab.pair()
    assert (first["player_id"], second["player_id"]) == (0, 1)

    assert await one.call("webrtc_signal", signal(first, 1)) == {"ok": True}
    offer = await two.next("webrtc_signal")
    assert set(offer) == {"type", "from_player_id", "game_id", "payload"}
    assert (offer["type"], offer["from_player_id"], offer["game_id"]) == ("offer", 0, first["game_id"])
    assert offer["payload"]["sdp"] == SDP

    assert await two.call("webrtc_signal", signal(second, 0, "answer")) == {"ok": True}
    assert (await one.next("webrtc_signal"))["from_player_id"] == 1


async def test_many_signals_of_one_socket_arrive_in_order(lab: Lab) -> None:
    one, two, first, _ = await lab.pair()
    line = "candidate:1 1 udp 2122260223 192.0.2.1 54321 typ host"
    candidates = [
        signal(first, 1, "ice-candidate", candidate={"candidate": line, "sdpMid": "0"}, seq=seq)
        for seq in range(60)
    ]
    await asyncio.gather(*(one.socket.emit("webrtc_signal", each) for each in candidates))
    received = [(await two.next("webrtc_signal"))["payload"]["seq"] for _ in candidates]
    assert received == list(range(60))


async def test_offer_from_the_higher_player_is_refused_and_counted(lab: Lab) -> None:
    _, two, _, second = await lab.pair()
    answer = await two.call("webrtc_signal", signal(second, 0, "offer"))
    assert (answer["ok"], answer["reason"]) == (False, "role")
    assert lab.server.coordinator.relay.signals.refused["role"] == 1


async def test_claim_to_be_another_player_closes_the_socket(lab: Lab) -> None:
    one, two, first, _ = await lab.pair()
    closed = asyncio.Event()
    one.socket.on("disconnect", lambda *_: closed.set())
    await one.socket.emit("webrtc_signal", {**signal(first, 1), "from_player_id": 1})
    await asyncio.wait_for(closed.wait(), 5)
    assert lab.server.coordinator.relay.signals.refused["spoofed"] == 1
    assert not any(event == "webrtc_signal" for event, _ in two.received)


async def test_signal_into_a_game_of_others_is_refused(lab: Lab) -> None:
    *_, first, _ = await lab.pair()
    stranger, _, _, _ = await lab.pair()
    answer = await stranger.call("webrtc_signal", signal(first, 1))
    assert (answer["ok"], answer["reason"]) == (False, "not_member")


async def test_signal_to_a_seat_nobody_has_is_refused(lab: Lab) -> None:
    one, _, first, _ = await lab.pair()
    assert (await one.call("webrtc_signal", signal(first, 5)))["reason"] == "no_target"


async def test_huge_sdp_is_refused(lab: Lab) -> None:
    one, _, first, _ = await lab.pair()
    answer = await one.call("webrtc_signal", signal(first, 1, sdp="v=0" + "x" * 20_000))
    assert answer["reason"] == "malformed"


async def test_flood_of_signals_is_throttled(lab: Lab) -> None:
    one, _, first, _ = await lab.pair()
    bye = signal(first, 1, "bye")
    answers = [await one.call("webrtc_signal", bye) for _ in range(150)]
    assert [answer.get("reason") for answer in answers] == [None] * 120 + ["rate"] * 30


async def test_message_beyond_64_kib_closes_the_socket(lab: Lab) -> None:
    one, two, first, _ = await lab.pair()
    closed = asyncio.Event()
    one.socket.on("disconnect", lambda *_: closed.set())
    await one.socket.emit("webrtc_signal", signal(first, 1, sdp="v=0" + "x" * 80_000))
    await asyncio.wait_for(closed.wait(), 5)
    assert not any(event == "webrtc_signal" for event, _ in two.received)


async def test_refused_signal_is_written_down_once(lab: Lab) -> None:
    one, _, first, _ = await lab.pair()
    for _ in range(5):
        await one.call("webrtc_signal", signal(first, 5))
    assert await lab.rows("select count(*) from events where kind = 'signal_refused'") == [(1,)]
