"""A game played in the real runtime, and written to a data directory as a server would."""

import base64
import random
from array import array
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import insert

from coplay.data.batches import FrameBatch, encode
from coplay.data.database import tables as records
from coplay.data.database.store import Store
from coplay.replay.replay import PROGRAM
from coplay.runtime import Bundle, Runtime, build_bundle
from coplay.wasm.node import node_simulation

GAME_ID = "0123456789abcdef0123"
FRAMES = 150

STUDY = """
import math

import numpy as np
from gymnasium import spaces
from pettingzoo import ParallelEnv

import coplay
from coplay import keys, scenes


class Drift(ParallelEnv):
    metadata = {"name": "drift_v0"}
    render_mode = None

    def __init__(self):
        self.possible_agents = ["left", "right"]

    def action_space(self, agent):
        return spaces.Discrete(3)

    def observation_space(self, agent):
        return spaces.Box(-1, 1, (2,))

    def reset(self, seed=None, options=None):
        self.agents = self.possible_agents[:]
        self.generator = np.random.default_rng(seed)
        self.angles = self.generator.random(2)
        return self._seen(), {agent: {} for agent in self.agents}

    def step(self, actions):
        print("said by the environment")
        self.angles += self.generator.normal(0, 0.1, 2) + [actions["left"], actions["right"]]
        rewards = {agent: math.sin(angle) for agent, angle in zip(self.agents, self.angles)}
        no = dict.fromkeys(self.agents, False)
        return self._seen(), rewards, no, no, {agent: {} for agent in self.agents}

    def _seen(self):
        return {agent: np.sin(self.angles) for agent in self.agents}


study = coplay.Study("drifting", version="1")
study.scenes = [
    scenes.Lobby(size=2),
    scenes.Play(Drift, keys=keys.arrows(noop=0, left=1, right=2), draw=lambda env, canvas: None),
    scenes.Finish("Bye"),
]
"""


class RecordedGame:
    """A game that was played in the browsers' Python with random inputs.

    Args:
        runtime: The runtime it was played in.
        folder: Takes the study file and the code.
        study: Text of the study file.
    """

    setup: ClassVar[dict[str, Any]] = {
        "seed": 2**40 + 1,
        "episodes": 3,
        "max_frames": 40,
        "countdown_frames": 10,
    }

    def __init__(self, runtime: Runtime, folder: Path, study: str = STUDY) -> None:
        file = folder / "drifting.py"
        file.write_text(study)
        self.runtime = runtime
        self.bundle: Bundle = build_bundle(file, runtime)
        code = folder / "code.zip"
        code.write_bytes(self.bundle.data)
        source = random.Random(3)
        self.inputs = bytes(source.randrange(3) for _ in range(2 * FRAMES))
        order = {**self.setup, "scene_index": 1, "input_sizes": [1, 1]}
        with node_simulation(runtime, [code], PROGRAM) as simulation:
            simulation.ask(do="begin", modules=["study"], study="drifting", **order)
            self.reply = simulation.ask(
                do="step",
                inputs=base64.b64encode(self.inputs).decode(),
                checksums=list(range(FRAMES + 1)),
            )

    def store(self, data: Path, *, keep: bool = True, **changes: Any) -> None:
        """Write the game to a data directory as a server would.

        Args:
            data: The data directory.
            keep: Whether to store the code and the lock as well.
            changes: Columns of the game's row that are to differ.
        """
        store = Store(data)
        if keep:
            store.keep_file("bundles", f"{self.bundle.sha256}.zip", self.bundle.data)
            store.keep_file("locks", f"{self.runtime.lock_hash}.json", self.runtime.lock.to_bytes())
        row = {
            "game_id": GAME_ID,
            "group_id": None,
            "study": "drifting",
            "version": "1",
            "scene": 1,
            "label": "game",
            "seats": [{"player_id": p, "participant_id": f"p{p}", "owner": p} for p in (0, 1)],
            "input_sizes": [1, 1],
            "codecs": [{}, {}],
            "env": "Drift",
            "code_hash": self.bundle.sha256,
            "lock_hash": self.runtime.lock_hash,
            "fps": 30.0,
            "window": 8,
            **self.setup,
            "started_utc": "2026-01-01T00:00:00.000+00:00",
            "started_ms": 0.0,
            "verdict": "identical",
        }
        store.execute(insert(records.games).values({**row, **changes})).result()
        for number, first in enumerate(range(0, FRAMES, 60)):
            for peer in (0, 1):
                body = encode(self.batch(number, peer, first, min(60, FRAMES - first)))
                store.execute(
                    insert(records.batches).values(
                        game_id=GAME_ID,
                        peer=peer,
                        number=number,
                        first_frame=first,
                        frames=60,
                        utc="",
                        sha256="",
                        body=body,
                    )
                ).result()
        store.close()

    def batch(self, number: int, peer: int, first: int, frames: int) -> FrameBatch:
        """Return some frames as one peer uploads them."""
        rewards, episodes = array("d"), array("H")
        rewards.frombytes(base64.b64decode(self.reply["rewards"]))
        episodes.frombytes(base64.b64decode(self.reply["episodes"]))
        end = first + frames
        last = end if end < FRAMES else FRAMES + 1
        return FrameBatch(
            number=number,
            peer=peer,
            first_frame=first,
            inputs=self.inputs[2 * first : 2 * end],
            confirmed_at_ms=array("d", bytes(8 * frames)),
            predicted=bytes(frames),
            corrected_after=bytes(2 * frames),
            rewards=rewards[2 * first : 2 * end],
            flags=base64.b64decode(self.reply["flags"])[2 * first : 2 * end],
            episodes=episodes[first:end],
            checksums=[(f, int(text, 16)) for f, text in self.reply["checksums"] if first <= f < last],
        )
