"""The checksum of a snapshot: 64 bits of BLAKE2b over a canonical, typed encoding.

The encoding is a list of plain values, written by `marshal` in its version 2: one C call that writes every
value with its type and floats bit for bit, without back references, the same in every process. A reference to
a holder is written as its position in the walk. `hash()` is not used, as it differs between processes.

State that only drawing changes must not count, because a headless peer never draws. An attribute that is None
or a drawing object is therefore left out, so that `screen = None` and `screen = <Surface>` are one state.

Games recorded by earlier versions contain these checksums: a change of the encoding breaks their replays.
"""

from __future__ import annotations

import enum
import marshal
import types
from collections.abc import Callable
from hashlib import blake2b
from itertools import compress, count
from operator import attrgetter, is_not
from typing import Any

import numpy as np

from coplay.envs.kinds.arrays import ARRAY
from coplay.envs.kinds.instances import INSTANCE
from coplay.envs.kinds.references import TUPLE
from coplay.envs.kinds.registry import DRAWING, KINDS, MISSING, PLAIN, Kind
from coplay.envs.state.plain_tables import PlainTable
from coplay.envs.state.snapshot import Snapshot, saved_kind

_MASK = (1 << 64) - 1
# A peer that never draws has no drawing objects, and whether two equal tuples are one object is arbitrary.
_UNNUMBERED = (TUPLE, DRAWING)
_MARK = ...  # first in each tuple that stands for something else, so that no real tuple looks like one
_READABLE_MODULES = frozenset({"datetime", "decimal", "fractions", "uuid", "pathlib", "builtins", "numpy"})
Canonical = Callable[[Any], Any]


def digest(snapshot: Snapshot, extra: object = None) -> int:
    """Return the 64-bit checksum of a snapshot.

    Each member of the plan has a digest of its place and contents. Their sum is hashed together with what was
    added since the plan was made. A sum can be corrected for the few members that changed, where a hash over
    all of them would have to read the whole state at each frame.

    Args:
        snapshot: The state.
        extra: Plain values that belong to the state as well.
    """
    plan = snapshot.plan
    canonical = _canonical_by(plan.numbers, _added_positions(snapshot))
    digests = plan.digests
    if digests is None:
        first = _canonical_by(plan.numbers, {})
        members = zip(plan.members, plan.contents, strict=True)
        plan.encodings = [_encoded(kind, obj, saved, first) for (kind, obj), saved in members]
        plan.digests = digests = list(map(_digest_of_member, range(len(plan.members)), plan.encodings))
    # The total is the same whichever members are volatile, in which peers may differ.
    if plan.stable_sum is None:
        plan.stable_sum = sum(digests) - sum([digests[place] for place in plan.volatile])
    total = plan.stable_sum
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
    _encode_added(snapshot, canonical, out)
    return int.from_bytes(blake2b(marshal.dumps(out, 2), digest_size=8).digest(), "little")


def _changed_instance(encoding: dict[str, Any], first: Any, saved: Any, canonical: Canonical) -> Any:
    """Return the encoding of attributes, most of which are what they were when the plan was made."""
    if len(first) != len(saved) or list(first) != list(saved):
        return _encode_instance(saved, canonical)
    encoding = encoding.copy()
    for name in compress(saved, map(is_not, saved.values(), first.values())):
        value = saved[name]
        plain = value if type(value) in PLAIN else canonical(value)
        if plain is None or name not in encoding:  # the attributes that count, or their order, changed
            return _encode_instance(saved, canonical)
        encoding[name] = plain
    return encoding


def encode(snapshot: Snapshot, extra: object = None) -> bytes:
    """Return the canonical bytes of a snapshot, for comparing states without a hash.

    Args:
        snapshot: The state.
        extra: Plain values that belong to the state as well.
    """
    canonical = _canonical_by(snapshot.plan.numbers, _added_positions(snapshot))
    members = zip(snapshot.plan.members, snapshot.contents, strict=True)
    out: list[Any] = [extra, [_encoded(kind, obj, saved, canonical) for (kind, obj), saved in members]]
    _encode_added(snapshot, canonical, out)
    return marshal.dumps(out, 2)


