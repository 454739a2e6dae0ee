"""Games as Minari data sets for offline learning: one for each agent of a scene, and one of all together.

They are written by the `minari` package itself, so that it reads them, with `MINARI_DATASETS_PATH=OUT`.

Source: https://minari.farama.org/content/dataset_standards/
"""

import os
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np
from gymnasium import spaces

from coplay.data.games.actions import decode_actions
from coplay.data.games.game_log import GameLog
from coplay.data.spaces import make_space
from coplay.errors import CoplayError, UsageError
from coplay.export.atomic_writing import atomic_folder
from coplay.export.observations import ObservationTree, ObservedGame, observe_game, slice_tree
from coplay.export.optional_packages import require_package
from coplay.export.reading import StoredGame, open_data
from coplay.export.tables.game_rows import episode_seed
from coplay.runtime import ReportProgress, silent

FORMAT: Final = "parquet"
JOINT: Final = "joint"


@dataclass(frozen=True, slots=True)
class MinariSummary:
    """What was written."""

    episodes: dict[str, int]
    """Episodes by data set id."""
    left_out: dict[str, str]
    """Games that are in none, and why."""


def export_minari(
    data: Path, out: Path, *, overwrite: bool = False, progress: ReportProgress = silent
) -> MinariSummary:
    """Replay every game, and write its episodes.

    Args:
        data: A data directory; the study may be running.
        out: Folder to serve as `MINARI_DATASETS_PATH`; made when missing.
        overwrite: Whether data sets of the same studies may be replaced.
        progress: Told how far it is.

    Raises:
        StoreError: There is no data in `data`.
        UsageError: `out` has such data sets, or minari is not installed.
    """
    minari = require_package("minari", "minari")
    episodes: dict[str, int] = {}
    left_out: dict[str, str] = {}
    with open_data(data) as reader:
        rows = reader.games()
        if not overwrite:
            for study in {_name(row["study"]) for row in rows}:
                if (out / study).exists():
                    raise UsageError(
                        f"{out / study} is there already", "Name another folder, or add --overwrite."
                    )
        with atomic_folder(out) as folder, _datasets_path(folder):
            for row in rows:
                stored = reader.game(row)
                try:
                    seen = observe_game(data, stored.game_id, progress=progress)
                    if seen.replay.difference is not None:
                        left_out[stored.game_id] = str(seen.replay.difference)
                        continue
                    game = _GameEpisodes(stored, seen)
                except CoplayError as error:
                    left_out[stored.game_id] = error.message
                    continue
                for name, kind, found in game.datasets():
                    _add(minari, name, kind, found)
                    episodes[name] = episodes.get(name, 0) + len(found)
    return MinariSummary(episodes, left_out)


@dataclass(frozen=True, slots=True)
class _DatasetSpaces:
    """The spaces of a data set."""

    observation: spaces.Space[Any]
    action: spaces.Space[Any]
    about: str


@dataclass(frozen=True, slots=True)
class _DatasetEpisode:
    """One episode as a data set has it, and what else is known of it."""

    buffer: dict[str, Any]
    metadata: dict[str, Any]


