"""What was uploaded, as it stands in the exported tables."""

import asyncio
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.server.conftest import Lab
from tests.server.uploading import batch, over

from coplay.data.batches import encode
from coplay.export.tables.exporting import export_tables

pytestmark = pytest.mark.anyio


async def exported(lab: Lab, out: Path) -> dict[str, list[dict[str, Any]]]:
    await asyncio.to_thread(export_tables, lab.data, out)
    return {file.stem: pq.read_table(file).to_pylist() for file in out.glob("*.parquet")}


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
    assert (row["browser_rtt_ms"], row["path_bytes_sent"], row["buffered_amount"]) == (31.5, None, None)
    assert data["responses"] == []
