"""Collects the observations and infos that an environment returns while a game is replayed.

A game keeps only its last observations, and an episode's last ones are lost when the next episode begins in
the same frame. A replay therefore puts a proxy between the game and the environment.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from coplay.envs import Environment


class Answer(NamedTuple):
    """The result of one `reset` or `step`."""

    frame: int
    """The frame that was being played; 0 before the first."""
    reset: bool
    """True for `reset`, False for `step`."""
    observations: tuple[Any, ...]
    """By player; None for an agent that is absent."""
    infos: tuple[Any, ...]
    """By player; None for an agent that is absent."""


class EnvironmentListener:
    """Records what an environment returns from now on.

    Args:
        environment: Its `env` is replaced by a proxy; the walk over its state already holds the original.

    Attributes:
        frame: The frame that is being played; to be set by the caller.
    """

    def __init__(self, environment: Environment) -> None:
        self.frame = 0
        self._agents = environment.agents
        self._answers: list[Answer] = []
        self._several = hasattr(environment.env, "possible_agents")
        environment.env = _EnvironmentProxy(environment.env, self)

    def take(self) -> list[Answer]:
        """Return all answers since the last call."""
        answers, self._answers = self._answers, []
        return answers

    def add(self, *, reset: bool, observations: Any, infos: Any) -> None:
        """Record one answer of the environment.

        Args:
            reset: True for the answer to `reset`, False for that to `step`.
            observations: As the environment returned them: keyed by agent if it has several.
            infos: As the environment returned them, likewise.
        """
        frame = self.frame
        if not self._several:
            self._answers.append(Answer(frame, reset, (_copied(observations),), (_plain(infos),)))
            return
        seen = tuple(_copied(observations.get(agent)) for agent in self._agents)
        said = tuple(_plain(infos.get(agent)) for agent in self._agents)
        self._answers.append(Answer(frame, reset, seen, said))


class _EnvironmentProxy:
    """An environment whose `reset` and `step` are recorded."""

    def __init__(self, env: Any, listener: EnvironmentListener) -> None:
        self._env = env
        self._listener = listener

    def __getattr__(self, name: str) -> Any:
        return getattr(self._env, name)

    def reset(self, **options: Any) -> Any:
        observations, infos = answer = self._env.reset(**options)
        self._listener.add(reset=True, observations=observations, infos=infos)
        return answer

    def step(self, action: Any) -> Any:
        answer = self._env.step(action)
        self._listener.add(reset=False, observations=answer[0], infos=answer[4])
        return answer


def as_columns(answers: Sequence[Answer], players: int) -> list[dict[str, Any]]:
    """Return answers as JSON, in columns per player.

    Returns:
        By player: `frames` and `resets` of the answers in which that player was present, their `infos` as
        JSON texts, and `observations` as `packed` returns them.
    """
    columns = []
    for player in range(players):
        here = [answer for answer in answers if answer.observations[player] is not None]
        columns.append(
            {
                "frames": [answer.frame for answer in here],
                "resets": [answer.reset for answer in here],
                "infos": [json.dumps(answer.infos[player] or {}) for answer in here],
                "observations": packed([answer.observations[player] for answer in here]),
            }
        )
    return columns


def packed(values: Sequence[Any]) -> dict[str, Any]:
    """Pack observations of one space, leaf by leaf.

    Returns:
        `{"dict": {key: packed}}`, `{"tuple": [packed]}`, `{"array": base64, "dtype", "shape"}` with the
        values along the first axis, or `{"json": [values]}` for any other type.
    """
    first = values[0] if values else None
    if isinstance(first, Mapping):
        return {"dict": {str(key): packed([value[key] for value in values]) for key in first}}
    if isinstance(first, tuple):
        return {"tuple": [packed([value[place] for value in values]) for place in range(len(first))]}
    try:
        array = np.stack([np.asarray(value) for value in values]) if values else np.zeros(0)
    except ValueError:  # of different shapes
        return {"json": [_plain(value) for value in values]}
    if array.dtype.kind not in "biuf":
        return {"json": [_plain(value) for value in values]}
    array = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    data = base64.b64encode(array.tobytes()).decode("ascii")
    return {"array": data, "dtype": array.dtype.str, "shape": list(array.shape)}


def _copied(observation: Any) -> Any:
    """Copy an observation, as an environment may write into the same array in its next step."""
    match observation:
        case np.ndarray():
            return observation.copy()
        case Mapping():
            return {key: _copied(value) for key, value in observation.items()}
        case tuple():
            return tuple([_copied(value) for value in observation])
        case _:
            return observation


def _plain(value: Any) -> Any:
    """Return a value as JSON has it; values that JSON cannot express become their `repr`."""
    match value:
        case None | bool() | str() | int():
            return value
        case float():
            return value if value - value == 0 else repr(value)  # JSON has no infinity
        case np.ndarray() | np.generic():
            return _plain(value.tolist())
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(item) for item in value]
        case _:
            return repr(value)
