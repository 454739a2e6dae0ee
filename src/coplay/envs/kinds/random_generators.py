"""How random generators, and the spaces that hold one, are saved and restored."""

from __future__ import annotations

from typing import Any

from coplay.envs.kinds.kind import Kind


def _save_bit_generator(obj: Any, _stack: list[Any]) -> Any:
    return obj.state


def _restore_bit_generator(obj: Any, saved: Any) -> None:
    obj.state = saved


def _save_random_state(obj: Any, _stack: list[Any]) -> Any:
    return obj.get_state(legacy=False)


def _restore_random_state(obj: Any, saved: Any) -> None:
    obj.set_state(saved)


def _save_python_random(obj: Any, _stack: list[Any]) -> Any:
    return obj.getstate()


def _restore_python_random(obj: Any, saved: Any) -> None:
    obj.setstate(saved)


# Spaces are constant, except for the generator behind `space.sample()`.


def _save_space(obj: Any, stack: list[Any]) -> Any:
    generator = obj._np_random
    if generator is not None:
        stack.append(generator)
    return generator


def _restore_space(obj: Any, saved: Any) -> None:
    obj._np_random = saved


def _save_composite_space(obj: Any, stack: list[Any]) -> Any:
    stack.append(obj.spaces)
    return _save_space(obj, stack)


BIT_GENERATOR = Kind("generator", _save_bit_generator, _restore_bit_generator)
RANDOM_STATE = Kind("generator", _save_random_state, _restore_random_state)
PYTHON_RANDOM = Kind("generator", _save_python_random, _restore_python_random)
SPACE = Kind("space", _save_space, _restore_space)
COMPOSITE_SPACE = Kind("space", _save_composite_space, _restore_space)
SPACES = (SPACE, COMPOSITE_SPACE)
