"""What a second of a game leaves in the `net` table."""

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

from coplay.browser.driver import Driver
from coplay.browser.measuring.figures import NetRows, PathFigures
from coplay.netcode import RollbackSession, SessionConfig


@pytest.fixture
def driver() -> Driver:
    """As much of one as its figures need: a session of three that has just begun."""
    config = SessionConfig(owners=(0, 1, 2), peer=0, default_inputs=(b"\0",) * 3, fps=30)
    return cast(Driver, SimpleNamespace(session=RollbackSession(config, 0.0)))


def links_of(row: dict[str, Any]) -> dict[int, dict[str, Any]]:
    links: dict[str, dict[str, Any]] = json.loads(json.dumps(row))["peers"]
    return {int(peer): link for peer, link in links.items()}


def test_row_has_what_the_browser_says_of_each_path_since_the_row_before(driver: Driver) -> None:
    rows = NetRows()
    rows.note_path(1, PathFigures(41.236, 1000, 3000), 0.9)
    links = links_of(rows.take(driver, {1: "direct", 2: "relay"}, {1: 40, 2: None}, 1.0))
    assert (links[1]["link"], links[2]["link"]) == ("direct", "relay")
    assert (links[1]["browser_rtt_ms"], links[1]["buffered_amount"]) == (41.24, 40)
    assert (links[1]["path_bytes_sent"], links[1]["path_bytes_received"]) == (1000, 3000)
    assert "browser_rtt_ms" not in links[2]
    assert links[2]["buffered_amount"] is None

    rows.note_path(1, PathFigures(None, 1800, 3500), 1.9)
    links = links_of(rows.take(driver, {1: "direct"}, {1: 0}, 2.0))
    assert (links[1]["path_bytes_sent"], links[1]["path_bytes_received"]) == (800, 500)
    assert links[1]["browser_rtt_ms"] is None
    assert rows.buffered == {1: 0}


def test_another_connection_counts_from_its_own_beginning(driver: Driver) -> None:
    rows = NetRows()
    rows.note_path(1, PathFigures(40.0, 1000, 3000), 1.0)
    rows.take(driver, {}, {}, 1.0)
    rows.note_path(1, PathFigures(40.0, 200, 3100), 2.0)
    links = links_of(rows.take(driver, {}, {}, 2.0))
    assert (links[1]["path_bytes_sent"], links[1]["path_bytes_received"]) == (200, 3100)


def test_path_of_which_nothing_was_heard_for_long_is_not_told_again(driver: Driver) -> None:
    rows = NetRows()
    rows.note_path(1, PathFigures(40.0, 1000, 3000), 1.0)
    assert "browser_rtt_ms" in links_of(rows.take(driver, {}, {}, 3.0))[1]
    assert "browser_rtt_ms" not in links_of(rows.take(driver, {}, {}, 4.0))[1]
