"""What each type of object in an environment's state means to the walk.

Every object is one of three things:

- an *atom*: it cannot change, so its reference is its state (numbers, strings, classes, modules, specs);
- a *holder*: it can change in place (dicts, lists, arrays, generators, instances), so its contents are saved;
- *unwalkable*: it can change where Python cannot look (open files, iterators, C objects). These are named,
  never hidden.

`save(obj, stack)` returns the contents of one holder and pushes the things in it that are not atoms;
`restore(obj, saved)` puts the contents back into the same object. Only objects that something else keeps
alive may be pushed: the walk tells objects apart by `id`, and a temporary's id is soon another's.
"""

from __future__ import annotations

import array
import collections
import datetime
import decimal
import enum
import fractions
import functools
import marshal
import pathlib
import random
import re
import types
import uuid
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

Save = Callable[[Any, list[Any]], Any]
Restore = Callable[[Any, Any], None]


class Kind:
    """How to save and restore one type.

    Attributes:
        name: Which digest and which paths apply: "dict", "object", "array" and so on.
        save: Gives the contents; pushes children.
        restore: Puts contents back; None when there is nothing to put back.
    """

    __slots__ = ("name", "restore", "save")

    def __init__(self, name: str, save: Save, restore: Restore | None) -> None:
        self.name = name
        self.save = save
        self.restore = restore


# The types that marshal writes in one canonical way, and that need no look inside.
PLAIN: frozenset[type] = frozenset({type(None), bool, int, float, complex, str, bytes})

# Skipped by the walk. Grows as classes are met that can only be atoms.
ATOMS: set[type] = {
    *PLAIN,
    type(...),
    *(t for t in np.sctypeDict.values() if t is not np.object_ and t is not np.void),
    type(np.dtype(float)),
    type,
    type(NotImplemented),
    range,
    slice,
    object,
    property,
    staticmethod,
    classmethod,
    types.ModuleType,
    types.CodeType,
    types.GenericAlias,
    types.MappingProxyType,
    np.ufunc,
    type(np.sum),
    re.Pattern,
    datetime.date,
    datetime.datetime,
    datetime.time,
    datetime.timedelta,
    datetime.timezone,
    decimal.Decimal,
    fractions.Fraction,
    uuid.UUID,
    pathlib.PurePosixPath,
    pathlib.PosixPath,
    pathlib.PureWindowsPath,
}


class _Missing:
    def __repr__(self) -> str:
        return "<missing>"


MISSING: Any = _Missing()
ATOMS.add(_Missing)


# dict, list, set, deque


def _save_dict(obj: dict[Any, Any], stack: list[Any]) -> Any:
    stack += [v for v in obj.values() if type(v) not in ATOMS]
    if not ATOMS.issuperset(map(type, obj)):
        stack += [k for k in obj if type(k) not in ATOMS]
    return dict(obj)


def _restore_dict(obj: dict[Any, Any], saved: Any) -> None:
    # Clearing first restores the order of the keys too: code iterates over dicts.
    obj.clear()
    obj.update(saved)


def _save_defaultdict(obj: Any, stack: list[Any]) -> Any:
    stack.append(obj.default_factory)
    return _save_dict(obj, stack)


def _save_list(obj: list[Any], stack: list[Any]) -> Any:
    stack += [v for v in obj if type(v) not in ATOMS]
    return obj[:]


def _restore_list(obj: list[Any], saved: Any) -> None:
    obj[:] = saved


def _save_set(obj: set[Any], stack: list[Any]) -> Any:
    # The order in which a set gives its elements depends on its history. Filling it anew here, at every frame
    # on every peer, in an order that only its elements decide, makes its own order depend on these alone.
    saved = in_canonical_order(obj)
    _restore_set(obj, saved)
    stack += [v for v in saved if type(v) not in ATOMS]
    return saved


def _restore_set(obj: set[Any], saved: Any) -> None:
    set.clear(obj)
    set.update(obj, saved)


def in_canonical_order(elements: Any) -> list[Any]:
    """Give a set's elements in an order that no history has a part in.

    Those that have no value of their own, instances say, keep the order they have among each other.
    """
    types_held = set(map(type, elements))
    if len(types_held) == 1 and types_held <= _SORTABLE:
        return sorted(elements)
    return sorted(elements, key=_rank)


_SORTABLE: frozenset[type] = frozenset({int, str, bytes})


def _rank(value: Any) -> bytes:
    cls = type(value)
    if cls in PLAIN:
        return marshal.dumps(value, 2)
    if isinstance(value, tuple):
        return b"".join([b"(", *map(_rank, value), b")"])
    if isinstance(value, frozenset):
        return b"".join([b"{", *sorted(map(_rank, value)), b"}"])
    if isinstance(value, np.generic):
        return value.dtype.char.encode() + value.tobytes()
    if isinstance(value, enum.Enum):
        return f"{cls.__qualname__}.{value.name}".encode()
    return cls.__qualname__.encode()


