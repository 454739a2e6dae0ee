"""`coplay replay`: a recorded game is reproduced, and every change to the record is found."""

import hashlib
import json
import platform
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import update
from tests.recorded_game import FRAMES, GAME_ID, RecordedGame

from coplay.cli import main
from coplay.data.batches import FrameBatch, decode, encode
from coplay.data.database import tables as records
from coplay.data.database.store import Store
from coplay.errors import RuntimeUnavailableError
from coplay.runtime import keep_runtime


def change_batch(data: Path, number: int, edit: Callable[[FrameBatch], FrameBatch]) -> None:
    """Change the batch of one number in the copies of both peers."""
    store, table = Store(data), records.batches
    for peer in (0, 1):
        here = (table.c.peer == peer) & (table.c.number == number)
        body = store.submit(lambda c, h=here: c.execute(table.select().where(h)).one().body).result()
        changed = encode(edit(decode(body, 2, (1, 1))))
        store.execute(update(table).where(here).values(body=changed)).result()
    store.close()


def run_replay(data: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["replay", GAME_ID, "--data", str(data), *options])


def assert_refused(data: Path, said: str, game_id: str = GAME_ID) -> None:
    answer = CliRunner().invoke(main, ["replay", game_id, "--data", str(data)])
    assert answer.exit_code == 2
    assert answer.stdout == ""
    message, hint = [line for line in answer.stderr.splitlines() if not line.endswith("…")]
    assert message.startswith("coplay: ")
    assert said in message
    assert hint.startswith("  hint: ")


