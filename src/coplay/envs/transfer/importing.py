"""Puts a received graph (see `exporting`) into the receiver's own environment.

`make` changes no existing object. If `fill` fails, the caller restores the objects that it changed.
"""

from __future__ import annotations

import array
from typing import Any, Final

import numpy as np

from coplay.envs.kinds.registry import KINDS
from coplay.envs.transfer.exporting import ExportedGraph, Tree
from coplay.envs.transfer.factory import ObjectFactory
from coplay.envs.transfer.generators import state_of
from coplay.envs.transfer.known_objects import KnownObjects
from coplay.envs.transfer.overlay import NOTHING, Overlay
from coplay.envs.transfer.wire import NodeRef
from coplay.errors import StateTransferError

# Instances are filled before containers, because hashing a key may need its attributes.
_LATER: Final = ("cell", "list", "deque", "dict", "set", "namespace")


class GraphImporter:
    """Creates the objects of a received graph and fills them.

    Args:
        roots: `(name, NodeRef)` of each root.
        nodes: Each node's tree.
        own: The receiver's state before the import.
        known: What the receiver's environment defines.

    Attributes:
        touched: The receiver's objects that `fill` changes.

    Raises:
        StateTransferError: The graph does not fit the environment.
    """

    def __init__(self, roots: Tree, nodes: Tree, own: ExportedGraph, known: KnownObjects) -> None:
        overlay = Overlay(roots, nodes, own, known)
        self.touched = [obj for obj in overlay.objects if obj is not NOTHING]
        self._nodes = nodes
        self._filled: set[int] = set()
        self._factory = ObjectFactory(nodes, overlay, own, known, self._make_hashable)

    def make(self) -> None:
        """Find or create the object of each node, without changing existing ones."""
        for index in range(len(self._nodes)):
            self._factory.object(index)

    def objects(self, references: Tree) -> list[Any]:
        """Return the objects of some nodes.

        Args:
            references: `NodeRef`s.
        """
        return [self._factory.object(reference.index) for reference in references]

    def fill(self) -> None:
        """Put the contents of all nodes into their objects."""
        later: dict[str, list[int]] = {name: [] for name in _LATER}
        for index, node in enumerate(self._nodes):
            name = node[0].rpartition(" ")[2] if node[0] != "slotted" else "slotted"
            if name in later:
                later[name].append(index)
            else:
                self._fill(index)
        for indices in later.values():
            for index in indices:
                self._fill(index)

    def _make_hashable(self, tree: Tree) -> None:
        """Fill the objects that a key consists of, before it is hashed."""
        if type(tree) is NodeRef:
            node = self._nodes[tree.index]
            if node[0] == "tuple":
                self._factory.object(tree.index)
                for part in node[3]:
                    self._make_hashable(part)
            elif node[0] in ("object", "slotted"):
                self._fill(tree.index)

    def _fill(self, index: int) -> None:
        if index in self._filled:
            return
        self._filled.add(index)
        name, _, _, contents = self._nodes[index]
        if name in ("tuple", "through", "memory"):
            return
        obj = self._factory.object(index)
        kind = KINDS[type(obj)]
        if kind.name != name or kind.restore is None:
            raise StateTransferError(
                f"the received state has a {name} in place of a {type(obj).__qualname__}"
            )
        if name.startswith("slotted"):
            values, attributes, inner = contents
            inner_name = name.removeprefix("slotted").strip()
            kind.restore(
                obj,
                (
                    [self._factory.value(tree) for tree in values],
                    None if attributes is None else self._flat(attributes),
                    self._contents(inner_name, obj, inner) if inner_name else None,
                ),
            )
        else:
            held = self._contents(name, obj, contents)
            if held is not NOTHING:
                kind.restore(obj, held)
        if isinstance(obj, np.ndarray) and obj.flags.writeable and contents[0] and not _writeable(contents):
            obj.setflags(write=False)

    def _contents(self, name: str, obj: Any, tree: Tree) -> Any:  # noqa: C901 (a table with one line per kind)
        match name:
            case "object":
                return self._flat(tree)
            case "dict":
                return self._flat(tree[1])
            case "list":
                return [self._factory.value(held) for held in tree]
            case "set":
                for held in tree:
                    self._make_hashable(held)
                return [self._factory.value(held) for held in tree]
            case "deque":
                return [self._factory.value(held) for held in tree[1]]
            case "array":
                return self._elements(obj, *tree)
            case "generator":
                return state_of(obj, tree)
            case "buffer":
                return array.array(tree[0], tree[1]) if tree[0] else tree[1]
            case "cell":
                return self._factory.value(tree[0])
            case "namespace":
                held_by_name = dict(tree)
                return [self._factory.value(held_by_name[attribute]) for attribute in obj.names]
            case "space":
                return self._factory.value(tree[1])
        raise StateTransferError(f"the received state has an object of unknown kind: {name}")

    def _flat(self, tree: Tree) -> dict[Any, Any]:
        for key in tree[::2]:
            self._make_hashable(key)
        return {
            self._factory.value(key): self._factory.value(held)
            for key, held in zip(tree[::2], tree[1::2], strict=True)
        }

    def _elements(self, obj: Any, layout: Tree, place: Tree, contents: Tree) -> Any:
        if obj.dtype.hasobject:
            elements = np.empty(len(contents), object)
            for position, tree in enumerate(contents):
                elements[position] = self._factory.value(tree)
            return elements.reshape(layout[1])
        if place is not None and not contents and obj.size:
            return NOTHING  # a view: its memory is another array's, which is filled
        return np.frombuffer(contents, obj.dtype).reshape(layout[1])


def _writeable(contents: Tree) -> bool:
    return bool((contents[0] if len(contents) == 3 and type(contents[0][0]) is str else contents[2][0])[2])
