from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coplay.signaling import RefusedSignal, RelayedSignal, SignalRelay
from coplay.signaling.signals import SIGNAL_TYPES

GAME = "0123456789abcdef0123"
CANDIDATE = {
    "candidate": "candidate:1 1 udp 2113937151 192.0.2.1 5000 typ host",
    "sdpMid": "0",
    "sdpMLineIndex": 0,
}


@pytest.fixture
def relay() -> SignalRelay:
    relay = SignalRelay()
    relay.open_game(GAME, {0: "ann", 1: "bob", 2: "cid"})
    relay.open_game("ffffffffffffffffffff", {0: "eve", 1: "fay"})
    return relay


def message(kind: str = "offer", target: object = 1, payload: Any = None, **more: Any) -> dict[str, Any]:
    default: dict[str, Any] = {"sdp": "v=0\r\n"} if kind in ("offer", "answer") else {}
    if kind == "ice-candidate":
        default = {"candidate": CANDIDATE}
    given = default if payload is None else payload
    return {"type": kind, "game_id": GAME, "target_player_id": target, "payload": given, **more}


def reason(answer: RelayedSignal | RefusedSignal) -> str:
    return answer.reason if isinstance(answer, RefusedSignal) else ""


def test_signal_to_a_player_of_the_same_game_is_stamped(relay: SignalRelay) -> None:
    assert relay.relay("ann", message(), 0) == RelayedSignal(
        "bob", {"type": "offer", "from_player_id": 0, "game_id": GAME, "payload": {"sdp": "v=0\r\n"}}
    )


@pytest.mark.parametrize("kind", sorted(SIGNAL_TYPES - {"offer", "answer"}))
def test_signals_without_a_role_pass_both_ways(relay: SignalRelay, kind: str) -> None:
    assert isinstance(relay.relay("ann", message(kind, 1), 0), RelayedSignal)
    assert isinstance(relay.relay("bob", message(kind, 0), 0), RelayedSignal)


def test_offer_to_a_lower_player_is_refused_and_counted(relay: SignalRelay) -> None:
    assert reason(relay.relay("cid", message("offer", 1), 0)) == "role"
    assert relay.refused == {"role": 1}


def test_answer_to_a_higher_player_is_refused(relay: SignalRelay) -> None:
    assert reason(relay.relay("ann", message("answer", 1), 0)) == "role"
    assert isinstance(relay.relay("bob", message("answer", 0), 0), RelayedSignal)


@pytest.mark.parametrize("sender", ["eve", "nobody", ""])
def test_sender_outside_the_game_is_refused(relay: SignalRelay, sender: str) -> None:
    assert reason(relay.relay(sender, message(), 0)) == "not_member"


@pytest.mark.parametrize("target", [0, 3, 7])
def test_target_without_a_seat_or_the_sender_is_refused(relay: SignalRelay, target: int) -> None:
    assert reason(relay.relay("ann", message(target=target), 0)) == "no_target"


def test_claim_to_be_someone_else_is_refused_with_a_kick(relay: SignalRelay) -> None:
    answer = relay.relay("ann", message(from_player_id=1), 0)
    assert isinstance(answer, RefusedSignal)
    assert (answer.reason, answer.kick) == ("spoofed", True)


def test_true_claim_is_harmless(relay: SignalRelay) -> None:
    assert isinstance(relay.relay("ann", message(from_player_id=0), 0), RelayedSignal)


def test_player_who_left_neither_sends_nor_receives(relay: SignalRelay) -> None:
    relay.remove_player(GAME, 1)
    assert reason(relay.relay("bob", message("bye", 0), 0)) == "not_member"
    assert reason(relay.relay("ann", message("bye", 1), 0)) == "no_target"


def test_epoch_that_was_never_issued_is_refused(relay: SignalRelay) -> None:
    later = message(payload={"sdp": "v=0", "epoch": 1})
    assert reason(relay.relay("ann", later, 0)) == "epoch"
    assert relay.raise_epoch(GAME, 1, 0) == 1
    assert isinstance(relay.relay("ann", later, 0), RelayedSignal)
    assert relay.epoch(GAME, 0, 2) == 0


def test_burst_is_allowed_and_then_thirty_a_second(relay: SignalRelay) -> None:
    passed = [isinstance(relay.relay("ann", message("bye"), 0), RelayedSignal) for _ in range(150)]
    assert passed == [True] * 120 + [False] * 30
    later = [isinstance(relay.relay("ann", message("bye"), 1), RelayedSignal) for _ in range(40)]
    assert sum(later) == 30


def test_one_members_flood_does_not_slow_another(relay: SignalRelay) -> None:
    for _ in range(200):
        relay.relay("ann", message("bye"), 0)
    assert isinstance(relay.relay("bob", message("bye", 0), 0), RelayedSignal)


def test_offers_are_limited_more_tightly(relay: SignalRelay) -> None:
    answers = [reason(relay.relay("ann", message(), 0)) for _ in range(20)]
    assert answers == [""] * 16 + ["rate"] * 4


