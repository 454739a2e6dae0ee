"""A headless peer's link lives as protocol/vectors/link.json says; web/src/links/life has the same test."""

import json
from pathlib import Path
from typing import Any

import pytest

from coplay.headless.links.link import PeerLink
from coplay.headless.links.link_effects import (
    AcceptAnswer,
    AddCandidates,
    CloseConnection,
    LinkEffect,
    MakeDescription,
    OpenConnection,
    SendSignal,
)

FILE = Path(__file__).parents[3] / "protocol" / "vectors" / "link.json"
HISTORIES = json.loads(FILE.read_text("utf-8"))["histories"]


def perform(link: PeerLink, event: list[Any], now: float) -> None:
    match event:
        case ["start"]:
            link.start(now)
        case ["timer"]:
            link.tick(now)
        case ["receive", kind, payload]:
            link.receive(kind, payload, now)
        case ["describe", sdp]:
            link.description_made(link.connection, sdp, now)
        case ["channel_open", connection]:
            link.channel_opened(connection, now)
        case ["channel_closed", connection]:
            link.connection_failed(connection, now)
        case ["epoch", epoch]:
            link.enter_epoch(epoch, now)
        case ["socket_back"]:
            link.socket_reopened(now)
            link.tick(now)  # as the game does within a frame
        case ["close"]:
            link.close(now)
        case _:
            pytest.fail(f"unknown event {event}")


def described(effect: LinkEffect) -> list[Any]:
    match effect:
        case OpenConnection(connection):
            return ["open", connection]
        case CloseConnection(connection):
            return ["close", connection]
        case MakeDescription(_, None):
            return ["make_offer"]
        case MakeDescription(_, offer):
            return ["take_offer", offer]
        case AcceptAnswer(_, sdp):
            return ["take_answer", sdp]
        case AddCandidates(_, candidates):
            return ["add_candidates", list(candidates)]
        case SendSignal(kind, payload):
            return ["send", kind, {name: value for name, value in payload.items() if name != "reason"}]


@pytest.mark.parametrize("history", HISTORIES, ids=[history["name"] for history in HISTORIES])
def test_link_goes_through_a_shared_history(history: dict[str, Any]) -> None:
    link = PeerLink(history["role"] == "offer", history["epoch"], history["name_of_messages"], 30.0)
    for number, step in enumerate(history["steps"]):
        # A microsecond more each step, because sums of seconds are inexact.
        perform(link, step["event"], step["at_ms"] / 1000 + number * 1e-6)
        assert [described(effect) for effect in link.effects()] == step["effects"], step
        if "state" in step:
            assert link.state == step["state"], step
