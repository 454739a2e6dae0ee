"""The ledger on a database, without sockets, on a virtual clock."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from tests.server.games.doubles import IDENTITY, play_setup
from tests.server.uploading import batch
from tests.server.virtual_clock import VirtualClock

from coplay.data.batches import FrameBatch, encode
from coplay.data.database.store import Store
from coplay.data.database.tables import batches, events, games
from coplay.server.event_log import EventLog
from coplay.server.games.game_config import game_row
from coplay.server.refusals import RETRY_AFTER_S, RequestRefusedError
from coplay.server.uploads import ledger as module
from coplay.server.uploads.ledger import EVICT_AFTER_S, Ledger

pytestmark = pytest.mark.anyio

GAME = "0123456789abcdef0123"


class World:
    def __init__(self, folder: Path) -> None:
        self.store = Store(folder)
        self.clock = VirtualClock()
        self.event_log = EventLog(self.store, "duel", self.clock)
        self.ledger = Ledger(self.event_log, self.clock)

    def open(self) -> None:
        row = game_row(IDENTITY, play_setup(0, 1), GAME, "g", 5, {0: "ann", 1: "bob"})
        self.event_log.game(row).result()
        self.ledger.open(GAME, (1, 1), (0, 1), 20.0)

    def restart(self, running: tuple[str, ...] = ()) -> None:
        self.ledger = Ledger(self.event_log, self.clock, running)

    async def add(self, part: FrameBatch, peer: int | None = None, incarnation: int | None = 0) -> FrameBatch:
        peer = part.peer if peer is None else peer
        return await self.ledger.add_batch(GAME, peer, encode(part), incarnation)

    async def report(self, peer: int, **more: Any) -> None:
        body = {"player_id": peer, "verdict": "identical", "chain_hash": "ab", "last_frame": 3, **more}
        await self.ledger.add_report(GAME, peer, body)

    def all(self, *columns: Any) -> list[Any]:
        return self.store.submit(
            lambda connection: [tuple(row) for row in connection.execute(select(*columns))]
        ).result()

    def kinds(self) -> list[str]:
        return [kind for (kind,) in self.all(events.c.kind)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.store.close()


@pytest.fixture
def opened(world: World) -> World:
    world.open()
    return world


async def test_repeated_batch_is_stored_once(opened: World) -> None:
    for _ in range(2):
        assert (await opened.add(batch(0))).frames == 4
    assert opened.all(batches.c.peer, batches.c.number) == [(0, 0)]
    assert opened.ledger.has_frames(GAME, 0)
    assert not opened.ledger.has_frames(GAME, 1)


async def test_other_batch_of_the_same_number_is_a_recorded_conflict(
    opened: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_CONFLICT_EVENTS", 2)
    await opened.add(batch(0))
    for frames in (3, 2, 1):
        await opened.add(batch(0, frames=frames))
    assert opened.kinds() == ["batch_conflict"] * 2


async def test_other_report_of_the_same_peer_is_a_recorded_conflict(opened: World) -> None:
    await opened.report(0)
    await opened.report(0)
    assert opened.kinds() == []
    await opened.report(0, verdict="divergent")
    assert opened.kinds() == ["report_conflict"]
    assert opened.ledger.has_report(GAME, 0)


async def test_copies_that_differ_are_recorded(opened: World) -> None:
    await opened.add(batch(0))
    await opened.add(batch(1, inputs=bytes([1, 2, 1, 2, 0, 2, 1, 2])))
    assert opened.kinds() == ["copies_differ"]


REFUSALS: list[tuple[int, Callable[[World], Any]]] = [
    (400, lambda world: world.ledger.add_batch(GAME, 0, b"garbage")),
    (403, lambda world: world.add(batch(0), peer=1)),
    (403, lambda world: world.add(batch(0), incarnation=1)),
    (400, lambda world: world.add(batch(0, first=100_000))),
    (400, lambda world: world.report(0, verdict=7)),
    (400, lambda world: world.report(0, last_frame=100_000)),
    (410, lambda world: world.add(batch(2), peer=2)),
    (410, lambda world: world.report(2)),
    (404, lambda world: world.ledger.add_report("f" * 20, 0, {})),
]


@pytest.mark.parametrize("case", range(len(REFUSALS)))
async def test_upload_that_does_not_belong_to_the_game_is_refused(opened: World, case: int) -> None:
    status, upload = REFUSALS[case]
    with pytest.raises(RequestRefusedError) as raised:
        await upload(opened)
    assert raised.value.status == status
    assert opened.all(batches.c.number) == []


async def test_closed_game_has_a_verdict_that_later_uploads_update(opened: World) -> None:
    await opened.add(batch(0))
    await opened.report(0)
    opened.ledger.close(GAME, ()).result()
    ((before, ended),) = opened.all(games.c.verdict, games.c.ended_utc)
    assert ended is not None
    await opened.add(batch(1))
    await opened.report(1)
    assert opened.all(games.c.verdict) == [("identical",)]
    assert before != "identical"
    await opened.report(1)


async def test_closed_game_is_evicted_after_a_while_and_restored_by_an_upload(opened: World) -> None:
    await opened.add(batch(0))
    opened.ledger.close(GAME, ()).result()
    opened.clock.advance(EVICT_AFTER_S)
    opened.ledger.evict(opened.clock.now())
    assert opened.ledger.has_frames(GAME, 0)
    opened.clock.advance(1)
    opened.ledger.evict(opened.clock.now())
    assert not opened.ledger.has_frames(GAME, 0)
    await opened.add(batch(1))
    assert opened.ledger.has_frames(GAME, 0)


async def test_running_game_is_never_evicted(opened: World) -> None:
    await opened.add(batch(0))
    opened.clock.advance(10 * EVICT_AFTER_S)
    opened.ledger.evict(opened.clock.now())
    assert opened.ledger.has_frames(GAME, 0)


async def test_game_without_an_end_is_closed_at_the_next_start_unless_it_goes_on(opened: World) -> None:
    await opened.add(batch(0))
    opened.restart(running=(GAME,))
    assert opened.ledger.has_frames(GAME, 0)
    assert opened.all(games.c.ended_utc) == [(None,)]
    opened.restart()
    ((ended,),) = opened.all(games.c.ended_utc)
    assert ended is not None


async def test_upload_is_retried_while_the_store_has_no_room(
    opened: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened.ledger.check_room(1000)
    monkeypatch.setattr(opened.store, "has_room", lambda size: size < 1000)
    with pytest.raises(RequestRefusedError) as raised:
        opened.ledger.check_room(1000)
    assert (raised.value.status, raised.value.retry_after_s) == (503, RETRY_AFTER_S)


async def test_upload_that_fails_in_the_store_is_retried(
    opened: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as failing:
        failing.setattr(opened.store, "insert", fail)
        with pytest.raises(RequestRefusedError) as raised:
            await opened.add(batch(0))
    assert (raised.value.status, raised.value.retry_after_s) == (503, RETRY_AFTER_S)
    assert (await opened.add(batch(0))).number == 0
