"""Rows of the `net` table: one second of a game each."""

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

from coplay.browser.driver import Driver
from coplay.browser.measuring.net_rows import NetRows
from coplay.messages.game import PathFigures
from coplay.netcode import RollbackSession, SessionConfig


@pytest.fixture
def driver() -> Driver:
    """The part of a driver that its figures need: a session of three peers that has just begun."""
    config = SessionConfig(owners=(0, 1, 2), peer=0, default_inputs=(b"\0",) * 3, fps=30)
    return cast(Driver, SimpleNamespace(session=RollbackSession(config, 0.0)))


def links_of(row: dict[str, Any]) -> dict[int, dict[str, Any]]:
    links: dict[str, dict[str, Any]] = json.loads(json.dumps(row))["peers"]
    return {int(peer): link for peer, link in links.items()}


def test_row_has_the_browsers_figures_of_each_path_since_the_previous_row(driver: Driver) -> None:
    rows = NetRows()
    rows.note_path(1, PathFigures(rtt_ms=41.236, bytes_sent=1000, bytes_received=3000), 0.9)
    links = links_of(rows.take(driver, {1: "direct", 2: "relay"}, {1: 40, 2: None}, 1.0))
    assert (links[1]["link"], links[2]["link"]) == ("direct", "relay")
    assert (links[1]["browser_rtt_ms"], links[1]["buffered_amount"]) == (41.24, 40)
    assert (links[1]["path_bytes_sent"], links[1]["path_bytes_received"]) == (1000, 3000)
    assert "browser_rtt_ms" not in links[2]
    assert links[2]["buffered_amount"] is None

    rows.note_path(1, PathFigures(rtt_ms=None, bytes_sent=1800, bytes_received=3500), 1.9)
    links = links_of(rows.take(driver, {1: "direct"}, {1: 0}, 2.0))
    assert (links[1]["path_bytes_sent"], links[1]["path_bytes_received"]) == (800, 500)
    assert links[1]["browser_rtt_ms"] is None
    assert rows.buffered == {1: 0}


def test_new_connection_counts_from_zero(driver: Driver) -> None:
    rows = NetRows()
    rows.note_path(1, PathFigures(rtt_ms=40.0, bytes_sent=1000, bytes_received=3000), 1.0)
    rows.take(driver, {}, {}, 1.0)
    rows.note_path(1, PathFigures(rtt_ms=40.0, bytes_sent=200, bytes_received=3100), 2.0)
    links = links_of(rows.take(driver, {}, {}, 2.0))
    assert (links[1]["path_bytes_sent"], links[1]["path_bytes_received"]) == (200, 3100)


def test_stale_path_figures_are_left_out(driver: Driver) -> None:
    rows = NetRows()
    rows.note_path(1, PathFigures(rtt_ms=40.0, bytes_sent=1000, bytes_received=3000), 1.0)
    assert "browser_rtt_ms" in links_of(rows.take(driver, {}, {}, 3.0))[1]
    assert "browser_rtt_ms" not in links_of(rows.take(driver, {}, {}, 4.0))[1]
