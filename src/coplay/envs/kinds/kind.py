"""What a kind of object is to the walk over an environment's state, and which types it passes over.

`save(obj, stack)` returns the contents of one holder and pushes the things in it that are not atoms;
`restore(obj, saved)` puts the contents back into the same object. Only objects that something else keeps
alive may be pushed: the walk tells objects apart by `id`, and a temporary's id is soon another's.
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


def _save_nothing(_obj: Any, _stack: list[Any]) -> Any:
    return None


ATOM = Kind("atom", _save_nothing, None)
DRAWING = Kind("drawing", _save_nothing, None)
UNWALKABLE = Kind("unwalkable", _save_nothing, None)
