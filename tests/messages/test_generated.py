"""The generated schema and types are those of the dataclasses, and the schema tells messages apart."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.messages.schema import SCHEMA, faults
from tools import messages as generator

from coplay.messages.encoding import to_json
from coplay.messages.to_page import Failure, FinishProps, Notice, PlayerLeft

FINISH = FinishProps(index=3, title="The end", html="<p>Bye.", code="", redirect="")


def test_generated_files_are_up_to_date() -> None:
    assert generator.main(["--check"]) == 0


def test_stale_file_is_named_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stale = tmp_path / "messages.ts"
    stale.write_text("// old\n")
    monkeypatch.setattr(generator, "TYPES", stale)
    monkeypatch.setattr(generator, "ROOT", tmp_path)
    assert generator.main(["--check"]) == 1
    assert capsys.readouterr().err == "messages.ts is stale: run `make messages` and commit the result.\n"
    assert generator.main([]) == 0
    assert stale.read_text("utf-8").startswith("/**")


def test_schema_is_a_valid_schema() -> None:
    from jsonschema import Draft202012Validator

    Draft202012Validator.check_schema(json.loads(SCHEMA.read_text("utf-8")))


@pytest.mark.parametrize(
    ("event", "data"),
    [("scene", FINISH), ("notice", Notice(text="Hello.")), ("failed", Failure(error="Gone."))],
)
def test_event_of_the_server_fits(event: str, data: Any) -> None:
    assert faults("ServerEvent", {"event": event, "data": to_json(data)}) == []


@pytest.mark.parametrize(
    ("event", "data"),
    [
        ("scene", to_json(FINISH) | {"kind": "dance"}),
        ("scene", to_json(FINISH) | {"extra": 1}),
        ("player_left", to_json(PlayerLeft(game_id="g", player_id=1, reason="")) | {"player_id": "1"}),
        ("notice", {}),
        ("unheard", {}),
    ],
)
def test_event_that_is_not_in_the_protocol_is_refused(event: str, data: Any) -> None:
    assert faults("ServerEvent", {"event": event, "data": data})


def test_binary_fields_of_worker_messages_are_marked() -> None:
    definitions = json.loads(SCHEMA.read_text("utf-8"))["$defs"]
    assert definitions["DrawMessage"]["properties"]["ops"]["x-browser-type"] == "Float32Array"
    assert definitions["TransferChannel"]["properties"]["channel"]["x-browser-type"] == "RTCDataChannel"