def _save_deque(obj: Any, stack: list[Any]) -> Any:
    saved = list(obj)
    stack += [v for v in saved if type(v) not in ATOMS]
    return saved


def _restore_deque(obj: Any, saved: Any) -> None:
    obj.clear()
    obj.extend(saved)


# Things that cannot change but hold things that can


def _save_tuple(obj: Any, stack: list[Any]) -> Any:
    stack += [v for v in obj if type(v) not in ATOMS]
    return None


def _save_function(obj: Any, stack: list[Any]) -> Any:
    for cell in obj.__closure__ or ():
        stack.append(cell)
    for default in (obj.__defaults__, obj.__kwdefaults__):
        if default:
            stack.append(default)
    if obj.__dict__:
        stack.append(obj.__dict__)
    return None


def _save_cell(obj: Any, stack: list[Any]) -> Any:
    try:
        contents = obj.cell_contents
    except ValueError:
        return MISSING
    if type(contents) not in ATOMS:
        stack.append(contents)
    return contents


def _restore_cell(obj: Any, saved: Any) -> None:
    if saved is not MISSING:
        obj.cell_contents = saved
    elif obj != types.CellType():  # an empty cell equals only another
        del obj.cell_contents


def _save_method(obj: Any, stack: list[Any]) -> Any:
    stack.append(obj.__self__)
    stack.append(obj.__func__)
    return None


def _save_builtin(obj: Any, stack: list[Any]) -> Any:
    owner = obj.__self__
    if owner is not None and type(owner) not in ATOMS:
        stack.append(owner)
    return None


def _save_partial(obj: Any, stack: list[Any]) -> Any:
    stack += [obj.func, obj.args, obj.keywords]
    return None


def _save_weakref(obj: Any, stack: list[Any]) -> Any:
    target = obj()
    if target is not None:
        stack.append(target)
    return None


# numpy


def _save_array(obj: Any, stack: list[Any]) -> Any:
    if obj.dtype.hasobject:
        stack += [v for v in obj.flat if type(v) not in ATOMS]
    return obj.copy()


def _restore_array(obj: Any, saved: Any) -> None:
    # One that cannot be written to only changes through an array that it views, restored where that is held.
    if obj.flags.writeable:
        if obj.shape != saved.shape:
            obj.resize(saved.shape, refcheck=False)
        obj[...] = saved


def _save_bit_generator(obj: Any, _stack: list[Any]) -> Any:
    return obj.state


def _restore_bit_generator(obj: Any, saved: Any) -> None:
    obj.state = saved


def _save_generator(obj: Any, stack: list[Any]) -> Any:
    stack.append(obj.bit_generator)
    return None


def _save_random_state(obj: Any, _stack: list[Any]) -> Any:
    return obj.get_state(legacy=False)


def _restore_random_state(obj: Any, saved: Any) -> None:
    obj.set_state(saved)


# The rest of the standard library


def _save_python_random(obj: Any, _stack: list[Any]) -> Any:
    return obj.getstate()


def _restore_python_random(obj: Any, saved: Any) -> None:
    obj.setstate(saved)


def _save_buffer(obj: Any, _stack: list[Any]) -> Any:
    return obj[:]


def _restore_buffer(obj: Any, saved: Any) -> None:
    obj[:] = saved


# Spaces: constants, except for the generator behind `space.sample()`


def _save_space(obj: Any, stack: list[Any]) -> Any:
    generator = obj._np_random
    if generator is not None:
        stack.append(generator)
    return generator


def _restore_space(obj: Any, saved: Any) -> None:
    obj._np_random = saved


def _save_composite_space(obj: Any, stack: list[Any]) -> Any:
    stack.append(obj.spaces)
    return _save_space(obj, stack)


# Names of a module or a class


class Namespace:
    """Some names of a module or of a class, as a thing that holds their values.

    Attributes:
        owner: The module or class.
        names: Which of its names.
    """

    __slots__ = ("names", "owner")

    def __init__(self, owner: Any, names: list[str]) -> None:
        self.owner = owner
        self.names = names


def _save_namespace(obj: Namespace, stack: list[Any]) -> Any:
    held = vars(obj.owner)
    saved = [held.get(name, MISSING) for name in obj.names]
    stack += [v for v in saved if type(v) not in ATOMS]
    return saved


def _restore_namespace(obj: Namespace, saved: Any) -> None:
    held = vars(obj.owner)
    for name, value in zip(obj.names, saved, strict=True):
        # Only what differs: setting a class's attribute makes Python forget what it had cached about the
        # class.
        if held.get(name, MISSING) is value:
            continue
        if value is MISSING:
            delattr(obj.owner, name)
        else:
            setattr(obj.owner, name, value)


# Instances


def _save_instance(obj: Any, stack: list[Any]) -> Any:
    saved = obj.__dict__.copy()
    stack += [v for v in saved.values() if type(v) not in ATOMS]
    return saved


def _restore_instance(obj: Any, saved: Any) -> None:
    attributes = obj.__dict__
    attributes.clear()
    attributes.update(saved)


