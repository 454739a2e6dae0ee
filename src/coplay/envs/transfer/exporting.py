"""Turns a snapshot into a graph of plain nodes, in the form that `wire` can write.

A node is `(kind, class, name, contents)`, where the name is that of a known object or None. In the contents,
a value that cannot change is written as it is, or as a tuple that says how to find or make it; everything
else is a `NodeRef` to its node.
"""

from __future__ import annotations

import array
import collections
import enum
import functools
import types
import weakref
from collections.abc import Mapping
from typing import Any

import numpy as np

from coplay.envs.kinds.registry import ATOM, ATOMS, DRAWING, MISSING, PLAIN, UNWALKABLE, Kind, kind_of
from coplay.envs.state.plain_tables import PLAIN_TABLE, PlainTable
from coplay.envs.state.snapshot import Snapshot
from coplay.envs.transfer.atoms import BARE, PARTS, SIMPLE_DTYPE
from coplay.envs.transfer.generators import state_tree
from coplay.envs.transfer.known_objects import KnownObjects, key_of, label_of
from coplay.envs.transfer.wire import NodeRef
from coplay.errors import StateTransferError

Tree = Any


class ExportedGraph:
    """A snapshot as a graph of plain nodes.

    Args:
        snapshot: The snapshot.
        known: What the environment defines; classes and functions that the snapshot uses are added.

    Attributes:
        roots: `(name, NodeRef)` of each root.
        members: A `NodeRef` for each member of the plan.
        tables: Places of the members that are saved as a plain table.
        nodes: Each node's tree.
        objects: Each node's object.
        here: (tuple, value) of each value that cannot be sent, by the id of the tuple sent in its place. The
            receiver replaces the tuple by its own value.
    """

    def __init__(self, snapshot: Snapshot, known: KnownObjects) -> None:
        self._known = known
        self._contents = contents_of(snapshot)
        self._numbers: dict[tuple[int, str], int] = {}
        self._todo: collections.deque[tuple[str, Any]] = collections.deque()
        self.objects: list[Any] = []
        self.nodes: list[Tree] = []
        self.here: dict[int, tuple[Tree, Any]] = {}
        known.add_classes(type(obj) for obj in snapshot.objects.values())
        self.roots = tuple([(name, self.value(root)) for name, root in snapshot.roots.items()])
        members = snapshot.plan.members
        self.members = tuple([self._ref("object", obj) for _kind, obj in members])
        self.tables = tuple([place for place, (kind, _obj) in enumerate(members) if kind is PLAIN_TABLE])
        while self._todo:
            form, obj = self._todo.popleft()
            self.nodes.append(self._memory(obj) if form == "memory" else self._node(obj))

    def value(self, value: Any) -> Tree:
        """Return the tree of a value.

        Args:
            value: Anything that an object of the snapshot holds.
        """
        cls = type(value)
        if cls in PLAIN:
            return value
        if value is MISSING:
            return ("missing",)
        kind = ATOM if cls in ATOMS else kind_of(cls)
        if kind is DRAWING:
            drawing = tuple(["drawing"])  # noqa: C409 (a literal would be one shared tuple, and `here` needs its id)
            self.here[id(drawing)] = drawing, value
            return drawing
        if kind is ATOM or kind is UNWALKABLE:
            return self._atom(value)
        return self._ref("object", value)

    def _ref(self, form: str, obj: Any) -> NodeRef:
        key = id(obj), form
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.objects)
            self.objects.append(obj)
            self._todo.append((form, obj))
        return NodeRef(number)

    # Values that cannot change

    def _atom(self, value: Any) -> Tree:
        cls = type(value)
        if isinstance(value, type):
            self._known.add_classes((value,))
            return "class", *key_of(value)
        name = self._known.name_of(value)
        if name is not None:
            return "named", *name
        if isinstance(value, enum.Enum):
            self._known.add_classes((cls,))
            return (
                "enum",
                *key_of(cls),
                value.name if value.name in cls.__members__ else self.value(value.value),
            )
        if isinstance(value, np.generic) and SIMPLE_DTYPE.fullmatch(value.dtype.str):
            return "number", value.dtype.str, value.tobytes()
        for base, bare in BARE:
            if isinstance(value, base):
                self._known.add_classes((cls,))
                return "of", *key_of(cls), bare(value)
        parts_of = PARTS.get(cls)
        if parts_of is not None:
            return (cls.__name__, *[self.value(part) for part in parts_of(value)])
        tree = "here", f"{cls.__module__}.{cls.__qualname__}", label_of(value)
        self.here[id(tree)] = tree, value
        return tree

    # Nodes

    def _node(self, obj: Any) -> Tree:
        cls = type(obj)
        nothing: tuple[Kind, Any] = kind_of(cls), None
        kind, saved = self._contents.get(id(obj), nothing)
        name = kind.name
        contents: Tree
        if name.startswith("slotted"):
            values, attributes, inner = saved
            inner_name = name.removeprefix("slotted").strip()
            contents = (
                tuple(map(self.value, values)),
                None if attributes is None else self._flat(attributes),
                self._parts(inner_name, obj, inner) if inner_name else None,
            )
        else:
            contents = self._parts(name, obj, saved)
        return name, key_of(cls), self._known.name_of(obj), contents

    def _parts(self, name: str, obj: Any, saved: Any) -> Tree:  # noqa: C901 (a table with one line per kind)
        value = self.value
        match name:
            case "object":
                return self._flat(saved)
            case "dict":
                factory = obj.default_factory if isinstance(obj, collections.defaultdict) else None
                return value(factory), self._flat(saved)
            case "list" | "set":
                return tuple(map(value, saved))
            case "tuple":
                return tuple(map(value, obj))
            case "deque":
                return obj.maxlen, tuple(map(value, saved))
            case "array":
                return self._array(obj, saved)
            case "generator":
                return state_tree(saved)
            case "buffer":
                code = saved.typecode if isinstance(saved, array.array) else ""
                return code, saved.tobytes() if code else bytes(saved)
            case "cell":
                return (value(saved),)
            case "namespace":
                return tuple([(key, value(held)) for key, held in zip(obj.names, saved, strict=True)])
            case "space":
                composite = getattr(obj, "spaces", None)
                return label_of(obj), value(saved), None if composite is None else value(composite)
            case "through":
                return self._through(obj)
        raise StateTransferError(f"a {type(obj).__qualname__} cannot be sent")

    def _flat(self, contents: Mapping[Any, Any]) -> Tree:
        flat = []
        for key, held in contents.items():
            flat.append(self.value(key))
            flat.append(self.value(held))
        return tuple(flat)

    def _through(self, obj: Any) -> Tree:
        value = self.value
        if isinstance(obj, types.FunctionType):
            self._known.add_function(obj)
            cells = tuple(map(value, obj.__closure__ or ()))
            held = value(obj.__defaults__), value(obj.__kwdefaults__), value(obj.__dict__)
            return "function", obj.__module__ or "", obj.__qualname__, held, cells
        if isinstance(obj, types.MethodType):
            return "method", value(obj.__func__), value(obj.__self__)
        if isinstance(obj, types.BuiltinFunctionType):
            holder = obj.__self__
            module = holder.__name__ if isinstance(holder, types.ModuleType) else None
            return "builtin", obj.__name__, module, None if module else value(holder)
        if isinstance(obj, functools.partial):
            return "partial", value(obj.func), value(obj.args), value(obj.keywords)
        if isinstance(obj, weakref.ref):
            return "reference", value(obj())
        return "random", value(obj.bit_generator)

    # Arrays that share memory must share it at the receiver too.

    def _array(self, obj: Any, saved: Any) -> Tree:
        kind = saved.dtype.str if SIMPLE_DTYPE.fullmatch(saved.dtype.str) else repr(saved.dtype)
        layout: Tree = kind, saved.shape, obj.flags.writeable
        if saved.dtype.hasobject:
            if _owner(obj) is not obj and id(_owner(obj)) in self._contents:
                raise StateTransferError("a view of an array of objects cannot be sent")
            return layout, None, tuple(map(self.value, saved.flat))
        owner = _owner(obj)
        if obj.shape != saved.shape or (owner is obj and obj.flags.c_contiguous):
            return layout, None, saved.tobytes()
        start = obj.__array_interface__["data"][0]
        if owner is not obj and id(owner) in self._contents and owner.flags.c_contiguous:
            place = self.value(owner), start - owner.__array_interface__["data"][0], obj.strides
            return layout, place, b""
        place = self._ref("memory", owner), start - np.lib.array_utils.byte_bounds(owner)[0], obj.strides
        return layout, place, saved.tobytes()

    def _memory(self, owner: Any) -> Tree:
        low, high = np.lib.array_utils.byte_bounds(owner)
        return "memory", key_of(type(owner)), None, int(high - low)


def contents_of(snapshot: Snapshot) -> dict[int, tuple[Kind, Any]]:
    """Return (kind, contents) of every holder, by its id.

    Args:
        snapshot: The snapshot.
    """
    found = {id(obj): (kind, saved) for kind, obj, saved in snapshot.records if kind is not PLAIN_TABLE}
    for _kind, _obj, saved in snapshot.records:
        if isinstance(saved, PlainTable):
            for key, held in saved.contents().items():
                found[key] = kind_of(type(held)), held
    return found


def _owner(obj: Any) -> Any:
    while isinstance(obj.base, np.ndarray):
        obj = obj.base
    return obj
