"""A recorded game is read with its setup and its undamaged batches."""

import hashlib
from array import array
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from coplay.data.batches import FrameBatch, encode
from coplay.data.database import tables as records
from coplay.data.database.store import Store
from coplay.data.games.recorded_game import read_kept_file, read_recording
from coplay.errors import StoreError, UsageError

GAME = "0123456789abcdef0123"
ROW = {
    "game_id": GAME, "study": "s", "version": "1", "scene": 2, "label": "", "seats": [],
    "input_sizes": [1, 1], "codecs": [], "seed": 7, "env": "e", "code_hash": "c", "lock_hash": "l",
    "fps": 30.0, "window": 8, "episodes": 3, "max_frames": 90, "countdown_frames": 5, "started_utc": "",
    "started_ms": 0.0,
}  # fmt: skip


def body(peer: int, first: int, frames: int, checksums: list[tuple[int, int]] | None = None) -> bytes:
    zeros = array("d", bytes(8 * frames))
    return encode(
        FrameBatch(
            0, peer, first, bytes([peer] * 2 * frames), zeros, bytes(frames), bytes(2 * frames),
            array("d", bytes(16 * frames)), bytes(2 * frames), array("H", bytes(2 * frames)), checksums or [],
        )
    )  # fmt: skip


def write(data: Path, batches: list[tuple[int, int, bytes, str | None]], **game: Any) -> None:
    """Store a game with batches: peer, first frame, bytes, and another sha256 than theirs."""
    store = Store(data)
    store.execute(insert(records.games).values({**ROW, **game})).result()
    for number, (peer, first, data_of_batch, sha256) in enumerate(batches):
        row = {"game_id": GAME, "peer": peer, "number": number, "first_frame": first, "frames": 0, "utc": ""}
        known = hashlib.sha256(data_of_batch).hexdigest() if sha256 is None else sha256
        store.execute(insert(records.batches).values(**row, sha256=known, body=data_of_batch)).result()
    store.close()


def test_recording_has_the_rules_and_what_the_peers_computed(tmp_path: Path, database: str) -> None:
    desyncs = [{"reported_by": 0, "frame": 2, "peer": 1, "paths": [], "resynced_at": None}]
    write(
        tmp_path,
        [(1, 0, body(1, 0, 2, [(2, 5)]), None), (0, 0, body(0, 0, 2, [(1, 9), (2, 5)]), None)],
        verdict="divergent",
        desyncs=desyncs,
    )
    recording = read_recording(tmp_path, GAME)
    assert recording.setup == {
        "scene_index": 2,
        "seed": 7,
        "episodes": 3,
        "max_frames": 90,
        "countdown_frames": 5,
        "input_sizes": [1, 1],
    }
    assert (recording.study, recording.fps, recording.code_hash, recording.lock_hash) == ("s", 30.0, "c", "l")
    assert recording.checksums == [(1, 0, 9), (2, 0, 5), (2, 1, 5)]
    assert (recording.verdict, recording.desyncs, recording.damaged) == ("divergent", desyncs, [])
    assert recording.frames == 2
    assert sorted(recording.log.peers) == [0, 1]


def test_damaged_batches_are_named_and_left_out_and_the_game_ends_at_the_gap(tmp_path: Path) -> None:
    whole = body(0, 0, 2)
    write(
        tmp_path,
        [
            (0, 0, whole, ""),  # as data of early versions, without a sha256
            (0, 2, body(0, 2, 2), "0" * 64),
            (0, 4, b"no batch", None),
            (0, 6, body(0, 6, 2), None),
        ],
    )
    recording = read_recording(tmp_path, GAME)
    assert [(first, peer) for first, peer, _ in recording.damaged] == [(2, 0), (4, 0)]
    assert "another sha256" in recording.damaged[0][2]
    assert "batch 2" in recording.damaged[1][2]
    assert (recording.frames, recording.log.frames) == (2, 8)
    assert recording.verdict == "not yet ended"


@pytest.mark.parametrize("game_id", ["", "x", GAME[:-1], GAME.upper(), GAME + "\n", "../" + GAME])
def test_text_that_is_not_an_id_is_refused(tmp_path: Path, game_id: str) -> None:
    with pytest.raises(UsageError, match="not the id of a game"):
        read_recording(tmp_path, game_id)


def test_missing_data_games_and_frames_are_plain_errors(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no data"):
        read_recording(tmp_path, GAME)
    write(tmp_path, [])
    with pytest.raises(StoreError, match="there is no game"):
        read_recording(tmp_path, "f" * 20)
    with pytest.raises(StoreError, match="no frame was recorded"):
        read_recording(tmp_path, GAME)


def test_kept_file_is_read_if_its_hash_is_right(tmp_path: Path) -> None:
    store, sha256 = Store(tmp_path), hashlib.sha256(b"code").hexdigest()
    store.keep_file("bundles", f"{sha256}.zip", b"code")
    store.close()
    assert read_kept_file(tmp_path, "bundles", f"{sha256}.zip", sha256) == b"code"
    (tmp_path / "bundles" / f"{sha256}.zip").write_bytes(b"other")
    with pytest.raises(StoreError, match="is damaged"):
        read_kept_file(tmp_path, "bundles", f"{sha256}.zip", sha256)
    with pytest.raises(StoreError, match="is missing"):
        read_kept_file(tmp_path, "locks", "a.json", sha256)
