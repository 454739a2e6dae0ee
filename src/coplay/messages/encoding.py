"""Convert messages to JSON-ready values and back, and describe values that JSON cannot carry."""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeAlias, TypeVar, Union, get_args, get_origin, get_type_hints

_Message = TypeVar("_Message")


class MessageError(ValueError):
    """A value that does not have the shape of the message it should be."""


@dataclass(frozen=True, slots=True)
class BrowserType:
    """Marks a field that crosses between page and worker as a browser object instead of JSON.

    Attributes:
        typescript: The object's type in TypeScript.
    """

    typescript: str


@dataclass(frozen=True, slots=True)
class Nullable:
    """Marks an optional field that may also be present with the value null."""


ArrayBuffer: TypeAlias = Annotated[bytes, BrowserType("ArrayBuffer")]
"""Bytes that are transferred between page and worker."""


def to_json(message: Any) -> dict[str, Any]:
    """Return a message as a dict of plain JSON values.

    Optional fields (those whose default is None) are left out while they are None.

    Args:
        message: An instance of a dataclass of this package.
    """
    message_type: Any = type(message)
    converted: dict[str, Any] = {}
    for name, optional in _field_names(message_type):
        value = getattr(message, name)
        if not (optional and value is None):
            converted[name] = _plain(value)
    return converted


def from_json(message_type: type[_Message], data: object) -> _Message:
    """Return the message that a JSON value describes; unknown fields are ignored.

    Args:
        message_type: A dataclass of this package.
        data: Plain values, as `json.loads` returns them.

    Raises:
        MessageError: A field is missing, or a value has another type than the field.
    """
    if not isinstance(data, Mapping):
        raise MessageError(f"{message_type.__name__} is an object, not {_short(data)}.")
    dataclass_type: Any = message_type
    hints = _type_hints(dataclass_type)
    values: dict[str, Any] = {}
    for field in fields(dataclass_type):
        if field.name in data:
            values[field.name] = _read(hints[field.name], data[field.name], field.name)
        elif field.default is MISSING:
            raise MessageError(f"{message_type.__name__} lacks the field {field.name}.")
    return message_type(**values)


def fields_of(message: Any) -> dict[str, Any]:
    """Return the fields of a message by name, to build one that extends it."""
    message_type: Any = type(message)
    return {name: getattr(message, name) for name, _ in _field_names(message_type)}


def _plain(value: Any) -> Any:
    match value:
        case None | bool() | str() | int() | float() | bytes():
            return value
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return to_json(value) if is_dataclass(value) else value


def _read(hint: Any, value: Any, name: str) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _read(arguments[0], value, name)
    if origin in (Union, UnionType):
        return _read_union(arguments, value, name)
    if origin is Literal and value in arguments:
        return value
    if origin is tuple and isinstance(value, (list, tuple)):
        return _read_tuple(arguments, value, name)
    if origin is dict and isinstance(value, Mapping):
        return {str(key): _read(arguments[1], item, name) for key, item in value.items()}
    if is_dataclass(hint):
        return from_json(hint, value)  # type: ignore[arg-type]  # hints are types, never instances
    if isinstance(hint, type) and _fits(hint, value):
        return value
    raise MessageError(f"The field {name} cannot be {_short(value)}.")


def _fits(plain: type, value: Any) -> bool:
    # Python's True is an int, JSON's true is not a number; and JavaScript writes the float 30.0 as 30.
    if isinstance(value, bool):
        return plain is bool
    return isinstance(value, (int, float) if plain is float else plain)


def _read_tuple(items: tuple[Any, ...], values: Sequence[Any], name: str) -> tuple[Any, ...]:
    if items[-1] is Ellipsis:
        return tuple(_read(items[0], value, name) for value in values)
    if len(values) != len(items):
        raise MessageError(f"The field {name} has {len(values)} items, not {len(items)}.")
    return tuple(_read(item, value, name) for item, value in zip(items, values, strict=True))


def _read_union(choices: tuple[Any, ...], value: Any, name: str) -> Any:
    if value is None and NoneType in choices:
        return None
    for choice in choices:
        try:
            return _read(choice, value, name)
        except MessageError:
            continue
    raise MessageError(f"The field {name} cannot be {_short(value)}.")


@cache
def _field_names(message_type: Any) -> tuple[tuple[str, bool], ...]:
    return tuple((field.name, field.default is None) for field in fields(message_type))


@cache
def _type_hints(message_type: Any) -> dict[str, Any]:
    return get_type_hints(message_type, include_extras=True)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
