"""Browsers that are killed or stopped in the middle of a game: the server has all frames but the latest, and
the other player does not wait for long.
"""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playtest import (
    Chromium,
    CoplayServer,
    Export,
    Participant,
    Servers,
    assert_agreed,
    finish,
    meet,
    run_coplay,
)
from playtest.processes import Processes
from playwright.sync_api import Response
from sqlalchemy import create_engine, select

from coplay.data.batches import FrameBatch, decode
from coplay.data.database.tables import batches

INPUT_SIZES = (1, 1)
YOUNG_S = 2.0
"""Frames that were confirmed within this time before the end of a page may be lost."""
STOPPED_S = 20.0


class Memory:
    """Observations of a page that will not answer later.

    Args:
        participant: A participant whose page has not been opened yet.
    """

    def __init__(self, participant: Chromium) -> None:
        self.acknowledged: dict[str, list[bytes]] = {}
        self._participant = participant
        participant.page.context.on("response", self._see)

    def _see(self, response: Response) -> None:
        if response.url.endswith("/batches") and response.ok:
            body = response.request.post_data_buffer
            assert body is not None
            self.acknowledged.setdefault(response.url.split("/")[-2], []).append(body)

    def watch(self, seconds: float) -> tuple[str, int, int]:
        """Watch for some seconds; return the game, player, and last frame confirmed before `YOUNG_S` ago."""
        figures = []
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            stats = self._participant.stats()
            figures.append((time.monotonic(), stats["confirmed_frame"]))
            self._participant.page.wait_for_timeout(50)
        old = [frame for at, frame in figures if at <= time.monotonic() - YOUNG_S]
        return stats["game_id"], stats["player_id"], max(old)


def stored(server: CoplayServer, game_id: str, peer: int) -> dict[int, bytes]:
    """Return number → stored batch of one peer."""
    engine = create_engine(f"sqlite:///{server.data / 'coplay.sqlite'}")
    with engine.connect() as connection:
        of_peer = (batches.c.game_id == game_id) & (batches.c.peer == peer)
        rows = connection.execute(select(batches.c.number, batches.c.body).where(of_peer)).all()
    engine.dispose()
    assert len({row.number for row in rows}) == len(rows)
    return {row.number: row.body for row in sorted(rows)}


def assert_stored(server: CoplayServer, memory: Memory, game_id: str, peer: int, old: int) -> None:
    """Check that all acknowledged batches and all frames up to `old` are stored once, without a gap."""
    there = stored(server, game_id, peer)
    read: list[FrameBatch] = [decode(body, len(INPUT_SIZES), INPUT_SIZES) for body in there.values()]
    for body in memory.acknowledged[game_id]:
        assert there[decode(body, len(INPUT_SIZES), INPUT_SIZES).number] == body
    assert list(there) == list(range(len(there)))
    end = 0
    for batch in read:
        if batch.frames:
            assert batch.first_frame == end
            end += batch.frames
    assert end > old, f"of {old + 1} frames that were old enough, {end} are stored"


def begin(ada: Chromium, bob: Chromium, server: CoplayServer) -> None:
    meet(ada, bob, server.url)
    for seed, participant in enumerate((ada, bob)):
        participant.play(seed)
        participant.wait_until("confirmed_frame", 60)


def test_killed_browser_loses_no_frame_older_than_two_seconds(
    chromium: Callable[..., Chromium],
    participants: list[Participant],
    servers: Servers,
    tmp_path: Path,
) -> None:
    server = servers.serve("volley/study.py", max_frames=36_000, countdown=0, hold="3 s")
    ada, bob = chromium("ada"), chromium("bob")
    memory = Memory(bob)
    begin(ada, bob, server)
    browser = Processes(bob)
    game_id, player, old = memory.watch(4)
    browser.kill()
    participants.remove(bob)
    killed = time.monotonic()
    assert old >= 60
    assert_stored(server, memory, game_id, player, old)

    finish(ada)
    assert time.monotonic() - killed < 3 + 10
    (game,) = Export(server.data, tmp_path / "export").rows("games", game_id=game_id)
    assert (game["verdict"], list(game["left_early"])) == ("truncated", [player])
    assert game["frames"] > old
    assert_stored(server, memory, game_id, player, old)
    # The frames that the other player confirmed are complete, too, and a replay reproduces the checksums.
    assert f"{game['frames']} frames replayed" in run_coplay(
        "replay", game_id, "--data", str(server.data), folder=server.data.parent
    )


@pytest.mark.long
def test_browser_stopped_for_a_while_plays_on(
    chromium: Callable[..., Chromium], servers: Servers, tmp_path: Path
) -> None:
    server = servers.serve("volley/study.py", max_frames=900, countdown=0, hold="60 s")
    ada, bob = chromium("ada"), chromium("bob")
    memory = Memory(bob)
    begin(ada, bob, server)
    browser = Processes(bob)
    game_id, player, old = memory.watch(4)
    browser.stop()
    try:
        ada.wait_for("play", "paused")
        assert_stored(server, memory, game_id, player, old)
        ada.page.wait_for_timeout(1000 * STOPPED_S)
    finally:
        browser.go_on()
    bob.play(seed=7)
    finish(ada, bob)
    # The game ends after its last frame, or when somebody has five points.
    export = assert_agreed(server, (ada, bob), tmp_path, least_frames=old + 120)
    (game,) = export.rows("games", game_id=game_id)
    assert not game["left_early"]


@pytest.mark.long
def test_browser_stopped_for_too_long_is_removed_and_says_so(
    chromium: Callable[..., Chromium], servers: Servers, tmp_path: Path
) -> None:
    server = servers.serve("volley/study.py", max_frames=36_000, countdown=0, hold="5 s")
    ada, bob = chromium("ada"), chromium("bob")
    memory = Memory(bob)
    begin(ada, bob, server)
    browser = Processes(bob)
    game_id, player, old = memory.watch(4)
    browser.stop()
    stopped = time.monotonic()
    try:
        finish(ada)
        waited_s = time.monotonic() - stopped
        assert_stored(server, memory, game_id, player, old)
        ada.page.wait_for_timeout(max(0, 1000 * (STOPPED_S - waited_s)))
    finally:
        browser.go_on()
    bob.wait_for("finish")
    bob.page.get_by_text("You were away for too long").wait_for(timeout=30_000)
    bob.page.get_by_test_id("saving").wait_for(state="detached", timeout=30_000)
    (game,) = Export(server.data, tmp_path / "export").rows("games", game_id=game_id)
    assert (game["verdict"], list(game["left_early"])) == ("truncated", [player])
    print(f"\nthe other one waited {waited_s:.1f} s")
