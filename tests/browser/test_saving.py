"""A server that cannot store for a while: the page says so, keeps its batches, and uploads them later."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from playtest import Chromium, Servers, arrive

KEPT = """
  const open = indexedDB.open("coplay");
  await new Promise((done) => { open.onsuccess = done; });
  const outbox = open.result.transaction("outbox").objectStore("outbox").getAllKeys();
  await new Promise((done) => { outbox.onsuccess = done; });
  open.result.close();
  return outbox.result.filter((key) => key.includes(args[0])).length;
"""


@contextmanager
def locked(data: Path) -> Iterator[None]:
    """Lock the database, so that nobody else can write into it within the block."""
    with closing(sqlite3.connect(data / "coplay.sqlite", isolation_level=None, timeout=30)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def batches(data: Path, game_id: str) -> list[tuple[int, int, int]]:
    with closing(sqlite3.connect(data / "coplay.sqlite")) as connection:
        query = "SELECT number, first_frame, frames FROM batches WHERE game_id = ? AND number < 1048576"
        return connection.execute(f"{query} ORDER BY number", (game_id,)).fetchall()


def until(true: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def enters(participant: Chromium) -> bool:
    """Reload the page. Return True if the study admits the participant."""
    participant.page.reload()
    there = "body[data-scene]:not([data-scene=''], [data-scene='loading'])"
    participant.page.wait_for_selector(there, timeout=30_000)
    return participant.page.get_attribute("body", "data-scene") != "error"


def test_uploads_that_the_server_could_not_store_are_sent_after_a_reload(
    chromium: Callable[..., Chromium], servers: Servers
) -> None:
    server = servers.serve("volley/solo.py", max_frames=36_000, countdown=0)
    ada = chromium("ada")
    arrive(ada, server.url)
    ada.click_continue()
    ada.wait_for("play", "playing")
    ada.play(seed=3)
    ada.wait_until("confirmed_frame", 60)
    with locked(server.data):
        notice = ada.page.locator(".notice")
        notice.get_by_text("cannot save").wait_for(timeout=30_000)
        # Play goes on, and its batches are kept in the browser.
        at = ada.stats()["frame"]
        stats = ada.wait_until("confirmed_frame", at + 60)
        until(lambda: ada.run(KEPT, stats["game_id"]) >= 5)
        ada.page.reload()
        ada.page.get_by_text("cannot store data").wait_for(timeout=30_000)
    assert "nothing can be stored" in (server.data / "coplay.log").read_text("utf-8")
    until(lambda: enters(ada))
    game_id = stats["game_id"]
    until(
        lambda: sum(frames for _, _, frames in batches(server.data, game_id)) > stats["confirmed_frame"] - 60
    )
    stored = batches(server.data, game_id)
    assert [number for number, _, _ in stored] == list(range(len(stored)))
    end = 0
    for _, first, frames in stored:
        assert first == end
        end += frames


def test_last_page_waits_until_everything_is_saved(
    chromium: Callable[..., Chromium], servers: Servers
) -> None:
    server = servers.serve("volley/solo.py", max_frames=36_000, countdown=0)
    ada = chromium("ada")
    arrive(ada, server.url)
    ada.click_continue()
    ada.wait_for("play", "playing")
    ada.wait_until("confirmed_frame", 30)
    ada.page.route("**/batches", lambda route: route.abort())
    ada.wait_until("confirmed_frame", 120)
    ada.run("document.querySelector('[data-testid=leave]').click(); return 1")
    ada.wait_for("finish")
    saving = ada.page.get_by_test_id("saving")
    saving.get_by_text("kept on this device").wait_for(timeout=30_000)
    game_id = ada.stats()["game_id"]
    assert ada.run(KEPT, game_id) >= 1
    ada.page.unroute("**/batches")
    saving.wait_for(state="detached", timeout=30_000)
    until(lambda: ada.run(KEPT, game_id) == 0)
