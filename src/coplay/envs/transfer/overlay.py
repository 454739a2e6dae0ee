"""The matching of received nodes with the receiver's own objects, which take their contents.

The two graphs are compared from the roots down. Where both have an object of the same class in the same
place, the receiver's own object takes the contents, so that references from elsewhere (a wrapper, a study's
drawing) stay valid. Objects that the environment's code holds by name are found by that name.
"""

from __future__ import annotations

from typing import Any

from coplay.envs.kinds.registry import PLAIN, kind_of
from coplay.envs.transfer.exporting import ExportedGraph, Tree
from coplay.envs.transfer.known_objects import KnownObjects
from coplay.envs.transfer.wire import NodeRef
from coplay.errors import StateTransferError

NOTHING: Any = object()


class Overlay:
    """A mapping of received nodes to the receiver's own objects.

    Args:
        roots: `(name, NodeRef)` of each received root.
        nodes: Each received node's tree.
        own: The receiver's state before the import.
        known: What the receiver's environment defines.

    Attributes:
        objects: Each node's own object, or `NOTHING`.
        found: The receiver's values in place of those that cannot be sent, by the id of the received tuple.

    Raises:
        StateTransferError: The graph does not fit the environment.
    """

    def __init__(self, roots: Tree, nodes: Tree, own: ExportedGraph, known: KnownObjects) -> None:
        self.objects: list[Any] = [NOTHING] * len(nodes)
        self.found: dict[int, Any] = {}
        self._nodes = nodes
        self._own = own
        self._taken: set[int] = set()
        # A list of pairs to compare instead of recursion, because a received graph may be very deep.
        self._todo: list[tuple[int, int]] = []
        if [name for name, _ in roots] != [name for name, _ in own.roots]:
            raise StateTransferError("the received state belongs to another environment")
        # Objects that code holds by name are matched first, so that they take no other node's contents.
        self._find_named(known)
        for (_, theirs), (_, ours) in zip(roots, own.roots, strict=True):
            self._pair(theirs, ours)
        while self._todo:
            index, number = self._todo.pop()
            self._pair_contents(nodes[index][0], nodes[index][3], own.nodes[number][3])

    def _find_named(self, known: KnownObjects) -> None:
        numbers = {id(obj): number for number, obj in enumerate(self._own.objects)}
        for index, node in enumerate(self._nodes):
            if node[2] is None:
                continue
            obj = known.object_named(node[2])
            if obj is None:
                raise StateTransferError(
                    f"the received state uses {node[2]}, which the environment does not have"
                )
            number = numbers.get(id(obj))
            if number is not None:
                self._match(index, number)
            elif kind_of(type(obj)).name == node[0]:
                self.objects[index] = obj
                self._taken.add(id(obj))

    def _pair(self, theirs: Tree, ours: Tree) -> None:
        """Compare two values, and match the objects that they refer to."""
        if type(theirs) is NodeRef and type(ours) is NodeRef:
            self._match(theirs.index, ours.index)
        elif type(theirs) is tuple and type(ours) is tuple and theirs and ours:
            known = self._own.here.get(id(ours))
            if known is None:
                for their_part, our_part in zip(theirs, ours, strict=False):
                    self._pair(their_part, our_part)
            # A value that cannot be sent: an equal label stands for the receiver's own value.
            elif theirs == ours:
                self.found[id(theirs)] = known[1]

    def _match(self, index: int, number: int) -> bool:
        """Let an own object take a node's contents if it can; return True if it does."""
        own = self._own.objects[number]
        # Each object takes one node only: otherwise two received objects would become one.
        if self.objects[index] is not NOTHING or id(own) in self._taken:
            return self.objects[index] is own
        node, own_node = self._nodes[index], self._own.nodes[number]
        if node[:3] != own_node[:3] or not self._fits(node[0], node[3], own_node[3]):
            return False
        self.objects[index] = own
        self._taken.add(id(own))
        self._todo.append((index, number))
        return True

    def _fits(self, name: str, theirs: Tree, ours: Tree) -> bool:
        """Return True if the received contents can be put into an object that has our contents."""
        if name.startswith("slotted "):
            return self._fits(name.removeprefix("slotted "), theirs[2], ours[2])
        if name in ("deque", "buffer", "space"):
            # Length limit, type code and constants of an existing object cannot be changed.
            return bool(theirs[0] == ours[0])
        if name == "memory":
            return bool(theirs == ours)
        if name == "through":
            size = {"function": 3, "builtin": 3}.get(theirs[0], 1)
            return bool(theirs[:size] == ours[:size])
        if name == "array":
            (layout, place, contents), (own_layout, own_place, own_contents) = theirs, ours
            if layout != own_layout or (place is None) != (own_place is None):
                return False
            # A read-only array cannot be filled, so it must hold the same numbers already.
            if place is None:
                return bool(layout[2] or contents == own_contents)
            return place[1:] == own_place[1:] and self._match(place[0].index, own_place[0].index)
        return True

    def _pair_contents(self, name: str, theirs: Tree, ours: Tree) -> None:
        if name.startswith("slotted"):
            self._pair(theirs[0], ours[0])
            if theirs[1] is not None and ours[1] is not None:
                self._pair_flat(theirs[1], ours[1])
            if inner := name.removeprefix("slotted").strip():
                self._pair_contents(inner, theirs[2], ours[2])
        elif name == "object":
            self._pair_flat(theirs, ours)
        elif name == "dict":
            self._pair(theirs[0], ours[0])
            self._pair_flat(theirs[1], ours[1])
        else:
            self._pair(theirs, ours)

    def _pair_flat(self, theirs: Tree, ours: Tree) -> None:
        own = {key: held for key, held in zip(ours[::2], ours[1::2], strict=True) if type(key) in PLAIN}
        for position, (key, held) in enumerate(zip(theirs[::2], theirs[1::2], strict=True)):
            if type(key) not in PLAIN:
                self._pair((key, held), ours[2 * position : 2 * position + 2])
            elif key in own:
                self._pair(held, own[key])
