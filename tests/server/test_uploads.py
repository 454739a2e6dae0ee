"""Uploads of games, and what stands in the exported tables afterwards."""

import asyncio
import sqlite3
from array import array
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from coplay.data.batches import FrameBatch, encode
from coplay.data.export import export_tables
from coplay.errors import StoreError, UsageError
from coplay.server.settings import Settings

from .conftest import Lab, Page, duel_study, running

pytestmark = pytest.mark.anyio


def batch(peer: int, number: int = 0, first: int = 0, frames: int = 4, **more: Any) -> FrameBatch:
    """Frames in which player 0 does 1 and player 1 does 2; the first is countdown."""
    whole = FrameBatch(
        number=number,
        peer=peer,
        first_frame=first,
        inputs=bytes([1, 2] * frames),
        confirmed_at_ms=array("d", [1000.0 + 50 * (first + frame) for frame in range(frames)]),
        predicted=bytes([0b10 if peer == 0 else 0b01] * frames),
        corrected_after=bytes([0, 3] * frames if peer == 0 else [0, 0] * frames),
        rewards=array("d", [0.5, -0.5] * frames),
        flags=bytes([0, 0] + [4, 4] * (frames - 1)) if first == 0 else bytes([4, 4] * frames),
        episodes=array("H", [0] * frames),
        checksums=[(first, 77)],
        net=[
            {
                "t_ms": 1.0,
                "utc": "2026-01-01T00:00:00.000+00:00",
                "rollbacks": 2,
                "peers": {"1": {"rtt_ms": 33.0}},
            }
        ],
        events=[
            {"t_ms": 2.0, "utc": "2026-01-01T00:00:00.000+00:00", "kind": "hidden", "detail": {"why": "tab"}}
        ],
    )
    return replace(whole, **more)


async def over(page: Page, config: dict[str, Any], **report: Any) -> None:
    status, _ = await page.report(config, **{"last_frame": 7, **report})
    assert status == 200
    await page.call("game_over", {"game_id": config["game_id"]})
    await page.scene("finish")


def tables(lab_data: Path, out: Path) -> dict[str, list[dict[str, Any]]]:
    export_tables(lab_data, out)
    return {file.stem: pq.read_table(file).to_pylist() for file in out.glob("*.parquet")}


async def exported(lab: Lab, out: Path) -> dict[str, list[dict[str, Any]]]:
    return await asyncio.to_thread(tables, lab.data, out)


async def test_game_that_all_report_alike_is_exported_as_identical(lab: Lab, tmp_path: Path) -> None:
    one, two, first, second = await lab.pair()
    for number in (0, 1):
        for page, config in ((one, first), (two, second)):
            body = encode(batch(config["player_id"], number, 4 * number))
            assert await page.upload(config, body) == (200, {"ok": True, "acked": number})
    await over(one, first, delay=2)
    await over(two, second, delay=2)

    data = await exported(lab, tmp_path / "out")
    assert set(data) == {
        "participants", "groups", "games", "episodes", "steps", "inputs", "responses", "events", "net",
    }  # fmt: skip
    (game,) = data["games"]
    assert (game["verdict"], game["verdict_frame"], game["frames"]) == ("identical", None, 8)
    assert (game["chain_hash"], game["input_delay"], game["seed"]) == ("ab", 2, first["seed"])
    assert (game["code_hash"], game["lock_hash"], game["window"]) == ("2" * 64, "1" * 64, 8)
    assert len({log["sha256"] for log in game["logs"]}) == 1
    assert [log["frames"] for log in game["logs"]] == [8, 8]
    assert game["checksums_compared"] == 2
    assert [seat["participant_id"] for seat in game["seats"]] == [
        one.identity["participant_id"],
        two.identity["participant_id"],
    ]
    assert game["started_utc"] <= game["ended_utc"]
    (group,) = data["groups"]
    assert (group["group_id"], len(group["members"])) == (game["group_id"], 2)

    assert len(data["inputs"]) == 16
    of_one = [row for row in data["inputs"] if row["player_id"] == 0]
    assert [row["frame"] for row in of_one] == list(range(8))
    assert of_one[3] == {
        "game_id": game["game_id"],
        "frame": 3,
        "player_id": 0,
        "action": 1,
        "input": b"\x01",
        "confirmed_at_ms": 1150.0,
        "shown_as_predicted": True,
        "corrected_after_frames": 0,
    }
    of_two = [row for row in data["inputs"] if row["player_id"] == 1]
    assert {(row["action"], row["shown_as_predicted"], row["corrected_after_frames"]) for row in of_two} == {
        (2, True, 3)
    }
    assert len(data["steps"]) == 14  # the countdown frame steps nothing
    assert data["steps"][0] == {
        "game_id": game["game_id"],
        "episode": 0,
        "frame": 1,
        "player_id": 0,
        "action": 1,
        "reward": 0.5,
        "terminated": False,
        "truncated": False,
    }
    (episode,) = data["episodes"]
    assert (episode["first_frame"], episode["last_frame"], episode["ended_how"]) == (1, 7, "unfinished")
    assert episode["returns"] == [3.5, -3.5]
    assert [row["ended_how"] for row in data["participants"]] == ["completed", "completed"]
    assert {row["completion_code"] for row in data["participants"]} == {"DONE"}
    hidden = [row for row in data["events"] if row["kind"] == "hidden"]
    assert len(hidden) == 4
    assert (hidden[0]["source"], hidden[0]["detail"]) == ("browser", '{"why": "tab"}')
    assert {"arrived", "connected", "matched", "game_joined"} <= {row["kind"] for row in data["events"]}
    row = data["net"][0]
    assert (row["player_id"], row["peer"], row["rtt_ms"], row["rollbacks"]) == (0, 1, 33, 2)
    assert data["responses"] == []


