"""Uploads of games, and what stands in the database afterwards."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text, update
from tests.server.conftest import SETTINGS, Lab, duel_study, running
from tests.server.playing import until
from tests.server.uploading import batch, kinds, over, rows

from coplay.data.batches import NUMBERS_OF_A_PAGE, encode
from coplay.data.database import tables as records
from coplay.data.database.packing import unpack
from coplay.server.settings import Settings

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lab(tmp_path: Path, database: str, anyio_backend: str) -> AsyncIterator[Lab]:
    """A server of the duel study, on each kind of database."""
    async with running(duel_study(), tmp_path) as lab:
        yield lab


def the_game(data: Path) -> Any:
    (game,) = rows(data, "SELECT * FROM games")
    return game


def as_json(value: Any) -> Any:
    """A JSON column, read without its type: SQLite gives the text."""
    return json.loads(value) if isinstance(value, str) else value


async def test_game_that_all_report_alike_is_identical(lab: Lab) -> None:
    one, two, first, second = await lab.pair()
    for number in (0, 1):
        for page, config in ((one, first), (two, second)):
            body = encode(batch(config["player_id"], number, 4 * number))
            assert await page.upload(config, body) == (200, {"ok": True, "acked": number})
    await over(one, first)
    await over(two, second)
    game = the_game(lab.data)
    assert (game.verdict, game.verdict_frame, game.frames) == ("identical", None, 8)
    assert (game.chain_hash, game.checksums_compared) == ("ab", 2)
    assert (as_json(game.left_early), as_json(game.cuts), as_json(game.desyncs)) == ([], {}, [])
    stored = rows(lab.data, "SELECT peer, number, first_frame, frames FROM batches ORDER BY peer, number")
    assert [tuple(row) for row in stored] == [(0, 0, 0, 4), (0, 1, 4, 4), (1, 0, 0, 4), (1, 1, 4, 4)]


async def test_same_batch_twice_is_stored_once_and_acked_twice(lab: Lab) -> None:
    one, _, first, _ = await lab.pair()
    body = encode(batch(0))
    answers = await asyncio.gather(*(one.upload(first, body) for _ in range(5)))
    assert answers == [(200, {"ok": True, "acked": 0})] * 5
    assert [tuple(row) for row in rows(lab.data, "SELECT count(*) FROM batches")] == [(1,)]
    assert "batch_conflict" not in kinds(lab.data)


async def test_batch_is_committed_before_it_is_acknowledged(lab: Lab) -> None:
    one, _, first, _ = await lab.pair()
    await one.upload(first, encode(batch(0)))
    assert [tuple(row) for row in rows(lab.data, "SELECT frames FROM batches")] == [(4,)]


async def test_second_batch_of_the_same_number_does_not_replace_the_first(lab: Lab) -> None:
    one, _, first, _ = await lab.pair()
    stored, other = encode(batch(0)), encode(batch(0, inputs=bytes([0, 0] * 4)))
    for body in (stored, other, stored):
        assert (await one.upload(first, body))[0] == 200
    assert [unpack(bytes(row.body)) for row in rows(lab.data, "SELECT body FROM batches")] == [stored]
    assert kinds(lab.data).count("batch_conflict") == 1
    assert "copies_differ" not in kinds(lab.data)


async def test_copies_that_differ_are_an_event_and_a_divergent_verdict(lab: Lab) -> None:
    one, two, first, second = await lab.pair()
    await one.upload(first, encode(batch(0)))
    await two.upload(second, encode(batch(1, inputs=bytes([1, 2, 1, 2, 0, 2, 1, 2]))))
    await over(one, first)
    await over(two, second)
    game = the_game(lab.data)
    assert (game.verdict, game.verdict_frame) == ("divergent", 2)
    (detail,) = rows(lab.data, "SELECT detail FROM events WHERE kind = 'copies_differ'")
    assert as_json(detail[0])["frame"] == 2
    assert as_json(detail[0])["reference_player_id"] == 0


async def test_game_that_ended_with_a_leave_is_truncated(lab: Lab) -> None:
    one, two, first, second = await lab.pair()
    await one.upload(first, encode(batch(0)))
    await two.upload(second, encode(batch(1)))
    await one.call("leave", {})
    await two.next("player_left")
    await over(two, second, verdict="truncated", last_frame=3, reason="player 0 left", seats=[[0, 3, "end"]])
    game = the_game(lab.data)
    assert (game.verdict, game.verdict_frame, as_json(game.left_early)) == ("truncated", 3, [0])
    assert game.verdict_reason == "Player 0 left."
    assert as_json(game.cuts) == {"0": [{"last_frame": 3, "fate": "end"}]}


async def test_game_that_went_on_after_a_leave_is_identical(lab: Lab) -> None:
    one, two, first, second = await lab.pair()
    await one.upload(first, encode(batch(0)))
    await two.upload(second, encode(batch(1, frames=8)))
    await one.call("leave", {})
    await two.next("player_left")
    await over(two, second, seats=[[0, 3, "bot"]])
    game = the_game(lab.data)
    assert (game.verdict, as_json(game.left_early), game.frames) == ("identical", [0], 8)
    assert game.verdict_reason.startswith("Player 0 left after frame 3, and a bot played on")


async def test_resynced_game_names_the_first_path_that_differed(lab: Lab) -> None:
    one, two, first, second = await lab.pair()
    desync = {"frame": 5, "peer": 1, "paths": ["ball.x"], "resynced_at": 7}
    await over(one, first, desyncs=[desync])
    await over(two, second)
    game = the_game(lab.data)
    assert (game.verdict, game.verdict_frame) == ("divergent", 5)
    assert "ball.x" in game.verdict_reason
    assert as_json(game.desyncs) == [{"reported_by": 0, **desync}]


async def test_reloaded_page_numbers_and_overlaps_without_a_conflict(lab: Lab) -> None:
    one, two, first, second = await lab.pair()
    await one.upload(first, encode(batch(0, frames=6)))
    page = await one.reload()
    await page.connect()
    again = await page.next("game")
    assert again["incarnations"]["0"] == 1
    begin = NUMBERS_OF_A_PAGE
    assert await page.upload(again, encode(batch(0, begin, 4))) == (200, {"ok": True, "acked": begin})
    await two.upload(second, encode(batch(1, frames=8)))
    # What the page before had not brought yet still counts, with that page's own token.
    assert (await page.upload(first, encode(batch(0, 1, 6, 2))))[0] == 200
    await over(page, again)
    await over(two, second)
    game = the_game(lab.data)
    assert (game.verdict, game.frames) == ("identical", 8)
    assert not {"copies_differ", "batch_conflict"} & set(kinds(lab.data))


async def test_report_that_comes_after_a_restart_settles_the_game(tmp_path: Path, database: str) -> None:
    async with running(duel_study(), tmp_path) as lab:
        one, _, first, second = await lab.pair()
        await one.upload(first, encode(batch(0)))
        await one.report(first, last_frame=7)
    assert the_game(tmp_path / "data").verdict is None
    async with running(duel_study(), tmp_path) as lab:
        page = lab.page()
        assert await page.upload(second, encode(batch(1))) == (200, {"ok": True, "acked": 0})
        assert await page.upload(first, encode(batch(0))) == (200, {"ok": True, "acked": 0})
        assert (await page.report(second, last_frame=7))[0] == 200
        lab.pass_time(SETTINGS.resume_s)  # so that both of its pages are given up
        await until(lambda: the_game(lab.data).ended_utc is not None)
    assert the_game(tmp_path / "data").verdict == "identical"
    assert [tuple(row) for row in rows(tmp_path / "data", "SELECT count(*) FROM batches")] == [(2,)]


async def test_batch_that_is_damaged_on_the_disk_does_not_take_its_game_along(
    tmp_path: Path, database: str
) -> None:
    async with running(duel_study(), tmp_path) as lab:
        one, _, first, second = await lab.pair()
        await one.upload(first, encode(batch(0)))
        await one.upload(first, encode(batch(0, 1, 4)))
        await one.report(first, last_frame=7)
        damage = text("UPDATE batches SET body = :bytes WHERE number = 0").bindparams(bytes=b"pk\0\1damaged")
        await asyncio.wrap_future(lab.store.execute(damage))
    async with running(duel_study(), tmp_path) as lab:
        page = lab.page()
        for number in (0, 1):
            assert (await page.upload(second, encode(batch(1, number, 4 * number))))[0] == 200
        assert (await page.report(second, last_frame=7))[0] == 200
        lab.pass_time(SETTINGS.resume_s)  # so that both of its pages are given up
        await until(lambda: the_game(lab.data).ended_utc is not None)
    game = the_game(tmp_path / "data")
    assert (game.verdict, game.checksums_compared) == ("identical", 1)


async def test_difference_whose_event_was_lost_in_a_crash_is_told_after_it(
    tmp_path: Path, database: str
) -> None:
    async with running(duel_study(), tmp_path) as lab:
        one, two, first, second = await lab.pair()
        await one.upload(first, encode(batch(0)))
        await two.upload(second, encode(batch(1, inputs=bytes([1, 2, 0, 2, 1, 2, 1, 2]))))
        lab.server.ledger._store.execute(text("DELETE FROM events WHERE kind = 'copies_differ'")).result()
    for _ in range(2):
        async with running(duel_study(), tmp_path):
            pass
        assert kinds(tmp_path / "data").count("copies_differ") == 1


async def test_second_report_does_not_replace_the_first(lab: Lab) -> None:
    one, two, first, second = await lab.pair()
    await one.report(first, last_frame=7)
    await one.report(first, last_frame=6)
    await over(one, first)
    await over(two, second)
    assert the_game(lab.data).verdict == "identical"
    assert kinds(lab.data).count("report_conflict") == 1


async def test_flood_of_uploads_is_throttled(tmp_path: Path) -> None:
    async with running(duel_study(), tmp_path, Settings(uploads_a_second=0.001, upload_burst=3)) as lab:
        one, _, first, _ = await lab.pair()
        assert [(await one.upload(first, b""))[0] for _ in range(5)] == [400, 400, 400, 429, 429]


async def test_erased_person_uploads_nothing_again(tmp_path: Path, database: str) -> None:
    async with running(duel_study(), tmp_path) as lab:
        one, two, first, second = await lab.pair()
        assert (await one.upload(first, encode(batch(0))))[0] == 200
        change = lab.store.execute(
            update(records.games).values(
                seats=[
                    {"player_id": 0, "participant_id": None, "owner": 0},
                    {"player_id": 1, "participant_id": two.identity["participant_id"], "owner": 1},
                ]
            )
        )
        await asyncio.wrap_future(change)
        game_id, token = first["game_id"], first["token"]
    async with running(duel_study(), tmp_path) as lab:
        page = lab.page()
        gone = {"game_id": game_id, "token": token, "player_id": 0}
        assert (await page.upload(gone, encode(batch(0, 1, 4))))[0] == 410
        assert (await page.report(gone, last_frame=3))[0] == 410
        assert (await page.upload(second, encode(batch(1))))[0] == 200
