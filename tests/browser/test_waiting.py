"""What pages say while they wait and after an early end, and the tokens with which they reconnect."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from playtest import Chromium, Servers, arrive, meet
from playwright.sync_api import expect

NOT_STORING = "The study cannot save data at the moment."
SOCKETS = """
window.sockets = [];
window.WebSocket = class extends WebSocket {
  constructor(...given) { super(...given); window.sockets.push(this); }
};
"""


@contextmanager
def locked(data: Path) -> Iterator[None]:
    """Lock the database within the block, as another program such as a backup may do."""
    with closing(sqlite3.connect(data / "coplay.sqlite", isolation_level=None, timeout=30)) as other:
        other.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            other.execute("ROLLBACK")


def rows(data: Path, query: str, *values: Any) -> list[Any]:
    with closing(sqlite3.connect(data / "coplay.sqlite", timeout=30)) as database:
        return database.execute(query, values).fetchall()


def test_pages_waiting_for_the_database_say_so(chromium: Callable[..., Chromium], servers: Servers) -> None:
    server = servers.serve("volley/study.py", max_frames=601, countdown=0)
    ada = chromium("ada")
    remarks = ada.page.get_by_test_id("remarks")
    arrive(ada, server.url)
    expect(remarks).to_be_hidden()
    with locked(server.data):
        ada.click_continue()
        expect(remarks).to_contain_text(NOT_STORING, timeout=20_000)
        assert ada.page.locator("body").get_attribute("data-scene") == "instructions"
    ada.wait_for("lobby", timeout_s=30)
    expect(remarks).to_be_hidden()
    with locked(server.data):
        # Nothing is stored while a lobby is quiet, so the failure shows only with the next arrival.
        bob = chromium("bob")
        bob.open(server.url)
        bob.wait_for("error", timeout_s=40)
        expect(remarks).to_contain_text(NOT_STORING, timeout=20_000)
    expect(remarks).to_be_hidden(timeout=20_000)
    assert ada.problems == []


def test_reason_of_an_early_end_is_shown_on_the_next_page(
    chromium: Callable[..., Chromium], servers: Servers
) -> None:
    server = servers.serve("volley/study.py", max_frames=3600, countdown=0, hold=1)
    ada, bob = chromium("ada"), chromium("bob")
    meet(ada, bob, server.url)
    bob.wait_until("confirmed_frame", 60)
    address = bob.page.url
    bob.page.goto("about:blank")
    ada.wait_for("finish", timeout_s=30)
    expect(ada.page.get_by_test_id("remarks")).to_contain_text("The other player has left")
    bob.open(address)
    bob.wait_for("finish", timeout_s=30)
    expect(bob.page.get_by_test_id("remarks")).to_contain_text("You were away for too long")


def test_page_reconnects_with_the_token_of_its_last_socket(
    chromium: Callable[..., Chromium], servers: Servers
) -> None:
    server = servers.serve("volley/study.py", max_frames=601, countdown=0)
    ada = chromium("ada")
    ada.page.add_init_script(SOCKETS)
    arrive(ada, server.url)
    (member,) = [
        value["participant_id"]
        for value in ada.run("return Object.values(sessionStorage).map((text) => JSON.parse(text))")
    ]

    def turns(kind: str) -> list[int]:
        query = "SELECT detail ->> 'turn' FROM events WHERE kind = ? AND participant_id = ? ORDER BY id"
        return [int(turn) for (turn,) in rows(server.data, query, kind, member)]

    for count in (1, 2, 3):
        deadline = time.monotonic() + 20
        while turns("resume_kept") != list(range(1, count + 1)):
            assert time.monotonic() < deadline, turns("resume_kept")
            ada.page.wait_for_timeout(50)
        if count < 3:
            ada.run("sockets.at(-1).close()")
    assert turns("connected") == [0, 1, 2]
    assert rows(server.data, "SELECT count(*) FROM events WHERE kind = 'token_replayed'") == [(0,)]
