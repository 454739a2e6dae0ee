"""Attribute paths, which name the parts of two states that differ and the parts that cannot be seen.

This runs only when something is wrong, and is therefore written for readability, not for speed.
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
    """Return every leaf of a snapshot by its path, as (type, comparable value).

    Args:
        snapshot: The state.
    """
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
    """Return the paths whose leaves differ or that only one side has, sorted.

    Args:
        mine: Leaves of one state, from `describe`.
        theirs: Leaves of another.
    """
    paths = [path for path in {**mine, **theirs} if mine.get(path) != theirs.get(path)]
    return sorted(paths)


def find_paths(roots: Mapping[str, Any], wanted: Callable[[Any], bool]) -> list[tuple[str, Any]]:
    """Return the (path, object) pairs of the live objects that are wanted, sorted by path.

    Args:
        roots: Where to begin, by name.
        wanted: Called with each object once; returns True for those to return.
    """
    found: list[tuple[str, Any]] = []
    seen: set[int] = set()
    keep: list[Any] = []
    todo = collections.deque(roots.items())
    while todo:
        path, value = todo.popleft()
        if type(value) in ATOMS or id(value) in seen:
            continue
        seen.add(id(value))
        keep.append(value)  # temporaries included, so that no id is used twice
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
    return cls.__qualname__, getattr(value, "__qualname__", None) or _without_address(value)


Children = Iterator[tuple[str, Any]]


def _children(path: str, value: Any, saved: Any, leaves: dict[str, Leaf]) -> Children:
    """Yield (path, value) of what `value` holds; leaves of its own are added to `leaves`."""
    name = kind_of(type(value)).name
    if name.startswith("slotted"):
        values, attributes, inner = saved
        for slot, held in zip(slots_of(type(value)), values, strict=True):
            if held is not MISSING:
                yield f"{path}.{slot}", held
        yield from _attributes(path, value, attributes or {}, leaves)
        name, saved = name.removeprefix("slotted").strip(), inner
    children = _CHILDREN.get(name)
    if children is not None:
        yield from children(path, value, saved, leaves)


def _attributes(path: str, _value: Any, saved: Any, _leaves: dict[str, Leaf]) -> Children:
    for attribute, held in saved.items():
        yield f"{path}.{attribute}", held


def _dict_items(path: str, _value: Any, saved: Any, leaves: dict[str, Leaf]) -> Children:
    leaves[f"{path}.keys()"] = "keys", [_without_address(key) for key in saved]
    for key, held in saved.items():
        yield f"{path}[{key!r}]", held


def _namespace_names(path: str, value: Any, saved: Any, _leaves: dict[str, Leaf]) -> Children:
    for attribute, held in zip(value.names, saved, strict=True):
        yield f"{path}.{attribute}", held


def _cell_contents(path: str, _value: Any, saved: Any, _leaves: dict[str, Leaf]) -> Children:
    yield path, saved


def _sequence_items(path: str, _value: Any, saved: Any, leaves: dict[str, Leaf]) -> Children:
    leaves[f"len({path})"] = "int", len(saved)
    for i, held in enumerate(saved):
        yield f"{path}[{i}]", held


def _tuple_items(path: str, value: Any, _saved: Any, _leaves: dict[str, Leaf]) -> Children:
    for i, held in enumerate(value):
        yield f"{path}[{i}]", held


def _array_elements(path: str, _value: Any, saved: Any, leaves: dict[str, Leaf]) -> Children:
    leaves[f"{path}.shape"] = "shape", (saved.dtype.str, saved.shape)
    for position, held in np.ndenumerate(saved):
        yield f"{path}[{', '.join(map(str, position))}]", held


def _set_elements(path: str, _value: Any, saved: Any, leaves: dict[str, Leaf]) -> Children:
    leaves[path] = "set", sorted(map(_without_address, saved))
    for i, held in enumerate(saved):
        yield f"{path}{{{i}}}", held


def _random_state(path: str, _value: Any, saved: Any, leaves: dict[str, Leaf]) -> Children:
    leaves[f"{path} (random state)"] = "generator", str(saved)
    return iter(())


def _buffer_bytes(path: str, _value: Any, saved: Any, leaves: dict[str, Leaf]) -> Children:
    leaves[path] = "buffer", bytes(saved)
    return iter(())


def _space_generator(path: str, _value: Any, saved: Any, _leaves: dict[str, Leaf]) -> Children:
    if saved is not None:
        yield f"{path}._np_random", saved


def _references(path: str, value: Any, _saved: Any, _leaves: dict[str, Leaf]) -> Children:
    """Yield what functions, methods, partials, generators and weak references lead to."""
    stack: list[Any] = []
    kind_of(type(value)).save(value, stack)
    for held in stack:
        if type(held).__name__ == "cell":
            names = zip(value.__code__.co_freevars, value.__closure__, strict=True)
            yield next(f"{path}.<{name}>" for name, cell in names if cell is held), held
        else:
            yield path, held


_CHILDREN: dict[str, Callable[[str, Any, Any, dict[str, Leaf]], Children]] = {
    "object": _attributes,
    "dict": _dict_items,
    "namespace": _namespace_names,
    "cell": _cell_contents,
    "list": _sequence_items,
    "deque": _sequence_items,
    "tuple": _tuple_items,
    "array": _array_elements,
    "set": _set_elements,
    "generator": _random_state,
    "buffer": _buffer_bytes,
    "space": _space_generator,
    "through": _references,
}


def _without_address(value: Any) -> str:
    return repr(value).split(" at 0x")[0]
