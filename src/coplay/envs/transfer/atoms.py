"""Values that cannot change, as tuples of plain values and back: dates, ranges, enum members and others."""

from __future__ import annotations

import datetime
import decimal
import enum
import fractions
import pathlib
import re
import uuid
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from coplay.errors import StateTransferError

SIMPLE_DTYPE: Final = re.compile(r"[<>|=]?[?bBiufcmMSUO][0-9]*(\[[0-9]*[A-Za-z]+\])?")
_DTYPE_CLASSES: Final = {type(np.dtype(code)) for code in np.typecodes["All"] if code != "V"}

# For each plain type, the function that turns a value of a subclass into one of the type itself.
BARE: Final[tuple[tuple[type, Callable[[Any], Any]], ...]] = (
    (str, str.__str__),
    (bytes, lambda value: bytes.__add__(value, b"")),
    (int, int.__pos__),
    (float, float.__pos__),
    (complex, complex.__pos__),
)


def _date(value: Any) -> tuple[Any, ...]:
    return value.year, value.month, value.day


def _time(value: Any) -> tuple[Any, ...]:
    return value.hour, value.minute, value.second, value.microsecond, value.tzinfo, value.fold


# The parts of a value, by its type. The name of the type and these are sent in place of the value.
PARTS: dict[type, Callable[[Any], tuple[Any, ...]]] = {
    type(...): lambda value: (),
    type(NotImplemented): lambda value: (),
    range: lambda value: (value.start, value.stop, value.step),
    slice: lambda value: (value.start, value.stop, value.step),
    datetime.date: _date,
    datetime.datetime: lambda value: (*_date(value), *_time(value)),
    datetime.time: _time,
    datetime.timedelta: lambda value: (value.days, value.seconds, value.microseconds),
    datetime.timezone: lambda value: value.__getinitargs__(),
    decimal.Decimal: lambda value: (str(value),),
    fractions.Fraction: lambda value: (value.numerator, value.denominator),
    uuid.UUID: lambda value: (value.int,),
    pathlib.PurePosixPath: lambda value: (str(value),),
    pathlib.PosixPath: lambda value: (str(value),),
    pathlib.PureWindowsPath: lambda value: (str(value),),
}
PARTS |= {cls: lambda value: (value.str,) for cls in _DTYPE_CLASSES}


def _dtype(code: str) -> Any:
    if not SIMPLE_DTYPE.fullmatch(code):
        raise StateTransferError("the received state has an array of an unknown dtype")
    return np.dtype(code)


# The function that makes a value of its parts, by the name of its type.
MAKERS: dict[str, Callable[..., Any]] = {
    "ellipsis": lambda: ...,
    "NotImplementedType": lambda: NotImplemented,
    "range": range,
    "slice": slice,
    "date": datetime.date,
    "datetime": lambda *parts: datetime.datetime(*parts[:-1], fold=parts[-1]),
    "time": lambda *parts: datetime.time(*parts[:-1], fold=parts[-1]),
    "timedelta": datetime.timedelta,
    "timezone": datetime.timezone,
    "Decimal": decimal.Decimal,
    "Fraction": fractions.Fraction,
    "UUID": lambda number: uuid.UUID(int=number),
    "PurePosixPath": pathlib.PurePosixPath,
    "PosixPath": pathlib.PosixPath,
    "PureWindowsPath": pathlib.PureWindowsPath,
}
MAKERS |= {cls.__name__: _dtype for cls in _DTYPE_CLASSES}


def number_of(code: str, raw: bytes) -> Any:
    """Return a numpy scalar.

    Args:
        code: Its dtype.
        raw: Its bytes.

    Raises:
        StateTransferError: The dtype is unknown or the bytes do not fit.
    """
    dtype = _dtype(code)
    if dtype.hasobject or len(raw) != dtype.itemsize:
        raise StateTransferError(f"the received state has {len(raw)} bytes for a number of type {code}")
    return np.frombuffer(raw, dtype, 1)[0] if raw else dtype.type()


def member_of(cls: Any, member: Any) -> Any:
    """Return a member of an enum, by its name or its value.

    Args:
        cls: A known class.
        member: The name, or the value of a member without one.

    Raises:
        StateTransferError: `cls` is not an enum.
    """
    if not issubclass(cls, enum.Enum):
        raise StateTransferError(f"the received state uses {cls.__qualname__} as an enum")
    return cls[member] if type(member) is str else cls(member)


def of_subclass(cls: Any, plain: Any) -> Any:
    """Return a value of a subclass of a plain type, without calling the subclass.

    Args:
        cls: A known class.
        plain: The value as an int, float, complex, str or bytes.

    Raises:
        StateTransferError: `cls` is not a subclass of the value's type.
    """
    base = type(plain)
    if base not in (int, float, complex, str, bytes) or not issubclass(cls, base):
        raise StateTransferError(f"the received state makes a {cls.__qualname__} of a {base.__qualname__}")
    return base.__new__(cls, plain)
