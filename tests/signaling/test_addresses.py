"""Studies in which players must not learn each other's addresses."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coplay.signaling import RelayedSignal, SignalRelay
from coplay.signaling.addresses import sdp_without_addresses

GAME = "0123456789abcdef0123"
HOST = "candidate:1 1 udp 2122260223 192.0.2.1 54321 typ host generation 0"
SRFLX = "candidate:2 1 udp 1686052607 192.0.2.2 54321 typ srflx raddr 192.0.2.1 rport 54321 generation 0"
PRFLX = "candidate:3 1 udp 1686052607 192.0.2.3 54321 typ prflx raddr 192.0.2.1 rport 54321"
RELAY = "candidate:4 1 udp 41885439 198.51.100.7 61000 typ relay raddr 192.0.2.2 rport 54321 generation 0"
CLEAN = "candidate:4 1 udp 41885439 198.51.100.7 61000 typ relay raddr 0.0.0.0 rport 0 generation 0"
TCP = "candidate:5 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active"
MDNS = "candidate:6 1 udp 2113937151 8e1c7f1a-aaaa-bbbb-cccc-0123456789ab.local 5000 typ host"
SDP = "\r\n".join(
    [
        "v=0",
        "o=- 46117 2 IN IP4 192.0.2.1",
        "s=-",
        "t=0 0",
        "m=application 54321 UDP/DTLS/SCTP webrtc-datachannel",
        "c=IN IP6 2001:db8::1",
        "a=rtcp:9 IN IP4 192.0.2.1",
        *(f"a={line}" for line in (HOST, SRFLX, PRFLX, RELAY, TCP, MDNS)),
        "a=remote-candidates:1 192.0.2.9 5000",
        "a=ice-ufrag:abcd",
        "a=fingerprint:sha-256 AA:BB",
        "a=sctp-port:5000",
        "",
    ]
)


@pytest.fixture
def relay() -> SignalRelay:
    relay = SignalRelay(hide_addresses=True)
    relay.open_game(GAME, {0: "ann", 1: "bob"})
    return relay


def sent(relay: SignalRelay, kind: str, payload: dict[str, Any]) -> dict[str, Any]:
    message = {"type": kind, "game_id": GAME, "target_player_id": 1, "payload": payload}
    answer = relay.relay("ann", message, 0)
    assert isinstance(answer, RelayedSignal), answer
    payload = answer.message["payload"]
    assert isinstance(payload, dict)
    return payload


def test_description_names_no_address_except_the_turn_servers(relay: SignalRelay) -> None:
    sdp = sent(relay, "offer", {"sdp": SDP, "epoch": 0})["sdp"]
    assert sdp.split("\r\n") == [
        "v=0",
        "o=- 46117 2 IN IP4 0.0.0.0",
        "s=-",
        "t=0 0",
        "m=application 54321 UDP/DTLS/SCTP webrtc-datachannel",
        "c=IN IP4 0.0.0.0",
        "a=rtcp:9 IN IP4 0.0.0.0",
        f"a={CLEAN}",
        "a=ice-ufrag:abcd",
        "a=fingerprint:sha-256 AA:BB",
        "a=sctp-port:5000",
        "",
    ]


@pytest.mark.parametrize(
    "line", [HOST, SRFLX, PRFLX, TCP, MDNS, HOST.upper().replace("CANDIDATE", "candidate")]
)
def test_candidate_with_a_players_address_is_removed(relay: SignalRelay, line: str) -> None:
    payload = {"candidate": {"candidate": line, "sdpMid": "0"}, "message_id": "m", "acks": ["n"]}
    assert sent(relay, "ice-candidate", payload) == {"candidate": [], "message_id": "m", "acks": ["n"]}


def test_relay_candidate_loses_its_related_address(relay: SignalRelay) -> None:
    payload = {"candidate": [{"candidate": HOST}, {"candidate": RELAY, "sdpMid": "0"}, None]}
    assert sent(relay, "ice-candidate", payload) == {"candidate": [{"candidate": CLEAN, "sdpMid": "0"}, None]}


@pytest.mark.parametrize("end", [None, {"candidate": ""}])
def test_end_of_candidates_is_relayed(relay: SignalRelay, end: object) -> None:
    assert sent(relay, "ice-candidate", {"candidate": end}) == {"candidate": end}


@pytest.mark.parametrize("kind", ["offer", "ice-candidate", "bye", "rebuild-request"])
def test_address_in_an_unknown_field_is_removed(relay: SignalRelay, kind: str) -> None:
    payload: dict[str, Any] = {"more": HOST, "sdp": "v=0\r\n", "candidate": {"candidate": RELAY}}
    if kind == "ice-candidate":
        payload |= {"sdp": [HOST], "candidates": [{"candidate": RELAY}], "candidate": {"candidate": HOST}}
    elif kind != "offer":
        payload |= {"sdp": 7, "candidate": 8}
    text = json.dumps(sent(relay, kind, payload))
    assert "192.0.2" not in text


def test_addresses_are_relayed_unless_the_study_hides_them() -> None:
    relay = SignalRelay()
    relay.open_game(GAME, {0: "ann", 1: "bob"})
    assert sent(relay, "offer", {"sdp": SDP})["sdp"] == SDP


@given(
    st.lists(st.sampled_from([HOST, SRFLX, PRFLX, RELAY, TCP]), max_size=8),
    st.sampled_from(["\r\n", "\n", "\r"]),
)
def test_no_line_ending_hides_a_candidate(lines: list[str], ending: str) -> None:
    clean = sdp_without_addresses(
        ending.join(["v=0", *(f"a={line}" for line in lines), "c=IN IP4 192.0.2.1"])
    )
    assert "192.0.2" not in clean
    assert clean.count("typ relay") == lines.count(RELAY)