async def test_same_batch_twice_is_stored_once_and_acked_twice(lab: Lab) -> None:
    one, _, first, _ = await lab.pair()
    body = encode(batch(0))
    answers = await asyncio.gather(*(one.upload(first, body) for _ in range(5)))
    assert answers == [(200, {"ok": True, "acked": 0})] * 5
    with sqlite3.connect(lab.data / "coplay.sqlite") as database:
        assert database.execute("select count(*) from batches").fetchone() == (1,)
    database.close()


async def test_batch_is_committed_before_it_is_acknowledged(lab: Lab) -> None:
    one, _, first, _ = await lab.pair()
    await one.upload(first, encode(batch(0)))
    with sqlite3.connect(lab.data / "coplay.sqlite") as database:
        assert database.execute("select frames from batches").fetchall() == [(4,)]
    database.close()


async def test_second_batch_of_the_same_number_does_not_replace_the_first(lab: Lab, tmp_path: Path) -> None:
    one, _, first, _ = await lab.pair()
    await one.upload(first, encode(batch(0)))
    assert (await one.upload(first, encode(batch(0, inputs=bytes([0, 0] * 4)))))[0] == 200
    data = await exported(lab, tmp_path / "out")
    assert data["inputs"][0]["action"] == 1
    assert [row["kind"] for row in data["events"]].count("batch_conflict") == 1


async def test_copies_that_differ_are_an_event_and_a_divergent_verdict(lab: Lab, tmp_path: Path) -> None:
    one, two, first, second = await lab.pair()
    await one.upload(first, encode(batch(0)))
    await two.upload(second, encode(batch(1, inputs=bytes([1, 2, 1, 2, 0, 2, 1, 2]))))
    await over(one, first)
    await over(two, second)
    data = await exported(lab, tmp_path / "out")
    (game,) = data["games"]
    assert (game["verdict"], game["verdict_frame"]) == ("divergent", 2)
    assert len({log["sha256"] for log in game["logs"]}) == 2
    (difference,) = [row for row in data["events"] if row["kind"] == "copies_differ"]
    assert '"frame": 2' in difference["detail"]


async def test_game_that_one_player_left_is_truncated(lab: Lab, tmp_path: Path) -> None:
    one, two, first, second = await lab.pair()
    await one.upload(first, encode(batch(0)))
    await two.upload(second, encode(batch(1)))
    await one.socket.disconnect()
    await two.next("player_left")
    await over(two, second, verdict="truncated", last_frame=3, reason="player 0 left")
    (game,) = (await exported(lab, tmp_path / "out"))["games"]
    assert (game["verdict"], game["verdict_frame"], game["left_early"]) == ("truncated", 3, [0])
    assert game["verdict_reason"] == "player 0 left"