def slots_of(cls: type) -> list[str]:
    names: list[str] = []
    for base in cls.__mro__:
        declared = vars(base).get("__slots__", ())
        for name in (declared,) if isinstance(declared, str) else declared:
            if name in ("__dict__", "__weakref__"):
                continue
            mangled = name.startswith("__") and not name.endswith("__")
            names.append(f"_{base.__name__.lstrip('_')}{name}" if mangled else name)
    return names


def _slotted_kind(cls: type, *, content: Kind | None) -> Kind:
    """Instances with slots, with or without a `__dict__`, and with or without the contents of a container
    base."""
    names = slots_of(cls)
    has_dict = any("__dict__" in vars(base) for base in cls.__mro__)

    def save(obj: Any, stack: list[Any]) -> Any:
        values = [getattr(obj, name, MISSING) for name in names]
        stack += [v for v in values if type(v) not in ATOMS]
        attributes = _save_instance(obj, stack) if has_dict else None
        return values, attributes, None if content is None else content.save(obj, stack)

    def restore(obj: Any, saved: Any) -> None:
        values, attributes, inner = saved
        for name, value in zip(names, values, strict=True):
            if value is not MISSING:
                object.__setattr__(obj, name, value)
            elif getattr(obj, name, MISSING) is not MISSING:
                object.__delattr__(obj, name)
        if has_dict:
            _restore_instance(obj, attributes)
        if content is not None and content.restore is not None:
            content.restore(obj, inner)

    return Kind("slotted" if content is None else f"slotted {content.name}", save, restore)


def _save_nothing(_obj: Any, _stack: list[Any]) -> Any:
    return None


ATOM = Kind("atom", _save_nothing, None)
DRAWING = Kind("drawing", _save_nothing, None)
UNWALKABLE = Kind("unwalkable", _save_nothing, None)

DICT = Kind("dict", _save_dict, _restore_dict)
LIST = Kind("list", _save_list, _restore_list)
SET = Kind("set", _save_set, _restore_set)
TUPLE = Kind("tuple", _save_tuple, None)
ARRAY = Kind("array", _save_array, _restore_array)
INSTANCE = Kind("object", _save_instance, _restore_instance)
SPACE = Kind("space", _save_space, _restore_space)
COMPOSITE_SPACE = Kind("space", _save_composite_space, _restore_space)
DEQUE = Kind("deque", _save_deque, _restore_deque)
PYTHON_RANDOM = Kind("generator", _save_python_random, _restore_python_random)
RANDOM_STATE = Kind("generator", _save_random_state, _restore_random_state)
BIT_GENERATOR = Kind("generator", _save_bit_generator, _restore_bit_generator)
BUFFER = Kind("buffer", _save_buffer, _restore_buffer)

KINDS: dict[type, Kind] = {
    dict: DICT,
    collections.OrderedDict: DICT,
    collections.Counter: DICT,
    collections.defaultdict: Kind("dict", _save_defaultdict, _restore_dict),
    list: LIST,
    set: SET,
    frozenset: TUPLE,
    tuple: TUPLE,
    collections.deque: DEQUE,
    np.ndarray: ARRAY,
    np.random.Generator: Kind("through", _save_generator, None),
    np.random.RandomState: RANDOM_STATE,
    random.Random: PYTHON_RANDOM,
    random.SystemRandom: ATOM,
    bytearray: BUFFER,
    array.array: BUFFER,
    types.FunctionType: Kind("through", _save_function, None),
    Namespace: Kind("namespace", _save_namespace, _restore_namespace),
    types.CellType: Kind("cell", _save_cell, _restore_cell),
    types.MethodType: Kind("through", _save_method, None),
    types.BuiltinFunctionType: Kind("through", _save_builtin, None),
    weakref.ref: Kind("through", _save_weakref, None),
    functools.partial: Kind("through", _save_partial, None),
}

# Containers whose subclasses keep extra attributes next to their contents.
_CONTENT: tuple[tuple[type, Kind], ...] = (
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
_SYNCHRONISATION = ("_thread.", "threading.")


def kind_of(cls: type) -> Kind:
    """Give the kind of a type, deciding it on first sight.

    Remembered in `KINDS`, and in `ATOMS` where instances can be skipped from then on.
    """
    kind = KINDS.get(cls)
    if kind is None:
        kind = KINDS[cls] = _classify(cls)
        if kind is ATOM:
            ATOMS.add(cls)
    return kind


def _classify(cls: type) -> Kind:
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
    return _slotted_kind(cls, content=content)


def _has_state_in_c(cls: type) -> bool:
    """Whether instances are larger than their Python attributes explain: then C code keeps something in
    them."""
    for base in cls.__mro__[:-1]:
        shown = vars(base)
        if "__slots__" in shown or "__dict__" in shown or "__weakref__" in shown:
            continue
        parent = base.__base__
        if parent is not None and base.__basicsize__ > parent.__basicsize__:
            return True
    return False
