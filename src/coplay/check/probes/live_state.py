"""A monitor of the state during play: parts that cannot be saved, NaN, agents that leave early."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from coplay.envs import Environment, FrameRow, Game
from coplay.envs.kinds.registry import ATOMS, UNWALKABLE, Namespace, kind_of
from coplay.envs.state.digest import encode
from coplay.envs.state.paths import describe, differences, find_paths

_MOST_PATHS = 20


class LiveStateMonitor:
    """Collects what stands out in the live state of an environment.

    Args:
        environment: The environment that is played.
    """

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._outside = [name for name, root in environment.roots().items() if isinstance(root, Namespace)]
        self._first: dict[str, Any] | None = None
        self._notes: dict[str, dict[str, None]] = {
            name: {} for name in ("unwalkable", "by_address", "nan", "signed_nan", "outside")
        }
        self._odd_reward: int | None = None
        self._present: set[int] = set()
        self._early = False
        self._bytes = 0

    def measure(self, game: Game) -> int:
        """Return the size of the encoded state in bytes."""
        self._bytes = len(encode(game.save().snapshot))
        return self._bytes

    def note_frame(self, frame: int, row: FrameRow) -> None:
        """Note a reward that is not finite, and agents that leave before the end.

        Args:
            frame: The frame's number.
            row: What the frame did.
        """
        if self._odd_reward is None and not all(map(math.isfinite, row.rewards)):
            self._odd_reward = frame
        present = sum(self._environment.live.present)
        if row.stepped and 0 < present < self._environment.n_players:
            self._early = True

    def note_state(self, game: Game, *, closely: bool) -> None:
        """Note what stands out in the state.

        Args:
            game: The game whose state to look at.
            closely: Whether to also compare state outside the environment with the first look; slow if the
                state is large.
        """
        roots = self._environment.roots()
        holders = _holders(roots)
        # Finding paths is slow, and nearly always there is nothing to name.
        if any(kind_of(type(holder)) is UNWALKABLE for holder in holders):
            self._note("unwalkable", game.unwalkable())
        if any(map(_is_ordered_by_address, holders)):
            self._note("by_address", (path for path, _ in find_paths(roots, _is_ordered_by_address)))
        if any(map(_nans, holders)):
            for path, holder in find_paths(roots, lambda value: bool(_nans(value))):
                self._note("nan", [path])
                if any(math.copysign(1.0, value) < 0 for value in _nans(holder)):
                    self._note("signed_nan", [path])
        if self._outside and closely:
            leaves = describe(game.save().snapshot)
            own = {path: leaf for path, leaf in leaves.items() if path.startswith(tuple(self._outside))}
            if self._first is None:
                self._first = own
            self._note("outside", differences(self._first, own))

    def report(self) -> dict[str, Any]:
        """Return everything noted: lists of paths, and `odd_reward`, `agents_leave`, `state_bytes`."""
        return {
            **{name: list(paths)[:_MOST_PATHS] for name, paths in self._notes.items()},
            "odd_reward": self._odd_reward,
            "agents_leave": self._early,
            "state_bytes": self._bytes,
        }

    def _note(self, name: str, paths: Iterable[str]) -> None:
        self._notes[name].update(dict.fromkeys(paths))


def _holders(roots: Mapping[str, Any]) -> list[Any]:
    """Return every live object that the walk over the state visits."""
    met: dict[int, Any] = {}
    stack = list(roots.values())
    while stack:
        value = stack.pop()
        if type(value) not in ATOMS and id(value) not in met:
            met[id(value)] = value
            kind_of(type(value)).save(value, stack)
    return list(met.values())


def _is_ordered_by_address(value: Any) -> bool:
    """Return True for a set of several objects that hash by memory address."""
    if not isinstance(value, set | frozenset) or len(value) < 2:
        return False
    by_address: Any = object.__hash__
    return any(type(element).__hash__ is by_address for element in value)


def _nans(value: Any) -> list[float]:
    """Return the NaNs directly inside an object."""
    if isinstance(value, np.ndarray):
        return value[np.isnan(value)].tolist() if value.dtype.kind == "f" else []
    if isinstance(value, dict):
        held: Any = value.values()
    elif isinstance(value, list | tuple):
        held = value
    else:
        held = getattr(value, "__dict__", {}).values()
    return [number for number in held if isinstance(number, float) and math.isnan(number)]
