"""Looking on: who may, and that what they get is what the players agreed on, once and in order."""

import json
from typing import Any

import pytest
from tests.server.conftest import Lab
from tests.server.uploading import batch

from coplay.data.batches import encode

pytestmark = pytest.mark.anyio


async def watch(lab: Lab, path: str = "", key: str | None = None) -> tuple[int, Any, bytes]:
    key = lab.server.watching.key() if key is None else key
    return await lab.get(f"/api/watch{path}", headers={"Authorization": f"Bearer {key}"})


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """The store is asked for every answer."""
    monkeypatch.setattr("coplay.server.edge.watching.QUERY_EVERY_S", 0.0)


async def test_without_the_key_there_is_nothing_to_see(lab: Lab) -> None:
    one, _, first, _ = await lab.pair()
    for key in ("", "x", first["token"], one.identity["token"], lab.server.watching.key()[:-2]):
        for path in ("", f"/{first['game_id']}", f"/{first['game_id']}/frames?from=0"):
            status, _, body = await watch(lab, path, key)
            assert status == 403, (key, path)
            assert "Only those who run this study" in json.loads(body)["error"]
    assert (await lab.get("/api/watch"))[0] == 403


async def test_running_games_are_listed_and_described(lab: Lab) -> None:
    _, _, first, _ = await lab.pair()
    listed = json.loads((await watch(lab))[2])
    (game,) = listed["games"]
    assert (game["game_id"], game["label"], game["players"]) == (first["game_id"], "duel", 2)
    assert listed["bundle"]["module"] == "study"
    config = json.loads((await watch(lab, f"/{first['game_id']}"))[2])
    assert config["seed"] == first["seed"]
    assert config["input_sizes"] == [1, 1]
    assert "token" not in config
    assert "digest" not in config


async def test_frames_are_those_of_the_uploads_without_gaps(lab: Lab) -> None:
    one, two, first, second = await lab.pair()
    path = f"/{first['game_id']}/frames?from="
    assert (await watch(lab, path + "0"))[2] == b""
    # The other peer is ahead; the first one's second batch comes before its first.
    await one.upload(first, encode(batch(0, 1, 4, 4)))
    assert (await watch(lab, path + "0"))[2] == b"", "nothing after a gap"
    await two.upload(second, encode(batch(1, frames=6)))
    whole = batch(0, frames=8).inputs
    assert (await watch(lab, path + "0"))[2] == whole
    assert (await watch(lab, path + "3"))[2] == whole[6:]
    assert (await watch(lab, path + "99"))[2] == b""
    for wrong in ("-1", "x", "", "9999999999999"):
        assert (await watch(lab, path + wrong))[0] == 400


async def test_game_that_ended_is_told_to_be_over_once_all_is_read(lab: Lab) -> None:
    one, two, first, second = await lab.pair()
    path = f"/{first['game_id']}/frames?from="
    await one.upload(first, encode(batch(0, frames=4)))
    _, headers, _ = await watch(lab, path + "0")
    assert headers["X-Game-Over"] == "0"
    for page, config in ((one, first), (two, second)):
        await page.report(config, last_frame=3)
        await page.call("game_over", {"game_id": config["game_id"]})
    assert not json.loads((await watch(lab))[2])["games"]
    _, headers, body = await watch(lab, path + "0")
    assert (headers["X-Game-Over"], len(body)) == ("1", 8)
    assert (await watch(lab, "/" + "0" * 20 + "/frames?from=0"))[0] == 404
