"""Games as Minari data sets for offline learning: one for each agent of a scene, and one of all together.

The `minari` package itself writes them, and reads them with `MINARI_DATASETS_PATH=OUT`.

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
"""What the data set of all agents is called, in place of an agent."""


@dataclass(frozen=True, slots=True)
class MinariSummary:
    """What a Minari export wrote."""

    episodes: dict[str, int]
    """The number of episodes, by the id of the data set."""
    left_out: dict[str, str]
    """The games that are in no data set, and why."""


def export_minari(
    data: Path, out: Path, *, overwrite: bool = False, progress: ReportProgress = silent
) -> MinariSummary:
    """Replay every game and write its episodes as Minari data sets.

    Args:
        data: A data directory; the study may be running.
        out: The folder to use as `MINARI_DATASETS_PATH`; created if it does not exist.
        overwrite: Whether data sets of the same studies may be replaced.
        progress: Called with what is being done.

    Raises:
        StoreError: There is no data in `data`.
        UsageError: `out` has data sets of the same studies, or minari is not installed.
    """
    minari = require_package("minari", "minari")
    episodes: dict[str, int] = {}
    left_out: dict[str, str] = {}
    with open_data(data) as reader:
        rows = reader.games()
        if not overwrite:
            for study in {_id_part(row["study"]) for row in rows}:
                if (out / study).exists():
                    raise UsageError(
                        f"{out / study} exists already", "Name another folder, or add --overwrite."
                    )
        with atomic_folder(out) as folder, _datasets_path(folder):
            for row in rows:
                stored = reader.game(row)
                try:
                    observed = observe_game(data, stored.game_id, progress=progress)
                    if observed.replay.difference is not None:
                        left_out[stored.game_id] = str(observed.replay.difference)
                        continue
                    game = _GameEpisodes(stored, observed)
                except CoplayError as error:
                    left_out[stored.game_id] = error.message
                    continue
                for dataset_id, dataset_spaces, added in game.datasets():
                    _add(minari, dataset_id, dataset_spaces, added)
                    episodes[dataset_id] = episodes.get(dataset_id, 0) + len(added)
    return MinariSummary(episodes, left_out)


@dataclass(frozen=True, slots=True)
class _DatasetSpaces:
    """The spaces of a data set, and a sentence that says whose they are."""

    observation: spaces.Space[Any]
    action: spaces.Space[Any]
    description: str


@dataclass(frozen=True, slots=True)
class _DatasetEpisode:
    """One episode, as arguments of Minari's `EpisodeBuffer`, with its metadata."""

    buffer: dict[str, Any]
    metadata: dict[str, Any]


