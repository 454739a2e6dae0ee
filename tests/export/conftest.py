"""A data directory as a server leaves it, with people, groups, events, answers and a game played in the real
runtime."""

import base64
import random
from array import array
from pathlib import Path
from typing import Any, ClassVar

import pytest
from sqlalchemy import insert
from tests.lacking import NO_NODE, do_without

from coplay.data.batches import FrameBatch, encode
from coplay.data.database import tables as records
from coplay.data.database.store import DATABASE_VARIABLE, Store
from coplay.errors import RuntimeUnavailableError
from coplay.replay.replay import PROGRAM
from coplay.runtime import Bundle, Runtime, build_bundle, ensure_runtime, find_node
from coplay.wasm.node import node_simulation

GAMES = ("0123456789abcdef0123", "fedcba9876543210fedc")
FRAMES = 120

STUDY = '''
import numpy as np
from gymnasium import spaces
from pettingzoo import ParallelEnv

import coplay
from coplay import keys, scenes


class Meet(ParallelEnv):
    """Two walk on a line; an episode ends when they meet."""

    metadata = {"name": "meet_v0", "render_fps": 30}
    render_mode = "rgb_array"

    def __init__(self):
        self.possible_agents = ["left", "right"]

    def action_space(self, agent):
        return spaces.Discrete(3)

    def observation_space(self, agent):
        return spaces.Dict({"places": spaces.Box(-50, 50, (2,), np.float32), "turn": spaces.Discrete(1000)})

    def reset(self, seed=None, options=None):
        self.agents = self.possible_agents[:]
        start = np.random.default_rng(seed).integers(3, 6)
        self.places = np.array([-start, start], np.float32)
        self.turn = 0
        return self._seen(), {agent: {"start": start} for agent in self.agents}

    def step(self, actions):
        self.turn += 1
        self.places += [actions["left"] - 1, actions["right"] - 1]
        met = bool(self.places[0] >= self.places[1])
        rewards = {agent: 1.0 if met else -0.25 for agent in self.agents}
        ended, no = dict.fromkeys(self.agents, met), dict.fromkeys(self.agents, False)
        infos = {agent: {"gap": self.places[1] - self.places[0]} for agent in self.agents}
        seen = self._seen()
        if met:
            self.agents = []
        return seen, rewards, ended, no, infos

    def render(self):
        picture = np.full((24, 100, 3), 20, np.uint8)
        for place, color in zip(self.places, ([230, 159, 0], [86, 180, 233])):
            at = int(50 + place)
            picture[8:16, max(0, at - 2) : at + 2] = color
        return picture

    def _seen(self):
        return {agent: {"places": self.places, "turn": self.turn} for agent in self.possible_agents}


def draw(env, canvas):
    canvas.view(100, 50)
    canvas.clear("#10243e")
    canvas.rect(0, 24, 100, 2, "rgba(255, 255, 255, 0.3)", radius=1)
    for place, color, agent in zip(env.places, ("#e69f00", "#56b4e9"), env.possible_agents):
        canvas.circle(50 + place, 25, 3, color, id=agent)
    canvas.polygon([(48, 48), (52, 48), (50, 44)], "tomato")
    canvas.text(50, 8, f"<{canvas.player_id}> & {env.turn}", 6, "white", align="center", bold=True)


controls = keys.arrows(noop=1, left=0, right=2)
study = coplay.Study("meeting", version="3")
study.scenes = [
    scenes.Lobby(size=2),
    scenes.Play(Meet, keys=controls, draw=draw),
    scenes.Play(Meet, keys=controls),
    scenes.Finish("Bye"),
]
'''


@pytest.fixture(autouse=True)
def own_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DATABASE_VARIABLE, raising=False)


@pytest.fixture(scope="session")
def runtime() -> Runtime:
    if find_node() is None:
        do_without(NO_NODE)
    try:
        return ensure_runtime()
    except RuntimeUnavailableError as error:
        do_without(f"{error.message}. {error.hint}")