@pytest.mark.parametrize(
    "broken",
    [
        None,
        "offer",
        [],
        {},
        message("launch"),
        message(type=["offer"]),
        message(game_id="../../etc"),
        message(game_id=7),
        message(target="1"),
        message(target=True),
        message(target=-1),
        message(target=8),
        message(payload="v=0"),
        message(payload={}),
        message(payload={"sdp": "hello"}),
        message(payload={"sdp": "v=0" + "x" * 16_384}),
        message(payload={"sdp": "v=0" + "é" * 9_000}),
        message(payload={"sdp": "v=0", "epoch": -1}),
        message(payload={"sdp": "v=0", "epoch": "1"}),
        message(payload={"sdp": "v=0", "message_id": "x" * 65}),
        message(payload={"sdp": "v=0", "more": "x" * 5_000}),
        message(payload={"sdp": "v=0", "more": b"binary"}),
        message("ice-candidate", payload={}) | {"payload": {"candidate": "candidate:1"}},
        message("ice-candidate", payload={"candidate": {**CANDIDATE, "candidate": "<script>"}}),
        message("ice-candidate", payload={"candidate": {**CANDIDATE, "candidate": "candidate:" + "1" * 600}}),
        message("ice-candidate", payload={"candidate": {**CANDIDATE, "extra": 1}}),
        message("ice-candidate", payload={"candidate": {**CANDIDATE, "sdpMLineIndex": "0"}}),
        message("ice-candidate", payload={"candidate": [CANDIDATE] * 33}),
        message("ice-candidate", payload={"candidate": []}),
        message("ice-candidate", payload={"candidate": {**CANDIDATE, "sdpMid": "x" * 500}}),
        message("ice-candidate", payload={"candidate": None, "more": b"binary"}),
        message("ice-candidate", payload={"candidate": None, "more": "x" * 5_000}),
        # What a signal brings beside its own content is small, whatever it is called.
        message("ice-candidate", payload={"candidate": None, "sdp": "v=0" + "x" * 5_000}),
        message("ice-candidate", payload={"candidates": [CANDIDATE] * 60}),
        message(payload={"sdp": "v=0", "candidate": [CANDIDATE] * 60}),
        message("bye", payload={"sdp": "v=0" + "x" * 5_000}),
    ],
)
def test_malformed_signal_is_refused(relay: SignalRelay, broken: object) -> None:
    assert reason(relay.relay("ann", broken, 0)) == "malformed"


@pytest.mark.parametrize("candidate", [{"candidate": ""}, None, [CANDIDATE, {"candidate": ""}]])
def test_end_of_candidates_and_lists_of_them_pass(relay: SignalRelay, candidate: object) -> None:
    assert isinstance(
        relay.relay("ann", message("ice-candidate", payload={"candidate": candidate}), 0), RelayedSignal
    )


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
field_names = ("type", "game_id", "target_player_id", "payload", "from_player_id")


@given(
    st.dictionaries(st.sampled_from(field_names), json_values) | json_values,
    st.sampled_from(sorted(SIGNAL_TYPES)),
)
def test_garbage_never_raises_and_never_passes_unstamped(garbage: Any, kind: str) -> None:
    relay = SignalRelay()
    relay.open_game(GAME, {0: "ann", 1: "bob"})
    for sent in (garbage, {**message(kind), "payload": garbage}):
        answer = relay.relay("ann", sent, 0)
        if isinstance(answer, RelayedSignal):
            assert answer.message["from_player_id"] == 0


def test_epochs_are_per_pair_and_forgotten_with_the_game(relay: SignalRelay) -> None:
    assert relay.raise_epoch(GAME, 0, 1) == 1
    assert relay.raise_epoch(GAME, 1, 0) == 2
    assert relay.epoch(GAME, 1, 2) == 0
    for player in (0, 1, 2):
        relay.remove_player(GAME, player)
    assert relay.epoch(GAME, 0, 1) == 0


def test_restored_epoch_never_lowers_the_current_one(relay: SignalRelay) -> None:
    relay.restore_epoch(GAME, 1, 0, 5)
    relay.restore_epoch(GAME, 0, 1, 3)
    assert relay.epoch(GAME, 0, 1) == 5


def test_member_of_another_game_keeps_the_rate_limit(relay: SignalRelay) -> None:
    relay.open_game("0" * 20, {0: "ann", 1: "dan"})
    for _ in range(120):
        relay.relay("ann", message("bye"), 0)
    relay.remove_player("0" * 20, 0)
    assert reason(relay.relay("ann", message("bye"), 0)) == "rate"


def test_member_of_no_game_starts_with_a_full_budget(relay: SignalRelay) -> None:
    for _ in range(121):
        relay.relay("ann", message("bye"), 0)
    relay.remove_player(GAME, 0)
    relay.open_game("0" * 20, {0: "ann", 1: "dan"})
    assert isinstance(relay.relay("ann", {**message("bye"), "game_id": "0" * 20}, 0), RelayedSignal)


def test_removing_an_unknown_player_changes_nothing(relay: SignalRelay) -> None:
    relay.remove_player("unknown", 0)
    relay.remove_player(GAME, 7)
    assert isinstance(relay.relay("ann", message("bye"), 0), RelayedSignal)
