"""What players saw then, before the others' inputs were there; and the page that shows it."""

import base64
import json
import subprocess
import sys
import urllib.error
import urllib.request
from array import array
from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import update
from tests.lacking import NO_PAGES, do_without

from coplay.data.batches import FrameBatch, decode, encode
from coplay.data.database import tables as records
from coplay.data.database.store import Store
from coplay.data.games.game_log import GameLog
from coplay.export.scrub.mispredictions import arrival_frames, mispredictions_of
from coplay.export.scrub.scrub_files import write_scrub_files

GAME = "0123456789abcdef0123"
CIRCLE = 2


def log_of(inputs: list[tuple[int, int]], predicted: list[bool], corrected: list[int]) -> GameLog:
    """A game of two, as player 0's browser uploaded it; what is said is about player 1's inputs."""
    frames = len(inputs)
    batch = FrameBatch(
        number=0,
        peer=0,
        first_frame=0,
        inputs=bytes(value for row in inputs for value in row),
        confirmed_at_ms=array("d", bytes(8 * frames)),
        predicted=bytes(2 * guess for guess in predicted),
        corrected_after=bytes(value for late in corrected for value in (0, late)),
        rewards=array("d", bytes(16 * frames)),
        flags=bytes(2 * frames),
        episodes=array("H", bytes(2 * frames)),
    )
    return GameLog([batch], [1, 1])


def test_inputs_come_in_order_and_wrong_guesses_say_when():
    came = arrival_frames(np.array([False, True, True, True, False]), np.array([0, 0, 3, 0, 0]))
    assert came.tolist() == [0, 2, 5, 5, 5]


def test_wrong_guess_is_what_was_last_known_until_the_input_came():
    # Player 1 goes from 7 to 8 in frame 2; that comes when frame 4 is shown.
    log = log_of([(1, 7), (2, 7), (3, 8), (4, 8), (5, 8)], [False, False, True, True, False], [0, 0, 2, 1, 0])
    found = mispredictions_of(log, 0, {0: 0, 1: 1}, [1, 1])
    assert [(guess.frame, guess.first, guess.inputs) for guess in found] == [
        (3, 2, bytes([3, 7])),
        (4, 2, bytes([3, 7, 4, 7])),
    ]


def test_right_guesses_and_own_seats_make_no_wrong_screen():
    right = log_of([(1, 7), (2, 7), (3, 7)], [False, True, True], [0, 0, 0])
    assert mispredictions_of(right, 0, {0: 0, 1: 1}, [1, 1]) == []
    own_bot = log_of([(1, 7), (2, 8)], [False, True], [0, 1])
    assert mispredictions_of(own_bot, 0, {0: 0, 1: 0}, [1, 1]) == []
    assert mispredictions_of(right, 1, {0: 0, 1: 1}, [1, 1]) == []  # never uploaded


@pytest.fixture
def late(data):
    """Player 0 had two inputs of player 1 late: the first one's frame, and how far off the guess was."""
    store, table = Store(data), records.batches
    rows = store.submit(lambda c: c.execute(table.select().where(table.c.peer == 0)).all()).result()
    batches = [decode(row.body, 2, (1, 1)) for row in rows]
    inputs = np.concatenate([np.frombuffer(batch.inputs, np.uint8) for batch in batches]).reshape(-1, 2)
    flags = np.concatenate([np.frombuffer(batch.flags, np.uint8) for batch in batches]).reshape(-1, 2)
    frame = next(
        f
        for f in range(2, len(inputs) - 3)
        if (flags[f : f + 3] == 4).all() and inputs[f, 1] == inputs[f + 1, 1] != inputs[f - 1, 1]
    )
    predicted, corrected = bytearray(len(inputs)), bytearray(2 * len(inputs))
    predicted[frame] = predicted[frame + 1] = 2
    corrected[2 * frame + 1], corrected[2 * (frame + 1) + 1] = 2, 1
    for row, batch in zip(rows, batches, strict=True):
        own = slice(batch.first_frame, batch.first_frame + batch.frames)
        late_ones = bytes(corrected[2 * own.start : 2 * own.stop])
        changed = replace(batch, predicted=bytes(predicted[own]), corrected_after=late_ones)
        here = (table.c.peer == 0) & (table.c.number == row.number)
        store.execute(update(table).where(here).values(body=encode(changed))).result()
    store.close()
    return frame, int(inputs[frame, 1]) - int(inputs[frame - 1, 1])


def right_circle(picture: dict) -> float:
    ops = array("f")
    ops.frombytes(base64.b64decode(picture["ops"]))
    values = ops.tolist()
    # clear (3 numbers), rect (8), and the first of two circles (6)
    assert values[11] == values[17] == CIRCLE
    return values[19]


def test_screen_then_is_off_by_the_guess_and_right_once_the_input_came(data, late, tmp_path):
    frame, off = late
    folder = tmp_path / "game"
    folder.mkdir()
    assert write_scrub_files(data, GAME, folder).equal
    about = json.loads((folder / "game.json").read_text())
    assert (about["frames"], about["viewers"], about["agents"]) == (120, [0, 1], ["left", "right"])
    portion = json.loads((folder / "pictures-0.json").read_text())
    assert sorted(portion["true"]["0"], key=int) == [str(number) for number in range(121)]
    shown = {int(number): picture for number, picture in portion["shown"]["0"].items()}
    assert sorted(shown) == [frame + 1, frame + 2]
    assert "1" not in portion["shown"]
    for count, number in enumerate((frame + 1, frame + 2), 1):
        truth = right_circle(portion["true"]["0"][str(number)])
        assert truth - right_circle(shown[number]) == count * off
    assert about["rtt"]["0"][0][1:] == [1, 40.0]


def test_page_and_game_are_served_to_this_machine_alone(data, tmp_path):
    words = [sys.executable, "-W", "error", "-m", "coplay", "scrub", GAME, "--data", str(data), "--no-open"]
    process = subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            said = process.communicate()[1]
            if "not built" in said:
                do_without(NO_PAGES)
            pytest.fail(said)
        address = line.split()[-1]
        assert address.startswith("http://127.0.0.1:")
        with urllib.request.urlopen(address) as answer:
            assert b"scrub" in answer.read()
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        with urllib.request.urlopen(address + "/game/game.json") as answer:
            assert json.load(answer)["game_id"] == GAME
        for path in ("/game/..%2f..%2fetc%2fpasswd", "/game/secret", "/assets/..%2fx"):
            with pytest.raises(urllib.error.HTTPError, match="404"):
                urllib.request.urlopen(address + path)
    finally:
        process.kill()
        process.communicate()
