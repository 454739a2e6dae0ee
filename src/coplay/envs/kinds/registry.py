"""The kind of each type of object in an environment's state.

Every object is one of three things:

- an *atom* cannot change (numbers, strings, classes, modules): a reference to it is its state;
- a *holder* can change in place (dicts, lists, arrays, generators, instances): its contents are saved;
- an *unwalkable* object can change where Python cannot look (open files, iterators, objects of C extensions).
  It is reported by its path, never ignored.
"""

from __future__ import annotations

import array
import collections
import datetime
import enum
import functools
import pathlib
import random
import types
import weakref

import numpy as np

from coplay.envs.kinds.arrays import ARRAY
from coplay.envs.kinds.containers import BUFFER, DEFAULTDICT, DEQUE, DICT, LIST, ORDERED_DICT, SET
from coplay.envs.kinds.instances import INSTANCE, NAMESPACE, Namespace, slots_of, slotted_kind
from coplay.envs.kinds.kind import ATOM, ATOMS, DRAWING, MISSING, PLAIN, UNWALKABLE, Kind
from coplay.envs.kinds.random_generators import (
    BIT_GENERATOR,
    COMPOSITE_SPACE,
    PYTHON_RANDOM,
    RANDOM_STATE,
    SPACE,
)
from coplay.envs.kinds.references import (
    BUILTIN,
    CELL,
    FUNCTION,
    GENERATOR,
    METHOD,
    PARTIAL,
    TUPLE,
    WEAKREF,
)

__all__ = [
    "ATOM",
    "ATOMS",
    "DRAWING",
    "KINDS",
    "MISSING",
    "PLAIN",
    "UNWALKABLE",
    "Kind",
    "Namespace",
    "kind_of",
    "slots_of",
]

KINDS: dict[type, Kind] = {
    dict: DICT,
    collections.OrderedDict: ORDERED_DICT,
    collections.Counter: DICT,
    collections.defaultdict: DEFAULTDICT,
    list: LIST,
    set: SET,
    frozenset: TUPLE,
    tuple: TUPLE,
    collections.deque: DEQUE,
    np.ndarray: ARRAY,
    np.random.Generator: GENERATOR,
    np.random.RandomState: RANDOM_STATE,
    random.Random: PYTHON_RANDOM,
    random.SystemRandom: ATOM,
    bytearray: BUFFER,
    array.array: BUFFER,
    types.FunctionType: FUNCTION,
    Namespace: NAMESPACE,
    types.CellType: CELL,
    types.MethodType: METHOD,
    types.BuiltinFunctionType: BUILTIN,
    weakref.ref: WEAKREF,
    functools.partial: PARTIAL,
}

# Containers whose subclasses have attributes in addition to their contents; the first match counts.
_CONTENT: tuple[tuple[type, Kind], ...] = (
    (collections.OrderedDict, ORDERED_DICT),
    (collections.defaultdict, DEFAULTDICT),
    (dict, DICT),
    (list, LIST),
    (set, SET),
    (collections.deque, DEQUE),
    (np.ndarray, ARRAY),
    (bytearray, BUFFER),
    (array.array, BUFFER),
    (random.Random, PYTHON_RANDOM),
    (np.random.RandomState, RANDOM_STATE),
)

_IMMUTABLE_BASES = (
    int,
    float,
    complex,
    str,
    bytes,
    enum.Enum,
    type,
    types.ModuleType,
    np.generic,
    np.dtype,
    datetime.date,
    datetime.tzinfo,
    pathlib.PurePath,
    BaseException,
)


def kind_of(cls: type) -> Kind:
    """Return the kind of a type, which is decided when the type is first seen.

    It is remembered in `KINDS`, and in `ATOMS` if the walk can skip instances from then on.

    Args:
        cls: The type.
    """
    kind = KINDS.get(cls)
    if kind is None:
        kind = KINDS[cls] = _classify(cls)
        if kind is ATOM:
            ATOMS.add(cls)
    return kind


def _classify(cls: type) -> Kind:
    # Compared by name, so that Gymnasium does not have to be imported.
    names = {f"{base.__module__}.{base.__qualname__}" for base in cls.__mro__}
    module = cls.__module__
    if module.split(".")[0] in ("pygame", "moviepy", "matplotlib", "PIL", "cv2", "glfw"):
        return DRAWING
    if "gymnasium.spaces.space.Space" in names:
        composite = {f"gymnasium.spaces.{n}" for n in ("dict.Dict", "tuple.Tuple", "oneof.OneOf")}
        return COMPOSITE_SPACE if names & composite else SPACE
    if "gymnasium.envs.registration.EnvSpec" in names or issubclass(cls, _IMMUTABLE_BASES):
        return ATOM
    if issubclass(cls, tuple | frozenset):
        return TUPLE
    if issubclass(cls, np.random.BitGenerator):
        return BIT_GENERATOR
    if module in ("_thread", "threading") or module.partition(".")[0] in ("logging", "warnings"):
        return ATOM
    content = next((kind for base, kind in _CONTENT if issubclass(cls, base)), None)
    if content is None and _has_state_in_c(cls):
        return UNWALKABLE
    if content is None and not slots_of(cls):
        return INSTANCE if any("__dict__" in vars(base) for base in cls.__mro__) else ATOM
    return slotted_kind(cls, content=content)


def _has_state_in_c(cls: type) -> bool:
    """Return True if instances are larger than their Python attributes need: C code keeps data in them."""
    for base in cls.__mro__[:-1]:
        shown = vars(base)
        if "__slots__" in shown or "__dict__" in shown or "__weakref__" in shown:
            continue
        parent = base.__base__
        if parent is not None and base.__basicsize__ > parent.__basicsize__:
            return True
    return False
