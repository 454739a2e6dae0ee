"""The episodes of a replayed game as Minari data sets have them: for each agent, and for all together."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from gymnasium import spaces

from coplay.data.batches import TERMINATED, TRUNCATED
from coplay.data.games.actions import decode_actions
from coplay.data.games.game_log import GameLog
from coplay.data.spaces import make_space
from coplay.errors import UsageError
from coplay.export.observations import ObservationTree, ObservedGame, slice_tree
from coplay.export.reading import StoredGame
from coplay.export.tables.game_rows import episode_seed

JOINT: Final = "joint"
"""The name of the data set of all agents, in place of an agent's name."""


@dataclass(frozen=True, slots=True)
class DatasetSpaces:
    """The spaces of a data set, with a sentence that names their agents."""

    observation: spaces.Space[Any]
    action: spaces.Space[Any]
    description: str


@dataclass(frozen=True, slots=True)
class DatasetEpisode:
    """One episode, as arguments of Minari's `EpisodeBuffer`, with its metadata."""

    buffer: dict[str, Any]
    metadata: dict[str, Any]


class GameEpisodes:
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
        label = id_part(row["label"]) or id_part(row["env"].rpartition(":")[2]) or "game"
        self._prefix = f"{id_part(row['study'])}/{label}-{row['scene']}"

    def datasets(self) -> Iterator[tuple[str, DatasetSpaces, list[DatasetEpisode]]]:
        """Yield the id of each data set, its spaces, and this game's episodes for it."""
        env = self._stored.row["env"]
        for player, agent in enumerate(self._observed.agents):
            dataset_spaces = DatasetSpaces(
                self._observation_spaces[player], self._action_spaces[player], f"Agent {agent} of {env}."
            )
            episodes = [self._episode(player, places) for places in self._observed.players[player].episodes()]
            dataset_id = f"{self._prefix}/{id_part(agent)}-v0"
            yield dataset_id, dataset_spaces, [episode for episode in episodes if episode]
        if len(self._observed.agents) > 1:
            agents = self._observed.agents
            dataset_spaces = DatasetSpaces(
                spaces.Dict(dict(zip(agents, self._observation_spaces, strict=True))),
                spaces.Dict(dict(zip(agents, self._action_spaces, strict=True))),
                f"All agents of {env}. A reward is the sum of theirs; each agent's own is in the infos.",
            )
            yield f"{self._prefix}/{JOINT}-v0", dataset_spaces, list(self._joint_episodes())

    def _episode(self, player: int, places: range) -> DatasetEpisode | None:
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
        return DatasetEpisode(buffer, self._metadata(frames[0], player))

    def _joint_episodes(self) -> Iterator[DatasetEpisode]:
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
            yield DatasetEpisode(buffer, self._metadata(frames[0], None))

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
        terminations: Any = ((flags & TERMINATED) > 0).all(axis=1)
        truncations: Any = ((flags & TRUNCATED) > 0).any(axis=1) & ~terminations
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


def id_part(text: str) -> str:
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