class Meeting:
    """A study of which games can be stored; each is played once in the browsers' Python.

    Args:
        runtime: Where.
        folder: For the study.
    """

    setup: ClassVar[dict[str, Any]] = {"seed": 77, "episodes": 4, "max_frames": 25, "countdown_frames": 6}

    def __init__(self, runtime: Runtime, folder: Path) -> None:
        study = folder / "meeting.py"
        study.write_text(STUDY)
        self.runtime = runtime
        self.bundle: Bundle = build_bundle(study, runtime)
        code = folder / "code.zip"
        code.write_bytes(self.bundle.data)
        source = random.Random(5)
        self.inputs = bytes(source.choice((1, 2, 2) if i % 2 == 0 else (0, 0, 1)) for i in range(2 * FRAMES))
        order = {**self.setup, "scene_index": 1, "input_sizes": [1, 1]}
        with node_simulation(runtime, [code], PROGRAM) as simulation:
            simulation.ask(do="begin", modules=["study"], study="meeting", **order)
            inputs = base64.b64encode(self.inputs).decode()
            self.reply = simulation.ask(do="step", inputs=inputs, checksums=list(range(FRAMES + 1)))

    def store(
        self,
        data: Path,
        game_id: str = GAMES[0],
        *,
        people: tuple[str, str] = ("ada", "bob"),
        scene: int = 1,
        frames: int = FRAMES,
        **changes: Any,
    ) -> None:
        """Write a game and its people down as a server would; who is there already stays as they are."""
        store = Store(data)
        store.keep_file("bundles", f"{self.bundle.sha256}.zip", self.bundle.data)
        store.keep_file("locks", f"{self.runtime.lock_hash}.json", self.runtime.lock.to_bytes())
        for place, who in enumerate(people):
            self._add_person(store, who, place)
        members = {"group_id": f"g-{game_id}", "study": "meeting", "scene": 0, "members": list(people)}
        formed = {"formed_utc": "2026-01-01T00:01:00.000+00:00", "formed_ms": 60_000.0}
        store.execute(insert(records.groups).values({**members, **formed})).result()
        store.execute(insert(records.games).values({**self.row(game_id, people, scene), **changes})).result()
        for peer in (0, 1):
            for number, first in enumerate(range(0, frames, 30)):
                self.add_batch(store, game_id, peer, number, first, min(30, frames - first))
            report = {"verdict": "identical", "last_frame": frames - 1, "chain_hash": "ab", "delay": 2}
            row = {"game_id": game_id, "peer": peer, "utc": "", "body": report}
            store.execute(insert(records.reports).values(row)).result()
        store.close()

    def row(self, game_id: str, people: tuple[str, str], scene: int) -> dict[str, Any]:
        """The game's row."""
        return {
            "game_id": game_id,
            "group_id": f"g-{game_id}",
            "study": "meeting",
            "version": "3",
            "scene": scene,
            "label": "meet",
            "seats": [{"player_id": p, "participant_id": who, "owner": p} for p, who in enumerate(people)],
            "input_sizes": [1, 1],
            "codecs": [{"kind": "Discrete", "n": 3, "start": 0}] * 2,
            "env": "Meet",
            "code_hash": self.bundle.sha256,
            "lock_hash": self.runtime.lock_hash,
            "fps": 30.0,
            "window": 8,
            **self.setup,
            "started_utc": "2026-01-01T00:02:00.000+00:00",
            "started_ms": 120_000.0,
            "ended_utc": "2026-01-01T00:03:00.000+00:00",
            "ended_ms": 180_000.0,
            "frames": FRAMES,
            "verdict": "identical",
            "verdict_reason": "all peers reported the same chain",
            "left_early": [],
        }

    def _add_person(self, store: Store, who: str, place: int) -> None:
        table = records.participants
        if store.submit(
            lambda c: c.execute(table.select().where(table.c.participant_id == who)).all()
        ).result():
            return
        row = {
            "study": "meeting",
            "participant_id": who,
            "version": "3",
            "condition": {"color": "red"} if place else {"color": "blue"},
            "arrived_utc": "2026-01-01T00:00:00.000+00:00",
            "arrived_ms": 0.0,
            "finished_utc": "2026-01-01T00:04:00.000+00:00",
            "finished_ms": 240_000.0,
            "ended_how": "completed",
            "browser": f"Browser of {who}",
            "secret_hash": "0" * 64,
            "scene": 3,
        }
        store.execute(insert(table).values(row)).result()
        link = {
            "study": "meeting",
            "participant_id": who,
            "utc": "",
            "params": {"PROLIFIC_PID": f"prolific-{who}"},
        }
        store.execute(insert(records.recruitment).values(link)).result()
        event = {"study": "meeting", "participant_id": who, "utc": "2026-01-01T00:00:00.000+00:00", "ms": 1.0}
        store.execute(insert(records.events).values({**event, "kind": "joined", "detail": {}})).result()

    def add_batch(self, store: Store, game_id: str, peer: int, number: int, first: int, frames: int) -> None:
        """One batch as a browser uploads it."""
        rewards, episodes = array("d"), array("H")
        rewards.frombytes(base64.b64decode(self.reply["rewards"]))
        episodes.frombytes(base64.b64decode(self.reply["episodes"]))
        end = first + frames
        last = end if end < FRAMES else FRAMES + 1
        batch = FrameBatch(
            number=number,
            peer=peer,
            first_frame=first,
            inputs=self.inputs[2 * first : 2 * end],
            confirmed_at_ms=array("d", [1000 / 30 * frame for frame in range(first, end)]),
            predicted=bytes([1 << (1 - peer) if frame % 3 == 0 else 0 for frame in range(first, end)]),
            corrected_after=bytes(2 * frames),
            rewards=rewards[2 * first : 2 * end],
            flags=base64.b64decode(self.reply["flags"])[2 * first : 2 * end],
            episodes=episodes[first:end],
            checksums=[(f, int(text, 16)) for f, text in self.reply["checksums"] if first <= f < last],
            net=[self._net(peer, first)],
            events=[{"utc": "2026-01-01T00:02:01.000Z", "t_ms": 1.0 * first, "kind": "shown", "detail": {}}],
        )
        row = {"game_id": game_id, "peer": peer, "number": number, "first_frame": first, "frames": frames}
        body = encode(batch)
        store.execute(insert(records.batches).values(**row, utc="", sha256="", body=body)).result()

    def _net(self, peer: int, first: int) -> dict[str, Any]:
        link = {"rtt_ms": 40.0 + first, "jitter_ms": 2.0, "loss": 0.0, "link": "direct"}
        counts = {"rollbacks": 3 * peer, "resimulated_frames": 5, "stalled_frames": 1, "packets_sent": 30}
        return {
            "utc": "2026-01-01T00:02:01.000Z",
            "t_ms": 1000.0 + first,
            "peers": {str(1 - peer): link},
            **counts,
            "bytes_sent": 600,
            "buffered_amount": 0,
        }


@pytest.fixture(scope="session")
def meeting(runtime: Runtime, tmp_path_factory: pytest.TempPathFactory) -> Meeting:
    return Meeting(runtime, tmp_path_factory.mktemp("meeting"))


@pytest.fixture
def data(meeting: Meeting, tmp_path: Path) -> Path:
    """A data directory with one game of two people."""
    meeting.store(tmp_path / "data")
    return tmp_path / "data"
