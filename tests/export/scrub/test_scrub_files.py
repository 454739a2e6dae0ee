"""The scrubber's files have what players saw before the others' inputs arrived."""

import base64
import json
from array import array
from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import update

from coplay.data.batches import decode, encode
from coplay.data.database import tables as records
from coplay.data.database.store import Store
from coplay.export.scrub.scrub_files import write_scrub_files

GAME = "0123456789abcdef0123"
CIRCLE = 2


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
