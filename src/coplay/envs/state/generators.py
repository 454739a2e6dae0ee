"""Random generators of a plan: their state is read and set only if their memory shows that it changed.

Reading a numpy generator's `state` takes as long as copying several arrays, and in most frames of most
environments nothing is drawn.
"""

from __future__ import annotations

from typing import Any

from coplay.envs.kinds.kind import Kind
from coplay.envs.kinds.random_generators import BIT_GENERATOR
from coplay.envs.state.memory import memory_of_generator


def kind_of_generator(generator: Any) -> Kind:
    """Return a kind that saves and restores this one generator, and remembers the state it saw last.

    Args:
        generator: A numpy bit generator, which must live as long as the kind is used. Where its memory cannot
            be read, the result is the ordinary kind.
    """
    memory = memory_of_generator(generator)
    if not memory:
        return BIT_GENERATOR
    seen_memory, state = b"", None

    def save(obj: Any, _stack: list[Any]) -> Any:
        nonlocal seen_memory, state
        now = b"".join(memory)
        if now != seen_memory:
            seen_memory, state = now, obj.state
        return state

    def restore(obj: Any, saved: Any) -> None:
        nonlocal seen_memory, state
        if saved is not state or b"".join(memory) != seen_memory:
            obj.state = saved
            seen_memory, state = b"".join(memory), saved

    return Kind(BIT_GENERATOR.name, save, restore)
