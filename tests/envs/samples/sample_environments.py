"""Environments for these tests: small ones that use every odd kind of state, and ones that leak."""

from __future__ import annotations

import collections
import dataclasses
import enum
import itertools
import random
import time
from datetime import datetime
from random import random as drawn_by_name
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.random import default_rng
from pettingzoo import ParallelEnv


class _Small(gym.Env[Any, Any]):
    """One number out, two actions in."""

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["ansi"], "render_fps": 20}

    def __init__(self, render_mode: str | None = None) -> None:
        self.action_space = spaces.Discrete(2)
        self.observation_space = spaces.Box(-np.inf, np.inf, (1,), np.float64)
        self.render_mode = render_mode
        self.value = 0.0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        self.value = 0.0
        return np.array([self.value]), {}

    def step(self, action: Any) -> Any:
        self.value += action + self.change()
        return np.array([self.value]), self.value, False, False, {}

    def change(self) -> float:
        return 0.0

    def render(self) -> Any:
        return f"value {self.value}"


class DrawsEverywhere(_Small):
    """Randomness and clocks from every place that is not the environment's own generator."""

    def change(self) -> float:
        own = random.Random()
        draws = (
            np.random.default_rng().random(),
            default_rng().random(),
            random.random(),
            drawn_by_name(),
            random.gauss(0, 1),
            random.choice([1.0, 2.0, 3.0]),
            np.random.rand(),
            float(np.random.randint(100)),
            np.random.RandomState().rand(),
            own.random(),
            time.time() % 1000,
            time.perf_counter(),
            float(time.monotonic_ns() % 1000),
            datetime.now().timestamp() % 1000,
        )
        return float(sum(draws))


class OwnsUnseededGenerators(_Small):
    """Generators made in the constructor, which `reset` does not know."""

    def __init__(self, render_mode: str | None = None) -> None:
        super().__init__(render_mode)
        self.modern = np.random.default_rng()
        self.legacy = np.random.RandomState()
        self.python = random.Random()

    def change(self) -> float:
        return float(self.modern.random() + self.legacy.rand() + self.python.random())


class IteratesOverSet(_Small):
    """A set whose order depends on its history, and decides what happens."""

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        result = super().reset(seed=seed)
        self.pool = {8 * i for i in range(5)}
        return result

    def change(self) -> float:
        first = next(iter(self.pool))
        self.pool.discard(first)
        self.pool.add(int(self.np_random.integers(50)) * 8)
        return float(first)


class HoldsIterator(_Small):
    """State that Python cannot look into: not to be let through."""

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        self.numbers = iter(range(1_000_000))
        return super().reset(seed=seed)

    def change(self) -> float:
        return float(next(self.numbers))


_OUT_OF_REACH = itertools.count()


class CountsOutOfReach(_Small):
    """State that no walk and no stand-in reaches."""

    def change(self) -> float:
        return float(next(_OUT_OF_REACH))


_SHARED_GENERATOR = np.random.default_rng()
_shared_total = 0.0
_shared_list: list[float] = []


class KeepsStateOutside(_Small):
    """State in the module and in the class."""

    steps = 0
    seen: ClassVar[list[int]] = []

    def change(self) -> float:
        global _shared_total
        _shared_total += _SHARED_GENERATOR.random()
        KeepsStateOutside.steps += 1
        self.seen.append(self.steps)
        _shared_list.append(_shared_total)
        return _shared_total + len(_shared_list) + sum(self.seen)


class Mood(enum.Enum):
    CALM = 1
    WILD = 2


@dataclasses.dataclass(frozen=True, slots=True)
class Move:
    where: tuple[int, int]
    mood: Mood


class Slotted:
    __slots__ = ("__dict__", "count", "unset")

    def __init__(self) -> None:
        self.count = 0
        self.extra = [0]


class OddState(_Small):
    """Every kind of state at once, with aliases, cycles, views and closures."""

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        result = super().reset(seed=seed)
        self.board = np.zeros((3, 4), np.int32)
        self.row = self.board[1]
        self.shared = [1, 2]
        self.alias = self.shared
        self.cycle: dict[str, Any] = {"self": None}
        self.cycle["self"] = self.cycle
        self.recent = collections.deque([0], maxlen=3)
        self.counts: collections.defaultdict[str, int] = collections.defaultdict(int)
        self.slotted = Slotted()
        self.moves: tuple[Any, ...] = (Move((0, 0), Mood.CALM), [0])
        self.objects = np.array([[], None], dtype=object)
        self.raw = bytearray(b"abc")
        self.legacy = np.random.RandomState(3)
        self.python = random.Random(4)
        total = 0

        def add(amount: int) -> int:
            nonlocal total
            total += amount
            return total

        self.add = add
        self.draw = self.np_random.random
        self.steps = 0
        return result

    def change(self) -> float:
        self.steps += 1
        self.row[self.steps % 4] += self.steps
        self.shared.append(self.steps)
        self.cycle[f"step{self.steps}"] = self.steps
        if self.steps > 3:
            del self.cycle[f"step{self.steps - 3}"]
        self.recent.append(self.steps)
        self.counts[f"k{self.steps % 5}"] += 1
        self.slotted.count += 1
        self.slotted.extra.append(self.steps)
        if self.steps % 2:
            self.slotted.unset = self.steps
        else:
            del self.slotted.unset
        self.moves[1][0] += 1
        self.moves = (Move((self.steps, 0), Mood.WILD), self.moves[1])
        self.objects[0].append(self.steps)
        self.raw.append(self.steps % 256)
        self.late = self.steps if self.steps % 3 else None
        return float(self.draw() + self.legacy.rand() + self.python.random() + self.add(2))


class Tag(ParallelEnv[str, Any, int]):
    """Three agents; one leaves early, in some episodes."""

    metadata: ClassVar[dict[str, Any]] = {"name": "tag_v0", "render_modes": []}

    def __init__(self) -> None:
        self.possible_agents = ["red", "green", "blue"]
        self.agents: list[str] = []
        self.render_mode = None

    def action_space(self, agent: str) -> Any:
        return spaces.Discrete(4, start=1)

    def observation_space(self, agent: str) -> Any:
        return spaces.Box(0, 1, (2,), np.float64)

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        self.agents = self.possible_agents[:]
        self.generator = np.random.default_rng(seed)
        self.positions = {agent: self.generator.random(2) for agent in self.agents}
        self.steps = 0
        return dict(self.positions), {agent: {} for agent in self.agents}

    def step(self, actions: dict[str, int]) -> Any:
        assert set(actions) == set(self.agents)
        self.steps += 1
        acting = self.agents
        for agent, action in actions.items():
            self.positions[agent] += action * 0.01 + self.generator.random(2) * 0.01
        leaving = {"green"} if self.steps == 5 else set(acting) if self.steps == 12 else set()
        self.agents = [agent for agent in acting if agent not in leaving]
        return (
            {agent: self.positions[agent] for agent in acting},
            dict.fromkeys(acting, 1.0),
            {agent: agent in leaving for agent in acting},
            dict.fromkeys(acting, False),
            {agent: {} for agent in acting},
        )


def make_small() -> gym.Env[Any, Any]:
    return _Small()


def make_nothing() -> object:
    return object()


def make_failing() -> gym.Env[Any, Any]:
    raise RuntimeError("the map is missing\nsecond line")
