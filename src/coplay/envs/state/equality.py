"""Comparing two saved contents of the same object, bit for bit.

Items are compared by identity: an equal item in place of another one is a change.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import is_
from typing import Any


def same_contents(kind_name: str, old: Any, new: Any) -> bool:
    """Return True if two saved contents of one object are the same; False in doubt.

    Args:
        kind_name: Name of the object's kind, which decides the form of its contents.
        old: The contents at one moment.
        new: The contents at another.
    """
    return _SAME[kind_name](old, new)


def _same_mapping(old: Any, new: Any) -> bool:
    return len(old) == len(new) and all(map(is_, old, new)) and all(map(is_, old.values(), new.values()))


def _same_sequence(old: Any, new: Any) -> bool:
    return len(old) == len(new) and all(map(is_, old, new))


def _same_array(old: Any, new: Any) -> bool:
    if old.dtype.hasobject or old.dtype != new.dtype or old.shape != new.shape:
        return False
    return bool(old.tobytes() == new.tobytes())


def _same_state(old: Any, new: Any) -> bool:
    try:
        return bool(old == new)
    except ValueError:  # an array's comparison does not yield one truth value
        return False


def _same_bytes(old: Any, new: Any) -> bool:
    return bytes(memoryview(old)) == bytes(memoryview(new))


_SAME: dict[str, Callable[[Any, Any], bool]] = {
    "object": _same_mapping,
    "dict": _same_mapping,
    "list": _same_sequence,
    "deque": _same_sequence,
    "set": _same_sequence,
    "namespace": _same_sequence,
    "array": _same_array,
    "cell": is_,
    "space": is_,
    "table": is_,
    "generator": _same_state,
    "buffer": _same_bytes,
}


def _same_slotted(content: Callable[[Any, Any], bool] | None) -> Callable[[Any, Any], bool]:
    def same_slotted(old: Any, new: Any) -> bool:
        (slots, attributes, inner), (new_slots, new_attributes, new_inner) = old, new
        return (
            all(map(is_, slots, new_slots))
            and (attributes is None or _same_mapping(attributes, new_attributes))
            and (content is None or content(inner, new_inner))
        )

    return same_slotted


_SAME |= {f"slotted {name}": _same_slotted(content) for name, content in _SAME.items()}
_SAME["slotted"] = _same_slotted(None)
