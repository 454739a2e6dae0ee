"""How numpy arrays are saved and restored."""

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
        # A read-only view changes only through the array that it views, which is restored separately.
        if obj.flags.writeable:
            raise


ARRAY = Kind("array", _save_array, _restore_array)