class _GameEpisodes:
    """The episodes of a replayed game, for the data set of each agent and the joint one.

    Args:
        stored: The game as it was recorded.
        observed: The same game, replayed to its end without a difference.

    Raises:
        UsageError: An agent's observation space is of a kind that cannot be described.
    """

    def __init__(self, stored: StoredGame, observed: ObservedGame) -> None:
        self._stored = stored
        self._observed = observed
        self._log: GameLog = stored.log(stored.batches())
        described = [space for space in observed.spaces if space is not None]
        if len(described) < len(observed.spaces):
            raise UsageError("an observation space of the game cannot be described")
        self._observation_spaces = [make_space(space) for space in described]
        self._action_spaces = [make_space(space) for space in stored.row["codecs"]]
        # Indexed by frame: a replay ends before the first gap, so that none is left out before its frames.
        self._actions = [
            decode_actions(space, self._log.inputs_of(player))
            for player, space in enumerate(stored.row["codecs"])
        ]
        row = stored.row
        label = _id_part(row["label"]) or _id_part(row["env"].rpartition(":")[2]) or "game"
        self._prefix = f"{_id_part(row['study'])}/{label}-{row['scene']}"

    def datasets(self) -> Iterator[tuple[str, _DatasetSpaces, list[_DatasetEpisode]]]:
        """Yield the id of each data set, its spaces, and this game's episodes for it."""
        env = self._stored.row["env"]
        for player, agent in enumerate(self._observed.agents):
            dataset_spaces = _DatasetSpaces(
                self._observation_spaces[player], self._action_spaces[player], f"Agent {agent} of {env}."
            )
            episodes = [self._episode(player, places) for places in self._observed.players[player].episodes()]
            dataset_id = f"{self._prefix}/{_id_part(agent)}-v0"
            yield dataset_id, dataset_spaces, [episode for episode in episodes if episode]
        if len(self._observed.agents) > 1:
            agents = self._observed.agents
            dataset_spaces = _DatasetSpaces(
                spaces.Dict(dict(zip(agents, self._observation_spaces, strict=True))),
                spaces.Dict(dict(zip(agents, self._action_spaces, strict=True))),
                f"All agents of {env}. A reward is the sum of theirs; each agent's own is in the infos.",
            )
            yield f"{self._prefix}/{JOINT}-v0", dataset_spaces, list(self._joint_episodes())

    def _episode(self, player: int, places: range) -> _DatasetEpisode | None:
        frames = self._observed.players[player].frames[places.start + 1 : places.stop]
        if not frames:
            return None
        space = self._observation_spaces[player]
        buffer = {
            "observations": _fitted(space, slice_tree(self._observed.players[player].tree, places)),
            "actions": _stacked(
                self._action_spaces[player], [self._actions[player][frame] for frame in frames]
            ),
            "rewards": list(self._log.rewards[frames, player]),
            **self._ends(frames, [player]),
        }
        return _DatasetEpisode(buffer, self._metadata(frames[0], player))

    def _joint_episodes(self) -> Iterator[_DatasetEpisode]:
        everybody = [list(player.episodes()) for player in self._observed.players]
        for number in range(min(len(episodes) for episodes in everybody)):
            places = [episodes[number] for episodes in everybody]
            frames = sorted(
                {
                    frame
                    for player, own in enumerate(places)
                    for frame in self._observed.players[player].frames[own.start + 1 : own.stop]
                }
            )
            if not frames:
                continue
            players = range(len(places))
            rewards = self._log.rewards[frames]
            agents = self._observed.agents
            buffer = {
                "observations": {
                    agents[p]: _fitted(self._observation_spaces[p], self._filled(p, places[p], frames))
                    for p in players
                },
                "actions": {
                    agents[p]: _stacked(self._action_spaces[p], [self._actions[p][frame] for frame in frames])
                    for p in players
                },
                "rewards": list(rewards.sum(axis=1)),
                **self._ends(frames, list(players)),
                "infos": {f"reward {agents[p]}": [0.0, *rewards[:, p].tolist()] for p in players},
            }
            yield _DatasetEpisode(buffer, self._metadata(frames[0], None))

    def _filled(self, player: int, places: range, frames: Sequence[int]) -> ObservationTree:
        """Return a player's observations at some frames, repeating the last one after its agent ended."""
        own_game = self._observed.players[player]
        own = own_game.frames[places.start + 1 : places.stop]
        wanted = [places.start]
        for frame in frames:
            at = int(np.searchsorted(own, frame, side="right"))
            wanted.append(places.start + at)
        return _picked(own_game.tree, wanted)

    def _ends(self, frames: Sequence[int], players: Sequence[int]) -> dict[str, Any]:
        flags = self._log.flags[frames][:, players]
        terminations: Any = ((flags & 1) > 0).all(axis=1)
        truncations: Any = ((flags & 2) > 0).any(axis=1) & ~terminations
        # A recording that ends within an episode truncates it: Minari wants every episode to have an end.
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


def _add(
    minari: ModuleType, dataset_id: str, dataset_spaces: _DatasetSpaces, episodes: Sequence[_DatasetEpisode]
) -> None:
    from minari.data_collector import EpisodeBuffer

    buffers = [
        EpisodeBuffer(seed=e.metadata["seed"], options=e.metadata["options"], **e.buffer) for e in episodes
    ]
    if not buffers:
        return
    with warnings.catch_warnings():
        # Minari warns about missing authors and links, which a study does not have.
        warnings.simplefilter("ignore")
        if dataset_id in minari.list_local_datasets():
            dataset = minari.load_dataset(dataset_id)
            first = dataset.storage.total_episodes
            dataset.storage.update_episodes(buffers)
        else:
            first = 0
            dataset = minari.create_dataset_from_buffers(
                dataset_id,
                buffers,
                observation_space=dataset_spaces.observation,
                action_space=dataset_spaces.action,
                algorithm_name="people",
                description=f"Games that people played with coplay. {dataset_spaces.description}",
                data_format=FORMAT,
                jpeg_encoding=False,
            )
    numbers = range(first, first + len(buffers))
    dataset.storage.update_episode_metadata([e.metadata for e in episodes], numbers)


@contextmanager
def _datasets_path(folder: Path) -> Iterator[None]:
    """Make minari use `folder`, which must be absolute: minari joins a relative one twice."""
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


def _id_part(text: str) -> str:
    """Return a text in the characters that a part of a data set's id may have."""
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
    """Return observations in the types of their space; environments often return other ones."""
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
