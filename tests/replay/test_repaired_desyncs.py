"""A replay of a game with a repaired desync explains that desync, and nothing else."""

import base64
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import insert
from tests.recorded_game import FRAMES, GAME_ID, RecordedGame

from coplay.cli import main
from coplay.data.batches import FrameBatch, decode, encode
from coplay.data.database import tables as records
from coplay.data.database.store import Store
from coplay.data.games.reports import desyncs_column, read_report
from coplay.wasm.node import node_simulation

AT = 12
"""The step of this frame goes wrong. It is early, so that not the episode's end repairs the state."""
FIRST = AT + 1
SAMPLES = Path(__file__).parent / "samples"


class SpoiledGame:
    """A real game of two workers in the browsers' Python, one of which computed a wrong step.

    Args:
        recorded_game: The study, and how its games are set up.
        folder: For the code.
        player: Whose state went wrong.
    """

    def __init__(self, recorded_game: RecordedGame, folder: Path, player: int) -> None:
        self._recorded_game = recorded_game
        bundle, pages = folder / "bundle.zip", folder / "pages.zip"
        bundle.write_bytes(recorded_game.bundle.data)
        with zipfile.ZipFile(pages, "w") as archive:
            archive.write(SAMPLES / "two_pages.py", "two_pages.py")
        config = {
            **recorded_game.setup,
            "game_id": GAME_ID,
            "scene_index": 1,
            "owners": [0, 1],
            "peers": [0, 1],
            "fps": 30,
            "input_delay": 1,
            "max_prediction": 8,
            "digest": {"env": "Drift"},
            "when_left": "end",
            "on_desync": "resync",
            "ice_policy": "all",
            "epoch": 0,
        }
        with node_simulation(recorded_game.runtime, [bundle, pages], "two_pages") as simulation:
            reply = simulation.ask(config=config, spoiled=player, at=AT)
        self.reports = [read_report(body, 2) for body in reply["reports"]]
        self.rollbacks = [body["stats"]["rollbacks"] for body in reply["reports"]]
        self.batches = [decode(base64.b64decode(text), 2, (1, 1)) for _, _, text in reply["batches"]]
        self.desyncs = desyncs_column(dict(enumerate(self.reports)))
        (self.resynced_at,) = (row["resynced_at"] for row in self.desyncs if row["resynced_at"] is not None)

    def store(
        self, data: Path, edit: Callable[[FrameBatch], FrameBatch] = lambda batch: batch, **changes: Any
    ) -> None:
        """Write it down as a server would, each batch changed by `edit`, and the game's row by `changes`."""
        self._recorded_game.store(data, **{"verdict": "divergent", "desyncs": self.desyncs, **changes})
        store = Store(data)
        store.execute(records.batches.delete()).result()
        for batch in map(edit, self.batches):
            row: dict[str, Any] = {"game_id": GAME_ID, "utc": "", "sha256": "", "body": encode(batch)}
            row |= {name: getattr(batch, name) for name in ("peer", "number", "first_frame", "frames")}
            store.execute(insert(records.batches).values(row)).result()
        store.close()


@pytest.fixture(scope="module")
def spoiled_1(recorded_game: RecordedGame, tmp_path_factory: pytest.TempPathFactory) -> SpoiledGame:
    return SpoiledGame(recorded_game, tmp_path_factory.mktemp("spoiled"), 1)


@pytest.fixture(scope="module")
def spoiled_0(recorded_game: RecordedGame, tmp_path_factory: pytest.TempPathFactory) -> SpoiledGame:
    return SpoiledGame(recorded_game, tmp_path_factory.mktemp("spoiled"), 0)


def replay(data: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["replay", GAME_ID, "--data", str(data), *options])


def found(data: Path, *options: str) -> dict[str, Any]:
    answer = replay(data, "--json", *options)
    assert answer.exit_code in (0, 1), answer.stderr
    result: dict[str, Any] = json.loads(answer.stdout)
    assert result["equal"] == (answer.exit_code == 0)
    return result


def test_differences_of_a_repaired_desync_are_explained_and_reported(
    spoiled_1: SpoiledGame, tmp_path: Path
) -> None:
    assert {report.verdict for report in spoiled_1.reports} == {"divergent"}
    assert min(spoiled_1.rollbacks) > 0
    assert FIRST < spoiled_1.resynced_at < 50
    spoiled_1.store(tmp_path / "d")
    result = found(tmp_path / "d")
    assert result["equal"], result["difference"]
    assert result["frames"] == FRAMES
    (excused,) = result["excused"]
    assert (excused["frame"], excused["resynced_at"]) == (FIRST, spoiled_1.resynced_at)
    assert excused["players"] == [1, 0]
    assert "angles" in excused["paths"][0]
    # Every state of player 1 that was compared meanwhile differs, and every reward.
    wrong = {f for b in spoiled_1.batches if b.peer == 1 for f, _ in b.checksums}
    wrong = {frame for frame in wrong if FIRST <= frame <= spoiled_1.resynced_at}
    assert 1 <= excused["checksums"] <= len(wrong)
    assert excused["rows"] == spoiled_1.resynced_at - FIRST


def test_difference_after_the_repair_is_found(spoiled_1: SpoiledGame, tmp_path: Path) -> None:
    after = max(frame for batch in spoiled_1.batches for frame, _ in batch.checksums)
    assert after > spoiled_1.resynced_at

    def change(batch: FrameBatch) -> FrameBatch:
        hit = batch.peer == 1
        return replace(batch, checksums=[(f, c ^ (hit and f == after)) for f, c in batch.checksums])

    spoiled_1.store(tmp_path / "d", change)
    difference = found(tmp_path / "d")["difference"]
    assert (difference["frame"], difference["what"], difference["player_id"]) == (after, "checksum", 1)


def test_difference_during_the_desync_in_both_copies_is_found(spoiled_1: SpoiledGame, tmp_path: Path) -> None:
    frame = (FIRST + spoiled_1.resynced_at) // 2

    def change(batch: FrameBatch) -> FrameBatch:
        rewards = batch.rewards[:]
        if batch.first_frame <= frame < batch.first_frame + batch.frames:
            rewards[2 * (frame - batch.first_frame)] = 9.0
        return replace(batch, rewards=rewards)

    spoiled_1.store(tmp_path / "d", change)
    difference = found(tmp_path / "d")["difference"]
    assert (difference["frame"], difference["what"], difference["stored"]) == (frame, "reward", 9.0)


def test_unreported_desync_explains_nothing(spoiled_1: SpoiledGame, tmp_path: Path) -> None:
    spoiled_1.store(tmp_path / "d", desyncs=[])
    result = found(tmp_path / "d")
    assert (result["difference"]["frame"], result["difference"]["what"]) == (FIRST, "reward")
    assert result["excused"] == []


def test_wrong_state_that_the_repair_spread_is_found_from_the_repair_on(
    spoiled_0: SpoiledGame, tmp_path: Path
) -> None:
    spoiled_0.store(tmp_path / "d")
    answer = replay(tmp_path / "d")
    assert answer.exit_code == 1
    excused, difference = answer.stdout.splitlines()
    assert f"differed from frame {FIRST} until they were made equal at frame" in excused
    assert "angles" in excused
    # Player 1 was right, gave up its state for that of player 0, and no inputs lead to what both have then.
    assert f" frame {spoiled_0.resynced_at} differs" in difference
    assert "but for what is said above" in difference
