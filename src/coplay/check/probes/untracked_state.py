"""Fingerprints of untracked state: what changes during play and is in no snapshot.

`coplay.envs` saves what it recognizes as state. Globals of other modules, attributes of other classes, caches
and counters are not part of it. If they change, they are the likely cause of a difference.
"""

import functools
import sys
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from coplay.envs import Environment
from coplay.envs.kinds.registry import ATOM, UNWALKABLE, Namespace, kind_of
from coplay.envs.state.walk import StateWalk

_LIBRARIES = frozenset(sys.stdlib_module_names) | {"gymnasium", "pettingzoo", "numpy", "coplay", "__main__"}
_MOST_NAMES = 3000
_PLAIN = (type, types.ModuleType, types.MethodType, types.BuiltinFunctionType, property)
_CACHE = type(functools.lru_cache(maxsize=1)(len))


def fingerprints(environment: Environment) -> dict[str, object]:
    """Return a comparable fingerprint of every name that belongs to the environment and is in no snapshot."""
    roots = environment.roots()
    watched = {
        (id(root.owner), name)
        for root in roots.values()
        if isinstance(root, Namespace)
        for name in root.names
    }
    held = {id(value) for value in roots.values()}
    found: dict[str, object] = {}
    for owner, prefix in _owners(environment):
        for name, value in list(vars(owner).items()):
            if name.startswith("__") or name == "_abc_impl" or (id(owner), name) in watched:
                continue
            if isinstance(value, _PLAIN) or id(value) in held:
                continue
            found[f"{prefix}.{name} ({type(value).__name__})"] = _fingerprint(value)
            if len(found) >= _MOST_NAMES:
                return found
    return found


def changes(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    """Return the names whose fingerprints changed, or that are new."""
    return sorted(name for name in after if name not in before or before[name] != after[name])


def _owners(environment: Environment) -> Iterator[tuple[Any, str]]:
    """Yield the modules of the environment's package and of the user's own files, and their classes."""
    layers = [environment.unwrapped, environment.env]
    packages = {cls.__module__.partition(".")[0] for layer in layers for cls in type(layer).__mro__}
    for module_name, module in sorted(sys.modules.items()):
        top = module_name.partition(".")[0]
        if top in _LIBRARIES or not isinstance(module, types.ModuleType):
            continue
        if top not in packages and not _is_own(module):
            continue
        yield module, module_name
        for value in list(vars(module).values()):
            if isinstance(value, type) and value.__module__ == module_name:
                yield value, f"{module_name}.{value.__qualname__}"


def _is_own(module: types.ModuleType) -> bool:
    path = getattr(module, "__file__", None)
    return path is not None and not {"site-packages", "dist-packages"} & set(Path(path).parts)


def _fingerprint(value: Any) -> object:
    if isinstance(value, staticmethod | classmethod):
        value = value.__func__
    if isinstance(value, _CACHE):
        return value.cache_info()[1:]  # misses and sizes; hits change without changing the cache
    if isinstance(value, types.GeneratorType):
        return None if value.gi_frame is None else value.gi_frame.f_lasti
    kind = kind_of(type(value))
    try:
        if kind is ATOM or kind is UNWALKABLE:
            return _described(value)
        walk = StateWalk({"it": value})
        return walk.checksum(walk.take())
    except Exception:  # noqa: BLE001 (any object may be here, and only its type is left to compare)
        return type(value).__name__


def _described(value: Any) -> str:
    """Return an object's repr or pickled form, such as a counter's number or an iterator's position."""
    text = repr(value)
    if " at 0x" not in text:
        return text[:1000]
    try:
        return repr(value.__reduce__())[:1000].split(" at 0x")[0]
    except Exception:  # noqa: BLE001 (an object's __reduce__ may raise anything)
        return type(value).__name__
