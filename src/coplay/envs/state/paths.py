"""Attribute paths: what a human needs to hear when two states differ, or when part of one cannot be seen.

Runs only when something is wrong, so it is written to be read, not to be fast.
"""

from __future__ import annotations

import collections
import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from coplay.envs.kinds.registry import ATOM, ATOMS, DRAWING, KINDS, MISSING, kind_of, slots_of
from coplay.envs.state.plain_tables import PLAIN_TABLE
from coplay.envs.state.snapshot import Snapshot

Leaf = tuple[str, object]


def describe(snapshot: Snapshot) -> dict[str, Leaf]:
    """Give every leaf of a snapshot by its path, as (type, comparable value)."""
    contents = {id(obj): saved for kind, obj, saved in snapshot.records if kind is not PLAIN_TABLE}
    for kind, _obj, saved in snapshot.records:
        if kind is PLAIN_TABLE:
            contents |= saved.contents()
    leaves: dict[str, Leaf] = {}
    seen: set[int] = set()
    todo = collections.deque(snapshot.roots.items())
    while todo:
        path, value = todo.popleft()
        if type(value) in ATOMS or kind_of(type(value)) in (ATOM, DRAWING):
            leaves[path] = _leaf(value)
            continue
        if id(value) in seen:
            continue
        seen.add(id(value))
        todo += _children(path, value, contents.get(id(value)), leaves)
    return leaves


def differences(mine: Mapping[str, Leaf], theirs: Mapping[str, Leaf]) -> list[str]:
    """Name the paths whose leaves differ, or that only one side has; deepest first in reading order."""
    paths = [path for path in {**mine, **theirs} if mine.get(path) != theirs.get(path)]
    return sorted(paths)


def find_paths(roots: Mapping[str, Any], wanted: Callable[[Any], bool]) -> list[tuple[str, Any]]:
    """Find the live objects that `wanted` says yes to, each by the first path that leads to it."""
    found: list[tuple[str, Any]] = []
    seen: set[int] = set()
    keep: list[Any] = []
    todo = collections.deque(roots.items())
    while todo:
        path, value = todo.popleft()
        if type(value) in ATOMS or id(value) in seen:
            continue
        seen.add(id(value))
        keep.append(value)
        if wanted(value):
            found.append((path, value))
        kind = kind_of(type(value))
        saved = set(value) if kind.name == "set" else kind.save(value, [])
        todo += _children(path, value, saved, {})
    return sorted(found, key=lambda pair: pair[0])


def _leaf(value: Any) -> Leaf:
    cls = type(value)
    if value is None or KINDS.get(cls) is DRAWING:
        return "nothing", None
    if isinstance(value, np.generic):
        return value.dtype.str, value.tobytes()
    if isinstance(value, float):
        return "float", struct.pack("<d", value)  # so that NaN equals itself, and 0.0 not -0.0
    if cls in (int, bool, str, bytes, complex):
        return cls.__name__, value
    return cls.__qualname__, getattr(value, "__qualname__", None) or repr(value).split(" at 0x")[0]


def _children(path: str, value: Any, saved: Any, leaves: dict[str, Leaf]) -> Iterator[tuple[str, Any]]:
    """Give what `value` holds, by path; leaves of its own go straight into `leaves`."""
    name = kind_of(type(value)).name
    if name.startswith("slotted"):
        values, attributes, inner = saved
        for slot, held in zip(slots_of(type(value)), values, strict=True):
            if held is not MISSING:
                yield f"{path}.{slot}", held
        for attribute, held in (attributes or {}).items():
            yield f"{path}.{attribute}", held
        name, saved = name.removeprefix("slotted").strip(), inner
    if name == "object":
        for attribute, held in saved.items():
            yield f"{path}.{attribute}", held
    elif name == "dict":
        leaves[f"{path}.keys()"] = "keys", [repr(key).split(" at 0x")[0] for key in saved]
        for key, held in saved.items():
            yield f"{path}[{key!r}]", held
    elif name == "namespace":
        for attribute, held in zip(value.names, saved, strict=True):
            yield f"{path}.{attribute}", held
    elif name == "cell":
        yield path, saved
    elif name in ("list", "deque"):
        leaves[f"len({path})"] = "int", len(saved)
        for i, held in enumerate(saved):
            yield f"{path}[{i}]", held
    elif name == "tuple":
        for i, held in enumerate(value):
            yield f"{path}[{i}]", held
    elif name == "array":
        leaves[f"{path}.shape"] = "shape", (saved.dtype.str, saved.shape)
        for position, held in np.ndenumerate(saved):
            yield f"{path}[{', '.join(map(str, position))}]", held
    elif name == "set":
        leaves[path] = "set", sorted(repr(held).split(" at 0x")[0] for held in saved)
        for i, held in enumerate(saved):
            yield f"{path}{{{i}}}", held
    elif name == "generator":
        leaves[f"{path} (random state)"] = "generator", str(saved)
    elif name == "buffer":
        leaves[path] = "buffer", bytes(saved)
    elif name == "space":
        if saved is not None:
            yield f"{path}._np_random", saved
    elif name == "through":
        yield from _through(path, value)


def _through(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """What functions, methods, partials, generators and weak references lead to."""
    stack: list[Any] = []
    kind_of(type(value)).save(value, stack)
    for held in stack:
        if type(held).__name__ == "cell":
            names = zip(value.__code__.co_freevars, value.__closure__, strict=True)
            yield next(f"{path}.<{name}>" for name, cell in names if cell is held), held
        else:
            yield path, held