def _added_positions(snapshot: Snapshot) -> dict[int, int]:
    """Return the positions of objects that were added since the plan was made, by their ids."""
    added = [key for key, obj in snapshot.added_objects.items() if KINDS[type(obj)] not in _UNNUMBERED]
    return dict(zip(added, count(len(snapshot.plan.numbers)), strict=False))


def _digest_of_member(place: int, encoding: Any) -> int:
    return int.from_bytes(blake2b(marshal.dumps((place, encoding), 2), digest_size=8).digest(), "little")


def _encoded(kind: Kind, obj: Any, saved: Any, canonical: Canonical) -> Any:
    kind = saved_kind(kind, obj, saved)
    return type(obj).__qualname__, None if kind.restore is None else _ENCODERS[kind.name](saved, canonical)


def _encode_added(snapshot: Snapshot, canonical: Canonical, out: list[Any]) -> None:
    # Arrays come last, with one `map` for each property, which loops in C.
    arrays: list[Any] = []
    for kind, obj, saved in snapshot.added:
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


def _canonical_by(numbers: dict[int, int], added: dict[int, int]) -> Canonical:
    """Return the function that maps any value to the plain value that stands for it.

    Args:
        numbers: Positions of the plan's members, by id.
        added: Positions of the objects added since, by id.
    """

    def canonical(value: Any) -> Any:
        cls = type(value)
        if cls in PLAIN:
            return value
        if cls is tuple:
            return tuple([v if type(v) in PLAIN else canonical(v) for v in value])
        key = id(value)
        position = numbers[key] if key in numbers else added.get(key)
        if position is not None:
            return _MARK, position, value.__qualname__ if isinstance(value, _NAMED) else None
        kind = KINDS.get(cls)
        if kind is TUPLE:
            return _MARK, cls.__qualname__, _encode_tuple(value, canonical)
        if kind is DRAWING:
            return None
        if isinstance(value, np.generic):
            return _MARK, value.dtype.str, value.tobytes()
        return _constant(value)

    return canonical


def _encode_tuple(value: Any, canonical: Canonical) -> Any:
    return _sorted(value, canonical) if isinstance(value, frozenset) else tuple(map(canonical, value))


_NAMED = (types.FunctionType, types.BuiltinFunctionType)


def _constant(value: Any) -> Any:
    """Return what stands for an atom that marshal does not know."""
    cls = type(value)
    if isinstance(value, enum.Enum):
        return _MARK, cls.__qualname__, value.name
    if isinstance(value, type):
        return _MARK, value.__module__, value.__qualname__
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
    """Return the encoded elements of a set, in an order that does not depend on the set's history."""
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
    """Return the encoding of a generator's state, which is nested dicts and tuples of numbers and arrays."""
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
    # Which generator a space has does not count. The generator's own state does, like that of any other.
    return None


def _encode_table(table: PlainTable, _canonical: Canonical) -> Any:
    if table.digest is None:
        contents = table.contents()
        canonical = _canonical_by(dict(zip(contents, range(len(contents)), strict=True)), {})
        encoded = [
            _encode_dict(held, canonical) if type(held) is dict else _encode_sequence(held, canonical)
            for held in contents.values()
        ]
        table.digest = blake2b(marshal.dumps(encoded, 2), digest_size=8).digest()
    return table.digest


_ENCODERS: dict[str, Callable[[Any, Canonical], Any]] = {
    "object": _encode_instance,
    "dict": _encode_dict,
    "list": _encode_sequence,
    "deque": _encode_sequence,
    "array": _encode_array,
    "cell": _encode_cell,
    "set": _sorted,
    "table": _encode_table,
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
