"""Environments whose state only takes its form while they are played: what a newcomer has never had."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import pathlib
import types
import uuid
import weakref
from typing import Any, ClassVar

import numpy as np
from sample_environments import _Small


class Kind(enum.IntFlag):
    SMALL = 1
    QUICK = 2


class Weight(int):
    """A number of a type of its own."""


@dataclasses.dataclass
class Animal:
    name: str
    kind: Kind
    parent: Animal | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Cell:
    row: int
    column: int


class Place(tuple):
    __slots__ = ()


Pair = collections.namedtuple("Pair", "left right")


class Pack(list):
    """A list with a name."""


@dataclasses.dataclass
class Ground:
    label: str


EMPTY = Ground("empty")


class Growing(_Small):
    """Makes things of classes that it had none of at the start."""

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        result = super().reset(seed=seed)
        self.things: list[Any] = []
        self.steps = 0
        return result

    def change(self) -> float:
        self.steps += 1
        step = self.steps
        things = self.things
        match step % 20:
            case 1:
                things.append(Animal(f"a{step}", Kind.SMALL | Kind.QUICK))
                things.append(Animal("young", Kind(0), things[0]))
            case 2:
                things.append({Cell(1, step): {Cell(1, 2), Cell(2, 1)}, (1, (2, 3)): Pair(1, [step])})
            case 3:
                pack = Pack([1, 2])
                pack.name = "pack"
                things.append(pack)
                things.append(weakref.ref(pack))
            case 4:
                things.append(functools.partial(max, step, key=abs))
                things.append(lambda: step)
                things.append(self.render)
                things.append(things.append)
            case 5:
                things.append(np.random.Generator(np.random.SFC64(step)))
                things.append(np.random.RandomState(step))
            case 6:
                things.append(collections.OrderedDict(a=1, b=[2]))
                things[-1].move_to_end("a")
                things.append(collections.Counter("abca"))
                things.append(collections.defaultdict(list, x=[1]))
                things.append(collections.deque([1, 2, 3], maxlen=3))
            case 7:
                things += [Weight(3), np.float32(0.1), np.datetime64("2026-01-01"), frozenset({1, 2, "x"})]
                things += [range(3), slice(1, None), ..., int, Animal, b"\0\xff", 2**200, -0.0, float("nan")]
            case 8:
                things += [datetime.datetime(2026, 1, 2, 3, 4, 5, 6, datetime.UTC), datetime.date(2026, 1, 1)]
                things += [decimal.Decimal("1.50"), fractions.Fraction(1, 3), uuid.UUID(int=5)]
                things += [pathlib.PurePosixPath("a/b"), np.dtype("f4"), datetime.timedelta(1, 2, 3)]
            case 9:
                cycle: list[Any] = [types.SimpleNamespace(x=[1])]
                cycle.append((cycle, Place((1, 2))))
                things.append(cycle)
            case 10:
                things.append(np.array([[step], None], dtype=object))
                things.append(bytearray(b"abc"))
        return float(len(things) + self.np_random.random())


class Herd(_Small):
    """A constant that is told by its identity, and cells that share it."""

    EMPTY: ClassVar[Ground] = EMPTY

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        result = super().reset(seed=seed)
        self.cells = [EMPTY] * 6
        self.animals: dict[Cell, Animal] = {}
        self.pool: set[int] = {7 * n for n in range(6)}
        return result

    def change(self) -> float:
        place = int(self.np_random.integers(6))
        if self.cells[place] is EMPTY:
            self.cells[place] = Ground("grass")
            self.animals[Cell(0, place)] = Animal(str(place), Kind.QUICK)
        else:
            self.cells[place] = EMPTY
            del self.animals[Cell(0, place)]
        first = next(iter(self.pool))
        self.pool.discard(first)
        self.pool.add(int(self.np_random.integers(100)) * 8)
        return float(first + sum(cell is EMPTY for cell in self.cells))


class Shapes(_Small):
    """Arrays that share memory, in every way they can."""

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        result = super().reset(seed=seed)
        self.board = np.zeros((4, 5))
        self.row = self.board[1]
        self.corner = self.board[::-2, ::-1].T
        self.fortran = np.asfortranarray(np.arange(6.0).reshape(2, 3))
        self.column = self.fortran[:, 1]
        hidden = np.arange(10)
        self.hidden_head, self.hidden_tail = hidden[:6], hidden[5:]
        self.fixed = np.arange(3)
        self.fixed.setflags(write=False)
        self.wide = np.broadcast_to(self.fixed, (2, 3))
        self.nothing = np.zeros((0, 3), np.float32)
        self.zero = np.array(1.5)
        self.records = np.zeros(2, dtype=[("x", "f4"), ("n", "i2")])
        self.empty_text = np.array(["a", "bcd"])
        return result

    def change(self) -> float:
        step = float(self.np_random.random())
        self.row[int(step * 5)] += step
        self.corner[0, 0] += 1
        self.column += step
        self.hidden_tail[0] += 1
        self.zero += 0.5
        self.records["x"][0] += step
        if step < 0.3:
            self.row = self.board[int(step * 10)]
        return float(self.board.sum() + self.fortran.sum() + self.hidden_head.sum() + self.zero)
