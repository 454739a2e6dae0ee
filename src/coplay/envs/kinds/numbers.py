"""Arrays, random generators and spaces."""

from __future__ import annotations

from typing import Any

from coplay.envs.kinds.kind import ATOMS, Kind


def _save_array(obj: Any, stack: list[Any]) -> Any:
    if obj.dtype.hasobject:
        stack += [v for v in obj.flat if type(v) not in ATOMS]
    return obj.copy()


def _restore_array(obj: Any, saved: Any) -> None:
    try:
        if obj.shape != saved.shape:
            obj.resize(saved.shape, refcheck=False)
        obj[...] = saved
    except ValueError:
        # A read-only view changes only through the array that it views, which is restored by itself.
        if obj.flags.writeable:
            raise


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


ARRAY = Kind("array", _save_array, _restore_array)
BIT_GENERATOR = Kind("generator", _save_bit_generator, _restore_bit_generator)
RANDOM_STATE = Kind("generator", _save_random_state, _restore_random_state)
PYTHON_RANDOM = Kind("generator", _save_python_random, _restore_python_random)
SPACE = Kind("space", _save_space, _restore_space)
COMPOSITE_SPACE = Kind("space", _save_composite_space, _restore_space)
SPACES = (SPACE, COMPOSITE_SPACE)
