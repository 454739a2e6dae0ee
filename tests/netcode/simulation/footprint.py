"""The footprint of a session: the number of values, bytes and references that it holds."""

from collections import deque
from collections.abc import Mapping
from types import BuiltinFunctionType, FunctionType, MethodType

ALONE, LINK = 6_000, 3_000
"""Limits on the footprint of a session, and on what each other peer adds to it, except for logs and states.

They exceed what full queues need, and are far below what a leak would reach.
"""
_ATOMS = (int, float, str, type(None), type, FunctionType, BuiltinFunctionType)


def footprint(thing: object) -> int:
    """Return how many items are reachable from `thing`; bytes count by their length."""
    count = 0
    seen: set[int] = set()
    waiting = [thing]
    while waiting:
        thing = waiting.pop()
        count += 1
        if isinstance(thing, _ATOMS) or id(thing) in seen:
            continue
        seen.add(id(thing))
        if isinstance(thing, bytes | bytearray):
            count += len(thing)
        elif isinstance(thing, Mapping):
            waiting += thing.keys()
            waiting += thing.values()
        elif isinstance(thing, list | tuple | set | frozenset | deque):
            waiting += thing
        elif isinstance(thing, MethodType):
            waiting.append(thing.__self__)
        else:
            waiting += getattr(thing, "__dict__", {}).values()
            for kind in type(thing).__mro__:
                slots = getattr(kind, "__slots__", ())
                for name in (slots,) if isinstance(slots, str) else slots:
                    if hasattr(thing, name):
                        waiting.append(getattr(thing, name))
    return count
