"""The checksum of a snapshot: 64 bits of BLAKE2b over a canonical, typed encoding.

The encoding is a flat list of plain values, written by `marshal` in its version 2: one C call, every value
with its type, floats bit for bit, no back references, the same bytes in every process. A reference to a
holder is written as the holder's position in the walk. `hash()` is never used: it differs between processes.

What only drawing touches must not count, since a headless peer never draws: an attribute that is None or a
drawing object is written as if it were absent, so `screen = None` and `screen = <Surface>` are one state.
"""

from __future__ import annotations

import enum
import functools
import marshal
import types
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np

from coplay.envs.state_kinds import DRAWING, KINDS, MISSING, PLAIN

if TYPE_CHECKING:
    from coplay.envs.state_walk import Snapshot

_REFERENCE = ...


def digest(snapshot: Snapshot, extra: object = None) -> int:
    """Give the 64-bit checksum of a snapshot.

    Args:
        snapshot: What to sum up.
        extra: Plain values that belong to the state as well.
    """
    return int.from_bytes(blake2b(encode(snapshot, extra), digest_size=8).digest(), "little")


def encode(snapshot: Snapshot, extra: object = None) -> bytes:
    """Give the canonical bytes of a snapshot."""
    out: list[Any] = [extra]
    index = snapshot.index
    for root in snapshot.roots.values():
        _emit(root, index, out)
    for _restore, obj, saved in snapshot.records:
        cls = type(obj)
        name = KINDS[cls].name
        if name == "object":
            out.append(cls.__qualname__)
            _emit_attributes(saved, index, out)
        elif name == "array":
            _emit_array(saved, index, out)
        elif name == "dict":
            out.append(len(saved))
            for key, value in saved.items():
                if type(key) in PLAIN:
                    out.append(key)
                else:
                    _emit(key, index, out)
                if type(value) in PLAIN:
                    out.append(value)
                else:
                    _emit(value, index, out)
        elif name == "list" or name == "deque" or name == "cell":
            _emit_sequence(saved, index, out)
        elif name == "set":
            _emit_set(saved, index, out)
        elif name == "generator":
            _emit_plain(saved, out)
        elif name == "buffer":
            out.append(bytes(saved))
        elif name.startswith("slotted"):
            _emit_slotted(obj, name, saved, index, out)
        # A space's generator is saved but does not count: whoever samples actions for a bot uses it on one
        # peer only.
    return marshal.dumps(out, 2)


def _emit(value: Any, index: dict[int, int], out: list[Any]) -> None:
    """Write one value that is held by something."""
    cls = type(value)
    if cls in PLAIN:
        out.append(value)
        return
    position = index.get(id(value), -1)
    if position >= 0:
        out.append(_REFERENCE)
        out.append(position)
    elif cls is tuple:
        _emit_sequence(value, index, out)
    elif isinstance(value, np.generic):
        out.append(value.dtype.str)
        out.append(value.tobytes())
    elif isinstance(value, tuple):
        out.append(cls.__qualname__)
        _emit_sequence(value, index, out)
    elif isinstance(value, frozenset):
        _emit_set(value, index, out)
    elif isinstance(value, enum.Enum):
        out.append(f"{cls.__qualname__}.{value.name}")
    elif isinstance(value, type):
        out.append(f"{value.__module__}.{value.__qualname__}")
    elif isinstance(value, types.FunctionType | types.BuiltinFunctionType):
        out.append(value.__qualname__)
    elif isinstance(value, types.MethodType):
        out.append(value.__func__.__qualname__)
        _emit(value.__self__, index, out)
    elif isinstance(value, functools.partial):
        _emit(value.func, index, out)
        _emit(value.args, index, out)
        _emit(value.keywords, index, out)
    elif isinstance(value, np.random.Generator):
        _emit(value.bit_generator, index, out)
    elif isinstance(value, int | float | complex | str | bytes):
        out.append(cls.__qualname__)
        out.append(_plain_base(value))
    elif cls.__module__ in _READABLE_MODULES and " at 0x" not in repr(value):
        out.append(repr(value))
    else:
        out.append(cls.__qualname__)


_READABLE_MODULES = {"datetime", "decimal", "fractions", "uuid", "pathlib", "builtins", "numpy"}


def _plain_base(value: Any) -> Any:
    """The value of an instance of a subclass of a plain type, as the plain type."""
    if isinstance(value, str):
        return str.__str__(value)
    base: Any = next(base for base in (int, float, complex, bytes) if isinstance(value, base))
    return base(value)


def _emit_attributes(attributes: dict[str, Any], index: dict[int, int], out: list[Any]) -> None:
    for name, value in attributes.items():
        cls = type(value)
        if cls in PLAIN:
            if value is not None:
                out.append(name)
                out.append(value)
        elif KINDS.get(cls) is not DRAWING:
            out.append(name)
            _emit(value, index, out)
    out.append(None)


def _emit_sequence(values: Any, index: dict[int, int], out: list[Any]) -> None:
    out.append(len(values))
    for value in values:
        if type(value) in PLAIN:
            out.append(value)
        else:
            _emit(value, index, out)


def _emit_set(values: Any, index: dict[int, int], out: list[Any]) -> None:
    encoded = []
    for value in values:
        inner: list[Any] = []
        _emit(value, index, inner)
        encoded.append(marshal.dumps(inner, 2))
    encoded.sort()
    out.append(len(encoded))
    out += encoded


def _emit_array(array: Any, index: dict[int, int], out: list[Any]) -> None:
    dtype = array.dtype
    out.append(dtype.str)
    out.append(array.shape)
    if dtype.hasobject:
        _emit_sequence(array.ravel().tolist(), index, out)
    else:
        out.append(array.tobytes())


def _emit_plain(value: Any, out: list[Any]) -> None:
    """Write a generator's state: nested dicts and tuples of numbers and arrays."""
    if isinstance(value, dict):
        out.append(len(value))
        for key, inner in value.items():
            out.append(key)
            _emit_plain(inner, out)
    elif isinstance(value, np.ndarray):
        out.append(value.tobytes())
    elif isinstance(value, np.generic):
        out.append(value.item())
    else:
        out.append(value)


def _emit_slotted(obj: Any, name: str, saved: Any, index: dict[int, int], out: list[Any]) -> None:
    values, attributes, inner = saved
    out.append(type(obj).__qualname__)
    _emit_sequence([None if v is MISSING else v for v in values], index, out)
    if attributes is not None:
        _emit_attributes(attributes, index, out)
    content = name.removeprefix("slotted").strip()
    if content == "array":
        _emit_array(inner, index, out)
    elif content == "dict":
        out.append(len(inner))
        for key, value in inner.items():
            _emit(key, index, out)
            _emit(value, index, out)
    elif content == "set":
        _emit_set(inner, index, out)
    elif content == "generator":
        _emit_plain(inner, out)
    elif content == "buffer":
        out.append(bytes(inner))
    elif content:
        _emit_sequence(inner, index, out)