async def test_report_that_comes_after_a_restart_settles_the_game(tmp_path: Path) -> None:
    async with running(duel_study(), tmp_path) as lab:
        one, _, first, second = await lab.pair()
        await one.upload(first, encode(batch(0)))
        await one.report(first, last_frame=7)
    assert tables(tmp_path / "data", tmp_path / "before")["games"][0]["verdict"] is None
    async with running(duel_study(), tmp_path) as lab:
        page = lab.page()
        assert await page.upload(second, encode(batch(1))) == (200, {"ok": True, "acked": 0})
        assert await page.upload(first, encode(batch(0))) == (200, {"ok": True, "acked": 0})
        assert (await page.report(second, last_frame=7))[0] == 200
        (game,) = (await exported(lab, tmp_path / "after"))["games"]
    assert game["verdict"] == "identical"
    assert len({log["sha256"] for log in game["logs"]}) == 1


async def test_upload_without_the_right_token_is_refused(lab: Lab) -> None:
    one, two, first, second = await lab.pair()
    body = encode(batch(0))
    assert (await one.upload({**first, "token": "a.b"}, body))[0] == 401
    assert (await one.upload({**first, "token": one.identity["token"]}, body))[0] == 401
    assert (await one.upload({**first, "game_id": "f" * 20}, body))[0] == 403
    assert (await two.upload(second, body))[0] == 403  # another player's batch
    assert (await one.upload(first, body, Origin="https://evil.example"))[0] == 403
    assert (await one.upload(first, body, Origin=lab.base))[0] == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\0" * 100,
        encode(batch(0))[:-1],
        encode(batch(0, first=10**6)),
        encode(batch(0, inputs=bytes(12))),
    ],
)
async def test_body_that_is_no_batch_is_refused_with_a_sentence(lab: Lab, body: bytes) -> None:
    one, _, first, _ = await lab.pair()
    status, answer = await one.upload(first, body)
    assert status == 400
    assert answer["error"].endswith(".")


async def test_batch_that_is_too_large_is_refused(lab: Lab) -> None:
    one, _, first, _ = await lab.pair()
    assert (await one.upload(first, bytes(300 * 1024)))[0] == 413


async def test_flood_of_uploads_is_throttled(tmp_path: Path) -> None:
    async with running(duel_study(), tmp_path, Settings(uploads_a_second=0.001, upload_burst=3)) as lab:
        one, _, first, _ = await lab.pair()
        assert [(await one.upload(first, b""))[0] for _ in range(5)] == [400, 400, 400, 429, 429]


@pytest.mark.parametrize(
    "report", [{"last_frame": -5}, {"last_frame": "x"}, {"last_frame": 1, "chain_hash": "no"}]
)
async def test_report_that_is_none_is_refused(lab: Lab, report: dict[str, Any]) -> None:
    one, _, first, _ = await lab.pair()
    assert (await one.report(first, **report))[0] == 400


async def test_second_report_does_not_replace_the_first(lab: Lab, tmp_path: Path) -> None:
    one, two, first, second = await lab.pair()
    await one.report(first, last_frame=7)
    await one.report(first, last_frame=6)
    await over(one, first)
    await over(two, second)
    data = await exported(lab, tmp_path / "out")
    assert data["games"][0]["verdict"] == "identical"
    assert [row["kind"] for row in data["events"]].count("report_conflict") == 1


async def test_recruiters_parameters_are_kept_apart(lab: Lab, tmp_path: Path) -> None:
    await lab.page().load(params={"PROLIFIC_PID": "5f00"})
    data = await exported(lab, tmp_path / "out")
    assert "5f00" not in str(data)
    await asyncio.to_thread(export_tables, lab.data, tmp_path / "again", recruitment=True)
    assert "5f00" in pq.read_table(tmp_path / "again" / "recruitment.parquet").to_pylist()[0]["params"]


async def test_export_names_every_column_in_its_codebook(lab: Lab, tmp_path: Path) -> None:
    data = await exported(lab, tmp_path / "out")
    codebook = (tmp_path / "out" / "codebook.csv").read_text()
    for table in data:
        for column in pq.read_schema(tmp_path / "out" / f"{table}.parquet").names:
            assert f"{table},{column}," in codebook


def test_export_of_nothing_or_over_something_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no data"):
        export_tables(tmp_path / "nowhere", tmp_path / "out")
    assert not (tmp_path / "nowhere").exists()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "coplay.sqlite").touch()
    export_tables(tmp_path / "data", tmp_path / "out")
    with pytest.raises(UsageError, match="earlier export"):
        export_tables(tmp_path / "data", tmp_path / "out")
    export_tables(tmp_path / "data", tmp_path / "out", overwrite=True)
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="is a file"):
        export_tables(tmp_path / "data", tmp_path / "file")
