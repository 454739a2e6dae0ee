"""A generator of a plan: its state is asked for, and put back, only when its memory says that it is another.

To have a generator's state told takes as long as copying several arrays, and in most frames of most
environments nothing is drawn.
"""

from __future__ import annotations

from typing import Any

from coplay.envs.kinds.kind import Kind
from coplay.envs.kinds.numbers import BIT_GENERATOR
from coplay.envs.state.memory import memory_of_generator


def kind_of_generator(generator: Any) -> Kind:
    """Give the kind of one generator and of no other.

    Args:
        generator: Kept alive for as long as the kind is used.
    """
    memory = memory_of_generator(generator)
    if not memory:
        return BIT_GENERATOR
    seen, state = b"", None

    def save(obj: Any, _stack: list[Any]) -> Any:
        nonlocal seen, state
        now = b"".join(memory)
        if now != seen:
            seen, state = now, obj.state
        return state

    def restore(obj: Any, saved: Any) -> None:
        nonlocal seen, state
        if saved is not state or b"".join(memory) != seen:
            obj.state = saved
            seen, state = b"".join(memory), saved

    return Kind(BIT_GENERATOR.name, save, restore)