class _GameEpisodes:
    """A replayed game on its way into data sets.

    Raises:
        UsageError: An agent's observation space is of a kind that cannot be described.
    """

    def __init__(self, stored: StoredGame, seen: ObservedGame) -> None:
        self._stored = stored
        self._seen = seen
        self._log: GameLog = stored.log(stored.batches())
        described = [space for space in seen.spaces if space is not None]
        if len(described) < len(seen.spaces):
            raise UsageError("an observation space of the game cannot be described")
        self._observations = [make_space(space) for space in described]
        self._actions = [make_space(space) for space in stored.row["codecs"]]
        # Of every frame, whatever a gap may leave out: places are frames.
        self._decoded = [
            decode_actions(space, self._log.inputs_of(player))
            for player, space in enumerate(stored.row["codecs"])
        ]
        row = stored.row
        label = _name(row["label"]) or _name(row["env"].rpartition(":")[2]) or "game"
        self._prefix = f"{_name(row['study'])}/{label}-{row['scene']}"

    def datasets(self) -> Iterator[tuple[str, _DatasetSpaces, list[_DatasetEpisode]]]:
        """Each data set's id, its spaces, and this game's episodes of it."""
        env = self._stored.row["env"]
        for player, agent in enumerate(self._seen.agents):
            kind = _DatasetSpaces(
                self._observations[player], self._actions[player], f"Agent {agent} of {env}."
            )
            found = [self._episode(player, places) for places in self._seen.players[player].episodes()]
            yield f"{self._prefix}/{_name(agent)}-v0", kind, [episode for episode in found if episode]
        if len(self._seen.agents) > 1:
            agents = self._seen.agents
            kind = _DatasetSpaces(
                spaces.Dict(dict(zip(agents, self._observations, strict=True))),
                spaces.Dict(dict(zip(agents, self._actions, strict=True))),
                f"All agents of {env}. A reward is the sum of theirs; each agent's own is in the infos.",
            )
            yield f"{self._prefix}/{JOINT}-v0", kind, list(self._joint())

    def _episode(self, player: int, places: range) -> _DatasetEpisode | None:
        frames = self._seen.players[player].frames[places.start + 1 : places.stop]
        if not frames:
            return None
        space = self._observations[player]
        buffer = {
            "observations": _fitted(space, slice_tree(self._seen.players[player].tree, places)),
            "actions": _stacked(self._actions[player], [self._decoded[player][frame] for frame in frames]),
            "rewards": list(self._log.rewards[frames, player]),
            **self._ends(frames, [player]),
        }
        return _DatasetEpisode(buffer, self._metadata(frames[0], player))

    def _joint(self) -> Iterator[_DatasetEpisode]:
        everybody = [list(seen.episodes()) for seen in self._seen.players]
        for number in range(min(len(episodes) for episodes in everybody)):
            places = [episodes[number] for episodes in everybody]
            frames = sorted(
                {
                    frame
                    for player, own in enumerate(places)
                    for frame in self._seen.players[player].frames[own.start + 1 : own.stop]
                }
            )
            if not frames:
                continue
            players = range(len(places))
            rewards = self._log.rewards[frames]
            agents = self._seen.agents
            buffer = {
                "observations": {
                    agents[p]: _fitted(self._observations[p], self._filled(p, places[p], frames))
                    for p in players
                },
                "actions": {
                    agents[p]: _stacked(self._actions[p], [self._decoded[p][frame] for frame in frames])
                    for p in players
                },
                "rewards": list(rewards.sum(axis=1)),
                **self._ends(frames, list(players)),
                "infos": {f"reward {agents[p]}": [0.0, *rewards[:, p].tolist()] for p in players},
            }
            yield _DatasetEpisode(buffer, self._metadata(frames[0], None))

    def _filled(self, player: int, places: range, frames: Sequence[int]) -> ObservationTree:
        """A player's observations over an episode; the last one stays when the agent has gone."""
        seen = self._seen.players[player]
        own = seen.frames[places.start + 1 : places.stop]
        wanted = [places.start]
        for frame in frames:
            at = int(np.searchsorted(own, frame, side="right"))
            wanted.append(places.start + at)
        return _picked(seen.tree, wanted)

    def _ends(self, frames: Sequence[int], players: Sequence[int]) -> dict[str, Any]:
        flags = self._log.flags[frames][:, players]
        terminations: Any = ((flags & 1) > 0).all(axis=1)
        truncations: Any = ((flags & 2) > 0).any(axis=1) & ~terminations
        # Where the recording ends within an episode, that cuts it off.
        truncations[-1] |= not terminations[-1]
        return {"terminations": list(terminations), "truncations": list(truncations)}

    def _metadata(self, frame: int, player: int | None) -> dict[str, Any]:
        stored, episode = self._stored, int(self._log.episodes[frame])
        return {
            "seed": episode_seed(stored.row["seed"], episode),
            "options": {},
            "game_id": stored.game_id,
            "episode": episode,
            "first_frame": int(frame),
            "verdict": stored.row["verdict"] or "",
            "participant_id": None if player is None else stored.people.get(player),
        }


def _add(minari: ModuleType, name: str, kind: _DatasetSpaces, episodes: Sequence[_DatasetEpisode]) -> None:
    from minari.data_collector import EpisodeBuffer

    buffers = [
        EpisodeBuffer(seed=e.metadata["seed"], options=e.metadata["options"], **e.buffer) for e in episodes
    ]
    if not buffers:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about authors and links, which nobody told us
        if name in minari.list_local_datasets():
            dataset = minari.load_dataset(name)
            first = dataset.storage.total_episodes
            dataset.storage.update_episodes(buffers)
        else:
            first = 0
            dataset = minari.create_dataset_from_buffers(
                name,
                buffers,
                observation_space=kind.observation,
                action_space=kind.action,
                algorithm_name="people",
                description=f"Games that people played with coplay. {kind.about}",
                data_format=FORMAT,
                jpeg_encoding=False,
            )
    numbers = range(first, first + len(buffers))
    dataset.storage.update_episode_metadata([e.metadata for e in episodes], numbers)


@contextmanager
def _datasets_path(folder: Path) -> Iterator[None]:
    variable = "MINARI_DATASETS_PATH"
    before = os.environ.get(variable)
    os.environ[variable] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ[variable]
        else:
            os.environ[variable] = before


def _name(text: str) -> str:
    """The text as a part of a data set's id may be."""
    return re.sub(r"[^A-Za-z0-9_]+", "-", text).strip("-").lower()


def _picked(tree: ObservationTree, places: Sequence[int]) -> ObservationTree:
    match tree:
        case dict():
            return {key: _picked(part, places) for key, part in tree.items()}
        case tuple():
            return tuple(_picked(part, places) for part in tree)
        case np.ndarray():
            return tree[np.asarray(places)]
        case _:
            return [tree[place] for place in places]


def _fitted(space: spaces.Space[Any], tree: ObservationTree) -> ObservationTree:
    """Observations in the types of their space: environments often give others."""
    match space:
        case spaces.Dict() if isinstance(tree, Mapping):
            return {key: _fitted(part, tree[key]) for key, part in space.spaces.items()}
        case spaces.Tuple() if isinstance(tree, tuple):
            return tuple(_fitted(part, own) for part, own in zip(space.spaces, tree, strict=True))
        case spaces.Box() | spaces.MultiDiscrete() | spaces.MultiBinary() if isinstance(tree, np.ndarray):
            return tree.astype(space.dtype).reshape(len(tree), *space.shape)
        case spaces.Discrete() if isinstance(tree, np.ndarray):
            return tree.astype(np.int64).reshape(-1)
        case _:
            return list(tree)


def _stacked(space: spaces.Space[Any], actions: Sequence[Any]) -> Any:
    return np.asarray(actions).astype(space.dtype).reshape(len(actions), *(space.shape or ()))
