"""The checksum of a snapshot: 64 bits of BLAKE2b over a canonical, typed encoding.

The encoding is a list of plain values, written by `marshal` in its version 2: one C call, every value with
its type, floats bit for bit, no back references, the same bytes in every process. A reference to a holder is
written as its position in the walk. `hash()` is never used: it differs between processes.

What only drawing touches must not count, since a headless peer never draws: an attribute that is None or a
drawing object is written as if it were absent, so `screen = None` and `screen = <Surface>` are one state.
"""

from __future__ import annotations

import enum
import functools
import marshal
import types
from collections.abc import Callable
from hashlib import blake2b
from itertools import compress, count
from operator import attrgetter, is_not
from typing import Any

import numpy as np

from coplay.envs.kinds.instances import INSTANCE
from coplay.envs.kinds.numbers import ARRAY
from coplay.envs.kinds.references import TUPLE
from coplay.envs.kinds.registry import DRAWING, KINDS, MISSING, PLAIN, Kind
from coplay.envs.state.plain_tables import PlainTable
from coplay.envs.state.snapshot import Snapshot, kind_now

_MASK = (1 << 64) - 1
_UNNUMBERED = (TUPLE, DRAWING)
_MARK = ...  # begins every tuple that stands for something else; never a value by itself
_READABLE_MODULES = frozenset({"datetime", "decimal", "fractions", "uuid", "pathlib", "builtins", "numpy"})
Canonical = Callable[[Any], Any]


def digest(snapshot: Snapshot, extra: object = None) -> int:
    """Give the 64-bit checksum of a snapshot.

    The digests of the plan's members are summed up, so that those that have not changed since it was made
    need no look; then comes what is in the state since.

    Args:
        snapshot: What to sum up.
        extra: Plain values that belong to the state as well.
    """
    plan = snapshot.plan
    canonical = _canonical_by(plan.numbers, _later_positions(snapshot))
    digests = plan.digests
    if digests is None:
        first = _canonical_by(plan.numbers, {})
        members = zip(plan.members, plan.contents, strict=True)
        plan.encodings = [_encoded(kind, obj, saved, first) for (kind, obj), saved in members]
        plan.digests = digests = list(map(_digest_of_member, range(len(plan.members)), plan.encodings))
    if plan.still_sum is None:
        plan.still_sum = sum(digests) - sum([digests[place] for place in plan.lively])
    total = plan.still_sum
    contents = snapshot.contents
    for place, kind, obj, first_contents in plan.rows:
        saved = contents[place]
        if saved is first_contents:
            total += digests[place]
        elif kind is INSTANCE:
            encoding = _changed_instance(plan.encodings[place][1], first_contents, saved, canonical)
            total += _digest_of_member(place, (type(obj).__qualname__, encoding))
        else:
            total += _digest_of_member(place, _encoded(kind, obj, saved, canonical))
    out = [extra, total & _MASK]
    _encode_later(snapshot, canonical, out)
    return int.from_bytes(blake2b(marshal.dumps(out, 2), digest_size=8).digest(), "little")


def _changed_instance(encoding: dict[str, Any], first: Any, saved: Any, canonical: Canonical) -> Any:
    """Encode attributes, of which most are what they were when the plan was made."""
    if len(first) != len(saved) or list(first) != list(saved):
        return _encode_instance(saved, canonical)
    encoding = encoding.copy()
    for name in compress(saved, map(is_not, saved.values(), first.values())):
        value = saved[name]
        plain = value if type(value) in PLAIN else canonical(value)
        if plain is None or name not in encoding:  # the order of those that are not None is another
            return _encode_instance(saved, canonical)
        encoding[name] = plain
    return encoding


def encode(snapshot: Snapshot, extra: object = None) -> bytes:
    """Give the canonical bytes of a snapshot."""
    canonical = _canonical_by(snapshot.plan.numbers, _later_positions(snapshot))
    members = zip(snapshot.plan.members, snapshot.contents, strict=True)
    out: list[Any] = [extra, [_encoded(kind, obj, saved, canonical) for (kind, obj), saved in members]]
    _encode_later(snapshot, canonical, out)
    return marshal.dumps(out, 2)


def _later_positions(snapshot: Snapshot) -> dict[int, int]:
    """Number what is in the state since the plan was made."""
    # Whether two equal tuples are one is an accident of the code that made them, and does not count; nor does
    # what only a peer that draws has.
    later = [key for key, obj in snapshot.met.items() if KINDS[type(obj)] not in _UNNUMBERED]
    return dict(zip(later, count(len(snapshot.plan.numbers)), strict=False))


def _digest_of_member(place: int, encoding: Any) -> int:
    return int.from_bytes(blake2b(marshal.dumps((place, encoding), 2), digest_size=8).digest(), "little")


def _encoded(kind: Kind, obj: Any, saved: Any, canonical: Canonical) -> Any:
    kind = kind_now(kind, obj, saved)
    return type(obj).__qualname__, None if kind.restore is None else _ENCODERS[kind.name](saved, canonical)


def _encode_later(snapshot: Snapshot, canonical: Canonical, out: list[Any]) -> None:
    arrays: list[Any] = []
    for kind, obj, saved in snapshot.later:
        if kind is ARRAY and not saved.dtype.hasobject:
            arrays.append(saved)
        else:
            out.append(type(obj).__qualname__)
            out.append(_ENCODERS[kind.name](saved, canonical))
    out += map(_array_type, arrays)
    out += map(_array_shape, arrays)
    out += map(_array_bytes, arrays)


