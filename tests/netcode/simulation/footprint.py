"""How much a session holds on to: every number, byte and reference, whatever its classes are called."""

from collections import deque
from collections.abc import Mapping
from types import BuiltinFunctionType, FunctionType, MethodType

ALONE, LINK = 6_000, 3_000
"""What a session may hold by itself, and for each other peer, besides inputs, logs and states: more than
full queues need, far less than one takes that grows without an end."""
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
