"""The observations of a recorded game's players, derived by a replay in the runtime it was played in."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from coplay.data.games.recorded_game import read_recording
from coplay.replay.replay import ReplayResult, replay_recording
from coplay.runtime import ReportProgress, silent

ObservationTree = Any
"""Many observations of one space, leaf by leaf: a numpy array whose first axis counts the observations, a
dict or a tuple of trees, or a list of plain values."""


@dataclass(slots=True)
class PlayerObservations:
    """The results that the environment returned to one player, from its first reset on.

    Attributes:
        frames: The frame of each result of a reset or step; 0 for the first reset.
        resets: For each result, whether it is that of a reset.
        infos: For each result, the info as JSON.
        tree: The observations of all results.
    """

    frames: list[int] = field(default_factory=list)
    resets: list[bool] = field(default_factory=list)
    infos: list[str] = field(default_factory=list)
    tree: ObservationTree = None

    def add(self, portion: Mapping[str, Any]) -> None:
        """Add some frames, as `coplay.browser.replaying.environment_listener` sends them."""
        if not portion["frames"]:
            return
        more = _unpacked(portion["observations"])
        self.tree = _joined(self.tree, len(self.frames), more) if self.frames else more
        self.frames += portion["frames"]
        self.resets += portion["resets"]
        self.infos += portion["infos"]

    def episodes(self) -> Iterator[range]:
        """Yield the indices of each episode's results: its reset, and the steps after it."""
        starts = [place for place, reset in enumerate(self.resets) if reset]
        for start, end in zip(starts, [*starts[1:], len(self.frames)], strict=True):
            yield range(start, end)


@dataclass(frozen=True, slots=True)
class ObservedGame:
    """A replayed game, with what its players observed.

    Attributes:
        replay: The result of the replay.
        players: The observations of each player.
        agents: The name of each player in the environment.
        spaces: Each player's observation space as `coplay.data.spaces` describes it; None if it cannot.
    """

    replay: ReplayResult
    players: tuple[PlayerObservations, ...]
    agents: tuple[str, ...]
    spaces: tuple[dict[str, Any] | None, ...]

    @property
    def frames(self) -> int:
        """The number of frames, from the first on, that the replay reproduced as recorded."""
        difference = self.replay.difference
        return self.replay.frames if difference is None else difference.frame


def observe_game(data: Path, game_id: str, *, progress: ReportProgress = silent) -> ObservedGame:
    """Replay a game and collect what its players observed.

    Args:
        data: A data directory; the study may be running.
        game_id: The id of the game.
        progress: Called with the current stage of the work, and its fraction.

    Raises:
        CoplayError: As `coplay.replay.replay.replay_game`.
    """
    described: dict[str, Any] = {}
    players: list[PlayerObservations] = []

    def watch(_first: int, reply: Mapping[str, Any]) -> None:
        for player, portion in enumerate(reply["seen"]):
            if player == len(players):
                players.append(PlayerObservations())
            players[player].add(portion)

    replay = replay_recording(
        data,
        read_recording(data, game_id),
        progress=progress,
        watch=watch,
        opened=described.update,
        observe=True,
    )
    return ObservedGame(
        replay, tuple(players), tuple(described["agents"]), tuple(described["observation_spaces"])
    )


def observation_columns(
    observed: PlayerObservations, frames: Sequence[int], until: int
) -> dict[str, pa.Array]:
    """Return the columns `observation`, `final_observation` and `info` of a player's rows of `steps`.

    Args:
        observed: The player's observations.
        frames: The frame of each row.
        until: The first frame that the replay did not reproduce; rows from there on have missing values.
    """
    steps = {frame: place for place, frame in enumerate(observed.frames) if not observed.resets[place]}
    places = [steps.get(int(frame)) if frame < until else None for frame in frames]
    last = len(observed.frames) - 1
    ends = [
        place if place is not None and (place == last or observed.resets[place + 1]) else None
        for place in places
    ]
    # A step returns the next observation; the observation before a step is in the previous result.
    before = [None if place is None else place - 1 for place in places]
    values = to_arrow(observed.tree) if observed.frames else pa.nulls(0)
    infos = pa.array(observed.infos, pa.string())
    return {
        "observation": values.take(pa.array(before, pa.int64())),
        "final_observation": values.take(pa.array(ends, pa.int64())),
        "info": infos.take(pa.array(places, pa.int64())),
    }


def to_arrow(tree: ObservationTree) -> pa.Array:
    """Return a tree as an Arrow array, in which arrays are nested lists, and dicts and tuples are structs."""
    match tree:
        case dict():
            return pa.StructArray.from_arrays([to_arrow(part) for part in tree.values()], names=list(tree))
        case tuple():
            names = [str(place) for place in range(len(tree))]
            return pa.StructArray.from_arrays([to_arrow(part) for part in tree], names=names)
        case np.ndarray():
            values = pa.array(np.ascontiguousarray(tree).reshape(-1))
            for axis in range(tree.ndim - 1, 0, -1):
                count = int(np.prod(tree.shape[:axis]))
                offsets = np.arange(count + 1, dtype=np.int32) * tree.shape[axis]
                values = pa.ListArray.from_arrays(pa.array(offsets), values)
            return values
        case _:
            return pa.array(tree)


def slice_tree(tree: ObservationTree, places: range) -> ObservationTree:
    """Return some of the observations of a tree."""
    match tree:
        case dict():
            return {key: slice_tree(part, places) for key, part in tree.items()}
        case tuple():
            return tuple(slice_tree(part, places) for part in tree)
        case _:
            return tree[places.start : places.stop]


def _unpacked(packed: Mapping[str, Any]) -> ObservationTree:
    if "dict" in packed:
        return {key: _unpacked(part) for key, part in packed["dict"].items()}
    if "tuple" in packed:
        return tuple(_unpacked(part) for part in packed["tuple"])
    if "json" in packed:
        return packed["json"]
    data = np.frombuffer(base64.b64decode(packed["array"]), packed["dtype"])
    return data.reshape(packed["shape"])


def _joined(tree: ObservationTree, length: int, more: ObservationTree) -> ObservationTree:
    match tree, more:
        case (dict(), dict()) if tree.keys() == more.keys():
            return {key: _joined(part, length, more[key]) for key, part in tree.items()}
        case (tuple(), tuple()) if len(tree) == len(more):
            return tuple(_joined(one, length, other) for one, other in zip(tree, more, strict=True))
        case (np.ndarray(), np.ndarray()) if tree.shape[1:] == more.shape[1:]:
            return np.concatenate([tree, more])
        case _:
            return [*_as_list(tree), *_as_list(more)]


def _as_list(tree: ObservationTree) -> list[Any]:
    match tree:
        case dict():
            columns = {key: _as_list(part) for key, part in tree.items()}
            return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        case tuple():
            return [list(row) for row in zip(*(_as_list(part) for part in tree), strict=True)]
        case np.ndarray():
            return list(tree.tolist())
        case _:
            return list(tree)