_array_type = attrgetter("dtype.char")
_array_shape = attrgetter("shape")
_array_bytes = np.ndarray.tobytes


def _canonical_by(numbers: dict[int, int], later: dict[int, int]) -> Canonical:
    """Make the function that gives, for any value that something holds, the plain value that stands for
    it."""

    def canonical(value: Any) -> Any:
        cls = type(value)
        if cls in PLAIN:
            return value
        if cls is tuple:
            return tuple([v if type(v) in PLAIN else canonical(v) for v in value])
        key = id(value)
        position = numbers[key] if key in numbers else later.get(key)
        if position is not None:
            return _MARK, position, value.__qualname__ if isinstance(value, _NAMED) else None
        kind = KINDS.get(cls)
        if kind is TUPLE:
            return _MARK, cls.__qualname__, _encode_tuple(value, canonical)
        if kind is DRAWING:
            return None
        if isinstance(value, np.generic):
            return _MARK, value.dtype.str, value.tobytes()
        return _constant(value, canonical)

    return canonical


def _encode_tuple(value: Any, canonical: Canonical) -> Any:
    return _sorted(value, canonical) if isinstance(value, frozenset) else tuple(map(canonical, value))


_NAMED = (types.FunctionType, types.BuiltinFunctionType)


def _constant(value: Any, canonical: Canonical) -> Any:
    """Give what stands for an atom that marshal does not know."""
    cls = type(value)
    if isinstance(value, enum.Enum):
        return _MARK, cls.__qualname__, value.name
    if isinstance(value, type):
        return _MARK, value.__module__, value.__qualname__
    if isinstance(value, functools.partial):
        return _MARK, "partial", canonical(value.func)
    if isinstance(value, str):
        return _MARK, cls.__qualname__, str.__str__(value)
    for base in (int, float, complex, bytes):
        if isinstance(value, base):
            plain: Any = base
            return _MARK, cls.__qualname__, plain(value)
    if cls.__module__ in _READABLE_MODULES and " at 0x" not in (text := repr(value)):
        return _MARK, cls.__qualname__, text
    return _MARK, cls.__qualname__


def _sorted(values: Any, canonical: Canonical) -> list[bytes]:
    """A set's elements in an order that no history has a part in."""
    return sorted(marshal.dumps(canonical(value), 2) for value in values)


def _encode_instance(attributes: dict[str, Any], canonical: Canonical) -> Any:
    return {
        name: plain
        for name, value in attributes.items()
        if (plain := value if type(value) in PLAIN else canonical(value)) is not None
    }


def _encode_dict(contents: dict[Any, Any], canonical: Canonical) -> Any:
    return {
        key if type(key) in PLAIN else canonical(key): value if type(value) in PLAIN else canonical(value)
        for key, value in contents.items()
    }


def _encode_sequence(contents: Any, canonical: Canonical) -> Any:
    return [value if type(value) in PLAIN else canonical(value) for value in contents]


def _encode_array(array: Any, canonical: Canonical) -> Any:
    elements = _encode_sequence(array.flat, canonical) if array.dtype.hasobject else array.tobytes()
    return array.dtype.str, array.shape, elements


def _encode_cell(contents: Any, canonical: Canonical) -> Any:
    return None if contents is MISSING else canonical(contents)


def _encode_generator(state: Any, _canonical: Canonical) -> Any:
    """A generator's state: nested dicts and tuples of numbers and arrays."""
    if isinstance(state, dict):
        return {
            key: value if type(value) in PLAIN else _encode_generator(value, _canonical)
            for key, value in state.items()
        }
    if isinstance(state, np.ndarray):
        return state.tobytes()
    return state.item() if isinstance(state, np.generic) else state


def _encode_buffer(contents: Any, _canonical: Canonical) -> Any:
    return bytes(contents)


def _encode_space(_generator: Any, _canonical: Canonical) -> Any:
    # Saved, but not counted: whoever samples actions for a bot draws from a space on one peer only.
    return None


def _encode_bulk(bulk: PlainTable, _canonical: Canonical) -> Any:
    if bulk.digest is None:
        contents = bulk.contents()
        canonical = _canonical_by(dict(zip(contents, range(len(contents)), strict=True)), {})
        encoded = [
            _encode_dict(held, canonical) if type(held) is dict else _encode_sequence(held, canonical)
            for held in contents.values()
        ]
        bulk.digest = blake2b(marshal.dumps(encoded, 2), digest_size=8).digest()
    return bulk.digest


_ENCODERS: dict[str, Callable[[Any, Canonical], Any]] = {
    "object": _encode_instance,
    "dict": _encode_dict,
    "list": _encode_sequence,
    "deque": _encode_sequence,
    "array": _encode_array,
    "cell": _encode_cell,
    "set": _sorted,
    "table": _encode_bulk,
    "namespace": _encode_sequence,
    "generator": _encode_generator,
    "buffer": _encode_buffer,
    "space": _encode_space,
}


def _encode_slotted(content: Callable[[Any, Canonical], Any] | None) -> Callable[[Any, Canonical], Any]:
    def encode_slotted(saved: Any, canonical: Canonical) -> Any:
        values, attributes, inner = saved
        return (
            [None if value is MISSING else canonical(value) for value in values],
            None if attributes is None else _encode_instance(attributes, canonical),
            None if content is None else content(inner, canonical),
        )

    return encode_slotted


_ENCODERS |= {f"slotted {name}": _encode_slotted(encoder) for name, encoder in _ENCODERS.items()}
_ENCODERS["slotted"] = _encode_slotted(None)
