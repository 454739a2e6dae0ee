"""Messages become JSON and are read back from it."""

import json
from dataclasses import dataclass
from typing import Annotated, Literal

import pytest

from coplay.messages.encoding import MessageError, Nullable, fields_of, from_json, to_json
from coplay.messages.game import DesyncRow, PathFigures, WatchConfig
from coplay.messages.http import ArrivalRequest, Participation
from coplay.messages.signals import SignalPayload
from coplay.messages.study import BootInfo, BundleInfo, RuntimeInfo, StudyInfo
from coplay.messages.to_page import Failure, LobbyState, PlayProps


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    pair: tuple[int, Literal["a", "b"]]
    rows: tuple[DesyncRow, ...] = ()
    either: int | str = 0
    marked: Annotated[str | None, Nullable()] = None
    numbers: dict[str, float | None] | None = None


def test_optional_fields_without_a_value_are_left_out() -> None:
    assert to_json(ArrivalRequest(params={"age": "4"})) == {"params": {"age": "4"}}
    assert to_json(Failure(error="Gone.", hint="", reference=None)) == {"error": "Gone.", "hint": ""}


def test_required_null_is_written() -> None:
    figures = PathFigures(rtt_ms=None, bytes_sent=1, bytes_received=2)
    assert to_json(figures) == {"rtt_ms": None, "bytes_sent": 1, "bytes_received": 2}


def test_nested_messages_become_plain_json_values() -> None:
    row = DesyncRow(frame=3, peer=1, paths=("a.b",), resynced_at=None)
    written = to_json(Sample(pair=(1, "a"), rows=(row,), numbers={"0": 1.5, "1": None}))
    assert written == json.loads(json.dumps(written))
    assert written["rows"] == [{"frame": 3, "peer": 1, "paths": ["a.b"], "resynced_at": None}]
    assert from_json(Sample, written) == Sample(pair=(1, "a"), rows=(row,), numbers={"0": 1.5, "1": None})


def test_unknown_fields_are_ignored() -> None:
    state = LobbyState(present=1, size=2, waited_s=0.5, patience_s=60.0, reason="")
    assert from_json(LobbyState, {**to_json(state), "new": 1}) == state


def test_whole_number_is_read_for_a_float() -> None:
    config = {"game_id": "g", "scene_index": 0, "seed": 1, "fps": 30, "episodes": 1, "max_frames": None}
    config |= {"countdown_frames": 0, "peers": [0, 1], "input_sizes": [1, 1]}
    assert from_json(WatchConfig, config).fps == 30
    assert from_json(WatchConfig, config).peers == (0, 1)


@pytest.mark.parametrize(
    ("data", "named"),
    [
        ([], "Sample is an object"),
        ({}, "lacks the field pair"),
        ({"pair": [1]}, "has 1 items"),
        ({"pair": [1, "c"]}, "pair"),
        ({"pair": ["1", "a"]}, "pair"),
        ({"pair": [True, "a"]}, "pair"),
        ({"pair": [1, "a"], "rows": {}}, "rows"),
        ({"pair": [1, "a"], "rows": [{"frame": 1}]}, "lacks the field peer"),
        ({"pair": [1, "a"], "either": None}, "either"),
        ({"pair": [1, "a"], "marked": 5}, "marked"),
        ({"pair": [1, "a"], "numbers": {"0": "x" * 100}}, "numbers"),
    ],
)
def test_value_that_does_not_fit_is_named(data: object, named: str) -> None:
    with pytest.raises(MessageError, match=named):
        from_json(Sample, data)


def test_fields_of_a_message_build_one_that_extends_it() -> None:
    boot = BootInfo(
        study=StudyInfo(name="duel", version="7"),
        runtime=RuntimeInfo(base="/runtime/1/", lock_hash="1", packages=()),
        bundle=BundleInfo(url="/bundle/2.zip", hash="2", module="study"),
    )
    answer = Participation(**fields_of(boot), participant_id="p", secret="s", token="t")
    assert answer.bundle is boot.bundle
    assert to_json(answer)["study"] == {"name": "duel", "version": "7"}


def test_messages_name_their_event() -> None:
    assert (PlayProps.EVENT, Failure.EVENT, LobbyState.EVENT) == ("scene", "failed", "lobby")


def test_signal_with_acks_alone_may_have_a_null_candidate() -> None:
    stamp = {"epoch": 0, "negotiation": 1, "seq": 2, "message_id": "m"}
    assert from_json(SignalPayload, {**stamp, "candidate": None, "acks": ["n"]}).candidate is None
    lines = [{"candidate": "", "sdpMid": "0", "usernameFragment": None}]
    (candidate,) = from_json(SignalPayload, {**stamp, "candidate": lines}).candidate or ()  # type: ignore[misc]
    assert candidate.candidate == ""
