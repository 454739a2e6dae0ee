"""Measures how fast recorded games are replayed and exported: Volley with random keys, under Node."""

import base64
import random
import time
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from sqlalchemy import insert

from bench.figures import Figures, Kind, Target
from coplay.data.batches import FrameBatch, encode
from coplay.data.database import tables as records
from coplay.data.database.store import Store
from coplay.data.games.recorded_game import read_recording
from coplay.export.tables.exporting import export_tables
from coplay.replay.replay import PROGRAM, replay_recording
from coplay.runtime import build_bundle, ensure_runtime
from coplay.wasm.node import node_simulation

SECTION: Final = "Volley, 60 Hz, one minute recorded: replayed and exported"
REPLAY = Kind("replay, as a multiple of real time", "×", Target("≥", 10.0), "every checksum compared")
CPYTHON = Kind("the same in CPython (--cpython)", "×")
OBSERVED = Kind("the same with observations", "×")
START = Kind("before the first frame: Node, Pyodide, the study", "s")
ROWS = Kind("export to Parquet, rows", "/s")
ROWS_CSV = Kind("export to Parquet and CSV, rows", "/s")

STUDY: Final = Path(__file__).resolve().parents[1] / "examples" / "volley" / "study.py"
FPS: Final = 60.0
FRAMES: Final = 3600
GAMES: Final = 20
SCENE: Final = 2


def measure_export(figures: Figures, new_folder: Callable[[str], Path]) -> None:
    """Record a game, replay it with and without observations, and export a study of such games."""
    data = new_folder("recorded")
    _record(data, new_folder("code"))
    recording = read_recording(data, f"{0:020x}")
    for kind, wishes in ((REPLAY, {}), (CPYTHON, {"cpython": True}), (OBSERVED, {"observe": True})):
        began: list[float] = []
        asked = time.perf_counter()
        replay = replay_recording(
            data, recording, opened=lambda _, began=began: began.append(time.perf_counter()), **wishes
        )
        ended = time.perf_counter()
        assert replay.equal, replay.difference
        figures.add(SECTION, kind, replay.frames / FPS / (ended - began[0]))
        if kind is REPLAY:
            figures.add(SECTION, START, began[0] - asked)
    for kind, formats in ((ROWS, "parquet"), (ROWS_CSV, "both")):
        started = time.perf_counter()
        done = export_tables(data, new_folder("tables") / "out", formats=formats)
        figures.add(SECTION, kind, sum(done.rows.values()) / (time.perf_counter() - started))


def _record(data: Path, scratch: Path) -> None:
    """Play a game under Node, and store a copy of it for each game of the study."""
    runtime = ensure_runtime()
    bundle = build_bundle(STUDY, runtime)
    code = scratch / "code.zip"
    code.write_bytes(bundle.data)
    source = random.Random(1)
    # People hold a key for about a third of a second.
    held = [[source.randrange(6) for _ in range(FRAMES // 20)] for _ in range(2)]
    inputs = bytes(held[player][frame // 20] for frame in range(FRAMES) for player in (0, 1))
    setup = {"seed": 5, "episodes": 50, "max_frames": None, "countdown_frames": 0}
    order = {**setup, "scene_index": SCENE, "input_sizes": [1, 1], "modules": ["study"], "study": "volley"}
    with node_simulation(runtime, [code], PROGRAM) as simulation:
        simulation.ask(do="begin", **order)
        text = base64.b64encode(inputs).decode("ascii")
        reply = simulation.ask(do="step", inputs=text, checksums=list(range(0, FRAMES, 30)))
    store = Store(data)
    store.keep_file("bundles", f"{bundle.sha256}.zip", bundle.data)
    store.keep_file("locks", f"{runtime.lock_hash}.json", runtime.lock.to_bytes())
    for number in range(GAMES):
        game_id = f"{number:020x}"
        _store_game(store, game_id, {**setup, "code_hash": bundle.sha256, "lock_hash": runtime.lock_hash})
        for peer in (0, 1):
            for first in range(0, FRAMES, 60):
                _store_batch(store, game_id, peer, first, inputs, reply)
    store.close()


def _store_game(store: Store, game_id: str, setup: dict[str, Any]) -> None:
    row = {
        "game_id": game_id,
        "study": "volley",
        "version": "1",
        "scene": SCENE,
        "label": "match",
        "seats": [{"player_id": p, "participant_id": f"{game_id}-{p}", "owner": p} for p in (0, 1)],
        "input_sizes": [1, 1],
        "codecs": [{"kind": "Discrete", "n": 6, "start": 0}] * 2,
        "env": "volley_env:Volley",
        "fps": FPS,
        "window": 8,
        "started_utc": "2026-01-01T00:00:00.000+00:00",
        "started_ms": 0.0,
        "verdict": "identical",
        **setup,
    }
    store.execute(insert(records.games).values(row)).result()


def _store_batch(
    store: Store, game_id: str, peer: int, first: int, inputs: bytes, reply: dict[str, Any]
) -> None:
    end = first + 60
    rewards, episodes = array("d"), array("H")
    rewards.frombytes(base64.b64decode(reply["rewards"]))
    episodes.frombytes(base64.b64decode(reply["episodes"]))
    net = {"t_ms": 1000 / 60 * end, "utc": "", "rollbacks": 1, "peers": {str(1 - peer): {"rtt_ms": 40.0}}}
    batch = FrameBatch(
        number=first // 60,
        peer=peer,
        first_frame=first,
        inputs=inputs[2 * first : 2 * end],
        confirmed_at_ms=array("d", [1000 / 60 * frame for frame in range(first, end)]),
        predicted=bytes(60),
        corrected_after=bytes(120),
        rewards=rewards[2 * first : 2 * end],
        flags=base64.b64decode(reply["flags"])[2 * first : 2 * end],
        episodes=episodes[first:end],
        checksums=[(f, int(text, 16)) for f, text in reply["checksums"] if first <= f < end],
        net=[net],
    )
    row = {"game_id": game_id, "peer": peer, "number": batch.number, "first_frame": first, "frames": 60}
    store.execute(insert(records.batches).values(**row, utc="", sha256="", body=encode(batch))).result()
