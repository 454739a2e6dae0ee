"""A common Arrow type for a column whose values come from games of different environments."""

import json
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


def common_type(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    """Return a type that holds the values of both.

    Numbers become the wider type, structs get the fields of both, and types that do not fit become JSON.
    """
    if one.equals(other) or pa.types.is_null(other):
        return one
    if pa.types.is_null(one):
        return other
    if _is_number(one) and _is_number(other):
        return _wider(one, other)
    if pa.types.is_list(one) and pa.types.is_list(other):
        inner = common_type(one.value_type, other.value_type)
        return pa.string() if _is_text(inner, one.value_type, other.value_type) else pa.list_(inner)
    if pa.types.is_struct(one) and pa.types.is_struct(other):
        return _joined(one, other)
    return pa.string()


def cast(column: pa.Array, wanted: pa.DataType) -> pa.Array:
    """Return a column as another type, which must come from `common_type`."""
    if column.type.equals(wanted):
        return column
    if pa.types.is_string(wanted):
        texts = [None if value is None else json.dumps(value) for value in column.to_pylist()]
        return pa.array(texts, wanted)
    if pa.types.is_null(column.type):
        return pa.nulls(len(column), wanted)
    if pa.types.is_struct(wanted) or _holds_struct(wanted):
        return pa.array(column.to_pylist(), wanted)
    return pc.cast(column, wanted)


def as_csv(column: pa.Array) -> pa.Array:
    """Return a column as CSV can hold it: nested values as JSON, bytes as hexadecimal digits."""
    if pa.types.is_nested(column.type):
        return pa.array([None if value is None else json.dumps(value) for value in column.to_pylist()])
    if pa.types.is_binary(column.type):
        return pa.array([None if value is None else value.hex() for value in column.to_pylist()], pa.string())
    return column


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind))


def _is_text(inner: pa.DataType, *before: pa.DataType) -> bool:
    return bool(pa.types.is_string(inner)) and not all(pa.types.is_string(kind) for kind in before)


def _wider(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    if pa.types.is_floating(one) and pa.types.is_floating(other):
        return one if one.bit_width >= other.bit_width else other
    if pa.types.is_floating(one) or pa.types.is_floating(other):
        return pa.float64()
    return pa.int64()


def _joined(one: pa.StructType, other: pa.StructType) -> pa.DataType:
    fields: dict[str, Any] = {field.name: field.type for field in one}
    for field in other:
        fields[field.name] = (
            common_type(fields[field.name], field.type) if field.name in fields else field.type
        )
    return pa.struct(list(fields.items()))


def _holds_struct(kind: pa.DataType) -> bool:
    while pa.types.is_list(kind):
        kind = kind.value_type
    return bool(pa.types.is_struct(kind))
