"""Instances, with a dict or slots, and watched names of modules and classes."""

from __future__ import annotations

from typing import Any

from coplay.envs.kinds.kind import ATOMS, MISSING, Kind


class Namespace:
    """Some names of a module or class, as an object that holds their values.

    Attributes:
        owner: The module or class.
        names: The names.
    """

    __slots__ = ("names", "owner")

    def __init__(self, owner: Any, names: list[str]) -> None:
        self.owner = owner
        self.names = names


def _save_namespace(obj: Namespace, stack: list[Any]) -> Any:
    held = vars(obj.owner)
    saved = [held.get(name, MISSING) for name in obj.names]
    stack += [v for v in saved if type(v) not in ATOMS]
    return saved


def _restore_namespace(obj: Namespace, saved: Any) -> None:
    held = vars(obj.owner)
    for name, value in zip(obj.names, saved, strict=True):
        # Only what differs: setting an attribute of a class invalidates the interpreter's caches for it.
        if held.get(name, MISSING) is value:
            continue
        if value is MISSING:
            delattr(obj.owner, name)
        else:
            setattr(obj.owner, name, value)


def _save_instance(obj: Any, stack: list[Any]) -> Any:
    saved = obj.__dict__.copy()
    stack += [v for v in saved.values() if type(v) not in ATOMS]
    return saved


def _restore_instance(obj: Any, saved: Any) -> None:
    attributes = obj.__dict__
    if list(attributes) != list(saved):  # clearing a dict makes CPython give up its compact layout
        attributes.clear()
    attributes.update(saved)


def slots_of(cls: type) -> list[str]:
    """Return the names of a class's slots, private ones in their mangled form.

    Args:
        cls: The class; slots of its bases are included.
    """
    names: list[str] = []
    for base in cls.__mro__:
        declared = vars(base).get("__slots__", ())
        for name in (declared,) if isinstance(declared, str) else declared:
            if name in ("__dict__", "__weakref__"):
                continue
            mangled = name.startswith("__") and not name.endswith("__")
            names.append(f"_{base.__name__.lstrip('_')}{name}" if mangled else name)
    return names


def slotted_kind(cls: type, *, content: Kind | None) -> Kind:
    """Return the kind of instances that have slots, a container as base class, or both.

    Args:
        cls: Their class.
        content: Kind of the container base, if there is one.
    """
    names = slots_of(cls)
    has_dict = any("__dict__" in vars(base) for base in cls.__mro__)

    def save(obj: Any, stack: list[Any]) -> Any:
        values = [getattr(obj, name, MISSING) for name in names]
        stack += [v for v in values if type(v) not in ATOMS]
        attributes = _save_instance(obj, stack) if has_dict else None
        return values, attributes, None if content is None else content.save(obj, stack)

    def restore(obj: Any, saved: Any) -> None:
        values, attributes, inner = saved
        for name, value in zip(names, values, strict=True):
            # A class may override `__setattr__`, as frozen dataclasses do.
            if value is not MISSING:
                object.__setattr__(obj, name, value)
            elif getattr(obj, name, MISSING) is not MISSING:
                object.__delattr__(obj, name)
        if has_dict:
            _restore_instance(obj, attributes)
        if content is not None and content.restore is not None:
            content.restore(obj, inner)

    return Kind("slotted" if content is None else f"slotted {content.name}", save, restore)


INSTANCE = Kind("object", _save_instance, _restore_instance)
NAMESPACE = Kind("namespace", _save_namespace, _restore_namespace)
