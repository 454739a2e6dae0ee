"""The interface of a kind of object, and the types that the walk over a state skips.

`save(obj, stack)` returns the contents of one object and pushes everything that it holds, except atoms.
`restore(obj, saved)` puts the contents back into the same object. Push only objects that something else keeps
alive: the walk identifies objects by `id`, and the id of a freed temporary may be reused.
"""

from __future__ import annotations

import datetime
import decimal
import fractions
import pathlib
import re
import types
import uuid
from collections.abc import Callable
from typing import Any

import numpy as np

Save = Callable[[Any, list[Any]], Any]
Restore = Callable[[Any, Any], None]


class Kind:
    """How to save and restore one type of object.

    Attributes:
        name: Selects the digest and the attribute paths: "dict", "object", "array" and so on.
        save: Returns the contents and pushes what the object holds.
        restore: Puts contents back; None for objects that cannot change.
    """

    __slots__ = ("name", "restore", "save")

    def __init__(self, name: str, save: Save, restore: Restore | None) -> None:
        self.name = name
        self.save = save
        self.restore = restore


PLAIN: frozenset[type] = frozenset({type(None), bool, int, float, complex, str, bytes})
"""Types whose values `marshal` writes in one canonical way."""

# A set instead of a rule: the walk tests every value for membership, which must be fast.
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
"""Immutable types, which the walk skips. `kind_of` adds to them."""


class _Missing:
    def __repr__(self) -> str:
        return "<missing>"


MISSING: Any = _Missing()
"""Saved in place of an attribute or slot that has no value."""
ATOMS.add(_Missing)


def _save_nothing(_obj: Any, _stack: list[Any]) -> Any:
    return None


ATOM = Kind("atom", _save_nothing, None)
DRAWING = Kind("drawing", _save_nothing, None)
UNWALKABLE = Kind("unwalkable", _save_nothing, None)