def test_replayed_game_is_equal(recorded_game, tmp_path):
    recorded_game.store(tmp_path / "d")
    words = ["-W", "error", "-m", "coplay", "replay", GAME_ID, "--data", "d"]
    answer = subprocess.run(
        [sys.executable, *words], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert answer.returncode == 0, answer.stderr
    how = "(verdict identical; played in the stored runtime)"
    expected = f"coplay: {FRAMES} frames replayed, {2 * (FRAMES + 1)} checksums equal {how}\n"
    assert answer.stdout == expected
    assert len({text for _, text in recorded_game.reply["checksums"]}) == FRAMES + 1  # no state twice


def test_changed_input_is_found_at_its_frame(recorded_game, tmp_path):
    recorded_game.store(tmp_path / "d")
    frame, first = 75, 60

    def flip(batch: FrameBatch) -> FrameBatch:
        inputs = bytearray(batch.inputs)
        place = 2 * (frame - first) + 1
        inputs[place] = (inputs[place] + 1) % 3
        return replace(batch, inputs=bytes(inputs))

    change_batch(tmp_path / "d", 1, flip)
    answer = run_replay(tmp_path / "d", "--json")
    assert answer.exit_code == 1, answer.stderr
    found = json.loads(answer.stdout)
    assert found["equal"] is False
    assert found["difference"]["frame"] == frame
    assert (found["difference"]["what"], found["difference"]["player_id"]) == ("reward", 1)
    assert found["checksums"] == 2 * (frame + 1)


def test_changed_checksum_is_found_and_printed_in_a_sentence(recorded_game, tmp_path):
    recorded_game.store(tmp_path / "d")

    def change(batch: FrameBatch) -> FrameBatch:
        return replace(batch, checksums=[(f, c ^ (f == 70)) for f, c in batch.checksums])

    change_batch(tmp_path / "d", 1, change)
    answer = run_replay(tmp_path / "d")
    assert answer.exit_code == 1
    pattern = r"coplay: the state before frame 70 differs from player 0's \(.*\); what was .*\n"
    assert re.fullmatch(pattern, answer.stdout)


def test_missing_batch_is_reported_after_comparing_the_frames_before_it(recorded_game, tmp_path):
    recorded_game.store(tmp_path / "d")
    store = Store(tmp_path / "d")
    store.execute(records.batches.delete().where(records.batches.c.number == 1)).result()
    store.close()
    answer = run_replay(tmp_path / "d")
    assert answer.exit_code == 1
    said = "frame 60 is missing in the record, so the replay ends there"
    assert answer.stdout == f"coplay: {said}; what was replayed before is equal (verdict identical)\n"


def flip_bit(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :]


def change_row(data: Path, peer: int, number: int, edit: Callable[[bytes], bytes]) -> None:
    """Change the stored bytes of one batch, but not its hash."""
    store, table = Store(data), records.batches
    here = (table.c.peer == peer) & (table.c.number == number)
    body = store.submit(lambda c: c.execute(table.select().where(here)).one().body).result()
    sha256 = hashlib.sha256(body).hexdigest()
    store.execute(update(table).where(here).values(body=edit(body), sha256=sha256)).result()
    store.close()


@pytest.mark.parametrize("place", [2, 40, -1])
def test_flipped_bit_in_a_stored_batch_names_the_batch(recorded_game, tmp_path, place):
    recorded_game.store(tmp_path / "d")
    change_row(tmp_path / "d", 1, 1, lambda body: flip_bit(body, place % len(body)))
    answer = run_replay(tmp_path / "d", "--json")
    assert answer.exit_code == 1, answer.stderr
    difference = json.loads(answer.stdout)["difference"]
    assert (difference["frame"], difference["what"], difference["player_id"]) == (60, "damaged", 1)
    assert "batch 1" in difference["stored"]


def test_flipped_bit_in_one_peers_copy_is_found_although_the_other_copy_is_intact(recorded_game, tmp_path):
    recorded_game.store(tmp_path / "d")
    store, table = Store(tmp_path / "d"), records.batches
    here = (table.c.peer == 1) & (table.c.number == 0)
    body = store.submit(lambda c: c.execute(table.select().where(here)).one().body).result()
    batch = decode(body, 2, (1, 1))
    inputs = bytearray(batch.inputs)
    inputs[2 * 7] ^= 1
    changed = encode(replace(batch, inputs=bytes(inputs)))
    store.execute(update(table).where(here).values(body=changed)).result()
    store.close()
    found = json.loads(run_replay(tmp_path / "d", "--json").stdout)["difference"]
    assert (found["frame"], found["what"], found["player_id"]) == (7, "input", 1)


def test_flipped_bit_in_the_stored_code_names_the_file(recorded_game, tmp_path):
    data = tmp_path / "d"
    recorded_game.store(data)
    (file,) = (data / "bundles").iterdir()
    content = file.read_bytes()
    file.write_bytes(flip_bit(content, len(content) // 2))
    assert_refused(data, f"{file.name} is damaged")


def test_kept_runtime_is_used_and_a_flipped_bit_in_a_wheel_is_named(recorded_game, tmp_path, monkeypatch):
    data = tmp_path / "d"
    recorded_game.store(data)
    keep_runtime(data, recorded_game.runtime)
    kept = data / "runtimes" / recorded_game.runtime.lock_hash
    monkeypatch.setenv("COPLAY_CACHE", str(tmp_path / "empty"))
    assert run_replay(data).exit_code == 0
    wheel = kept / next(name for name in recorded_game.runtime.wheel_names if name.startswith("numpy"))
    content = wheel.read_bytes()
    wheel.unlink()  # it may be a hard link to the file in the cache
    wheel.write_bytes(flip_bit(content, len(content) // 2))
    monkeypatch.setattr("coplay.replay.stored_runtime.ensure_runtime", unreachable)
    answer = run_replay(data)
    assert answer.exit_code == 2
    assert f"{wheel} is not what the lock says" in answer.stderr.replace("\n", "")
    assert "cannot be made here: no network" in answer.stderr


def unreachable(*_: object, **__: object) -> None:
    raise RuntimeUnavailableError("no network", "Connect.")


@pytest.mark.parametrize("command", ["replay", "check"])
def test_help_shows_an_example(command):
    answer = CliRunner().invoke(main, [command, "--help"])
    assert answer.exit_code == 0
    assert f"coplay {command}" in answer.stdout.split("\n\n", 1)[1]


@pytest.mark.parametrize("game_id", ["f" * 20, "../../etc/passwd", "", "0" * 21])
def test_unknown_game_is_refused(recorded_game, tmp_path, game_id):
    recorded_game.store(tmp_path / "d", keep=False)
    said = "there is no game f" if game_id == "f" * 20 else "is not the id of a game"
    assert_refused(tmp_path / "d", said, game_id)


def test_missing_data_directory_is_refused_and_not_created(tmp_path):
    assert_refused(tmp_path / "gone", "there is no data in")
    assert not (tmp_path / "gone").exists()


@pytest.mark.parametrize("missing", ["bundles", "locks"])
def test_missing_or_damaged_file_is_named(recorded_game, tmp_path, missing):
    data = tmp_path / "d"
    recorded_game.store(data)
    (file,) = (data / missing).iterdir()
    file.write_bytes(b"{}")
    assert_refused(data, "is damaged")
    file.unlink()
    assert_refused(data, f"{file.name} is missing")


def test_lock_of_another_runtime_is_refused(recorded_game, tmp_path):
    other = recorded_game.runtime.lock.to_bytes().replace(b'"314.0.3"', b'"314.0.2"')
    sha256 = hashlib.sha256(other).hexdigest()
    data = tmp_path / "d"
    recorded_game.store(data, lock_hash=sha256)
    (data / "locks" / f"{sha256}.json").write_bytes(other)
    assert_refused(data, "another runtime (Pyodide 314.0.2")


def test_game_without_frames_is_refused(recorded_game, tmp_path):
    recorded_game.store(tmp_path / "d")
    store = Store(tmp_path / "d")
    store.execute(records.batches.delete()).result()
    store.close()
    assert_refused(tmp_path / "d", "no frame was recorded")


def test_replay_without_node_is_refused_with_a_hint(recorded_game, tmp_path, monkeypatch: pytest.MonkeyPatch):
    recorded_game.store(tmp_path / "d")
    monkeypatch.setattr("coplay.wasm.node.find_node", lambda: None)
    assert_refused(tmp_path / "d", "there is no Node")


def test_game_that_cpython_reproduces_needs_no_node(runtime, study_text, tmp_path, monkeypatch):
    exact = study_text.replace("math.sin(angle)", "angle").replace("np.sin(", "np.tanh(0 * ")
    RecordedGame(runtime, tmp_path, exact).store(tmp_path / "d")
    monkeypatch.setattr("coplay.wasm.node.find_node", lambda: None)
    answer = run_replay(tmp_path / "d", "--cpython", "--json")
    assert answer.exit_code == 0, answer.stderr
    found = json.loads(answer.stdout)
    assert (found["frames"], found["checksums"]) == (FRAMES, 2 * (FRAMES + 1))
    assert found["played_in"] == f"CPython {platform.python_version()}"
    assert found["cpython"] == ""


def test_game_that_cpython_does_not_reproduce_is_decided_by_the_stored_runtime(recorded_game, tmp_path):
    recorded_game.store(tmp_path / "d")  # its sines differ in the last digit
    found = json.loads(run_replay(tmp_path / "d", "--cpython", "--json").stdout)
    assert found["equal"]
    assert found["played_in"] == "the stored runtime"
    assert "computes otherwise" in found["cpython"]

    def change(batch: FrameBatch) -> FrameBatch:
        return replace(batch, checksums=[(f, c ^ (f == 20)) for f, c in batch.checksums])

    change_batch(tmp_path / "d", 0, change)
    answer = run_replay(tmp_path / "d", "--cpython")
    assert answer.exit_code == 1
    first, second = answer.stdout.splitlines()
    assert first.startswith("coplay: CPython could not settle it: ")
    assert second.startswith("coplay: the state before frame 20 differs from player 0's")


def test_code_that_cpython_cannot_run_is_replayed_in_the_stored_runtime(runtime, study_text, tmp_path):
    only_there = study_text.replace("import math\n", "import math, pyodide\n")
    RecordedGame(runtime, tmp_path, only_there).store(tmp_path / "d")
    found = json.loads(run_replay(tmp_path / "d", "--cpython", "--json").stdout)
    assert found["equal"]
    assert "pyodide" in found["cpython"]


def test_film_in_cpython_is_refused(tmp_path):
    answer = run_replay(tmp_path, "--cpython", "--gif", "game.gif")
    assert answer.exit_code == 2
    assert "hint:" in answer.stderr
