"""Creates the objects of a received graph that the receiver does not have.

A peer may send anything. Only classes that the environment uses are instantiated, and their constructors are
not called: an instance is allocated here and filled later, so that none of the environment's code runs.
"""

from __future__ import annotations

import array
import collections
import functools
import marshal
import math
import operator
import random
import types
import weakref
from collections.abc import Callable
from operator import is_
from typing import Any, Final

import numpy as np

from coplay.envs.kinds.registry import MISSING, PLAIN, kind_of
from coplay.envs.transfer.atoms import MAKERS, SIMPLE_DTYPE, member_of, number_of, of_subclass
from coplay.envs.transfer.exporting import ExportedGraph, Tree
from coplay.envs.transfer.generators import BIT_GENERATORS, new_generator
from coplay.envs.transfer.known_objects import KnownObjects
from coplay.envs.transfer.overlay import NOTHING, Overlay
from coplay.envs.transfer.wire import MAX_BYTES, NodeRef
from coplay.errors import StateTransferError

_MAX_NESTING: Final = 100
_DICTS: Final = (collections.OrderedDict, collections.Counter, collections.defaultdict, dict)
_MAKEABLE: Final = (
    *_DICTS,
    list,
    set,
    tuple,
    frozenset,
    collections.deque,
    np.ndarray,
    np.random.Generator,
    np.random.RandomState,
    *BIT_GENERATORS,
    random.Random,
    bytearray,
    array.array,
    types.CellType,
)
# Functions without side effects, which a received state may use even if the environment does not.
_HARMLESS: Final = {
    (holder.__name__, function.__name__): function
    for holder in (math, operator)
    for function in vars(holder).values()
    if isinstance(function, types.BuiltinFunctionType)
} | {
    ("builtins", function.__name__): function
    for function in (abs, all, any, divmod, len, max, min, pow, round, sum)
}
_WITH_METHODS: Final = (
    np.random.Generator,
    np.random.RandomState,
    random.Random,
    list,
    dict,
    set,
    collections.deque,
)


class ObjectFactory:
    """Finds or creates the object of each node, and the value of each tree in a node's contents.

    Args:
        nodes: Each node's tree.
        overlay: Which of the receiver's objects take which node.
        own: The receiver's state before the import.
        known: What the receiver's environment defines.
        make_hashable: Called with a value's tree before the value is hashed.
    """

    def __init__(
        self,
        nodes: Tree,
        overlay: Overlay,
        own: ExportedGraph,
        known: KnownObjects,
        make_hashable: Callable[[Tree], None],
    ) -> None:
        self._nodes = nodes
        self._objects = overlay.objects
        self._found = overlay.found
        self._own = own
        self._known = known
        self._make_hashable = make_hashable
        self._finished: set[int] = set()
        self._nesting = 0
        self._bytes = 0
        self._here = dict(reversed(own.here.values()))
        self._dtypes = {repr(o.dtype): o.dtype for o in own.objects if isinstance(o, np.ndarray)}

    def object(self, index: int) -> Any:
        """Return the object of a node.

        Args:
            index: The node's index.

        Raises:
            StateTransferError: It cannot be created.
        """
        if index in self._finished:
            return self._objects[index]
        node = self._nodes[index]
        if node[0] in ("tuple", "through"):
            self._nesting += 1
            if self._nesting > _MAX_NESTING:
                raise StateTransferError("the received state is nested too deeply")
            made = self._tuple(index, node) if node[0] == "tuple" else self._through(index, node)
            self._nesting -= 1
            self._objects[index] = made
        elif self._objects[index] is NOTHING:
            self._objects[index] = self._shell(node)
        self._finished.add(index)
        return self._objects[index]

    def _shell(self, node: Tree) -> Any:
        """Return a new object for a node, without its contents."""
        name, key, _, contents = node
        if name == "memory":
            self._count_bytes(contents)
            return np.zeros(contents, np.uint8)
        cls = self._class(key)
        # Otherwise a peer could have contents of one kind put into an object of another.
        if kind_of(cls).name != name:
            raise StateTransferError(f"the received state says that {cls.__qualname__} is a {name}")
        if name == "space":
            return self._own_space(cls, contents[0])
        if name == "slotted" or name == "object":
            plain: Any = types.SimpleNamespace if issubclass(cls, types.SimpleNamespace) else object
            return plain.__new__(cls)
        inner = contents[2] if name.startswith("slotted ") else contents
        return self._empty(name.removeprefix("slotted "), cls, inner)

    def _empty(self, name: str, cls: Any, contents: Tree) -> Any:
        """Return an empty container, array, generator or cell."""
        match name:
            case "dict":
                base = next(base for base in cls.__mro__ if base in _DICTS)
                made: Any = base.__new__(cls)
                if base is collections.defaultdict:
                    collections.defaultdict.__init__(made, self.value(contents[0]))
                return made
            case "list":
                return list.__new__(cls)
            case "set":
                return set.__new__(cls)
            case "deque":
                made = collections.deque.__new__(cls)
                collections.deque.__init__(made, (), contents[0])
                return made
            case "array":
                return self._array(cls, *contents)
            case "generator":
                return new_generator(cls)
            case "buffer":
                return array.array.__new__(cls, contents[0]) if contents[0] else bytearray.__new__(cls)
            case "cell":
                return types.CellType()
        raise StateTransferError(f"the received state has an object of unknown kind: {name}")

    def _class(self, key: Any) -> type:
        for cls in _MAKEABLE:
            if key == (cls.__module__, cls.__qualname__):
                return cls
        return self._known.class_named(key)

    def _own_space(self, cls: type, label: str) -> Any:
        for obj, node in zip(self._own.objects, self._own.nodes, strict=True):
            if type(obj) is cls and node[0] == "space" and node[3][0] == label:
                return obj
        raise StateTransferError(f"the received state holds a space that is not here: {label}")

    def _count_bytes(self, size: int) -> None:
        # A negative length in a shape would lower the count.
        self._bytes += size
        if size < 0 or self._bytes > MAX_BYTES:
            raise StateTransferError("the received state is too large")

    def _dtype(self, name: str) -> Any:
        known = self._dtypes.get(name)
        return np.dtype(name) if known is None and SIMPLE_DTYPE.fullmatch(name) else self._dtypes[name]

    def _array(self, cls: type, layout: Tree, place: Tree, _contents: Tree) -> Any:
        name, shape, _writeable = layout
        dtype = self._dtype(name)
        size = dtype.itemsize
        for length in shape:
            size *= length
        self._count_bytes(size)
        if place is None:
            return np.ndarray.__new__(cls, shape, dtype)
        base = self.object(place[0].index)
        if not isinstance(base, np.ndarray) or base.dtype.hasobject or dtype.hasobject:
            raise StateTransferError("a received array is a view of something other than an array of numbers")
        return np.ndarray.__new__(cls, shape, dtype, base, place[1], place[2])

    def _tuple(self, index: int, node: Tree) -> Any:
        _, key, _, contents = node
        values = [self.value(tree) for tree in contents]
        own = self._objects[index]
        if own is not NOTHING and len(own) == len(values) and all(map(_same, own, values)):
            return own
        cls: Any = self._class(key)
        if issubclass(cls, frozenset):
            for tree in contents:
                self._make_hashable(tree)
            # The order of a set depends on how it was filled. One of these two usually reproduces the order
            # of the sender's set, in which the environment iterates.
            tries = [frozenset.__new__(cls, order) for order in (values, values[::-1])]
            return next((made for made in tries if list(made) == values), tries[0])
        return tuple(values) if cls is tuple else tuple.__new__(cls, values)

    def _through(self, index: int, node: Tree) -> Any:
        """Return a function, method, partial, reference or generator; an existing one if it is the same."""
        _, _, name, contents = node
        own = self._objects[index]
        if own is not NOTHING and name is not None:
            return own
        match contents:
            case ("function", str(module), str(name), (defaults, keywords, attributes), cells):
                return self._function(own, (module, name), (defaults, keywords, attributes, *cells))
            case ("method", function, holder):
                return self._method(own, self.value(function), self.value(holder))
            case ("builtin", str(name), str(module), None):
                return self._module_function(module, name) if own is NOTHING else own
            case ("builtin", str(name), None, holder):
                return self._builtin_method(own, name, self.value(holder))
            case ("partial", function, args, keywords):
                return self._partial(own, [self.value(tree) for tree in (function, args, keywords)])
            case ("reference", target):
                target = self.value(target)
                same = own is not NOTHING and own() is target
                # A dead reference: its temporary target is freed as soon as this returns.
                return own if same else weakref.ref(set() if target is None else target)
            case ("random", bits):
                return self._random(own, self.value(bits))
        raise StateTransferError("the received state has an object of unknown kind")

    def _function(self, own: Any, key: tuple[str, str], trees: tuple[Tree, ...]) -> Any:
        defaults, keywords, attributes, *cells = parts = [self.value(tree) for tree in trees]
        if own is not NOTHING:
            held = (own.__defaults__, own.__kwdefaults__, own.__dict__, *(own.__closure__ or ()))
            if len(held) == len(parts) and all(map(is_, held, parts)):
                return own
        made = self._known.make_function(key, defaults, keywords, tuple(cells))
        if attributes is not None:
            made.__dict__ = attributes
        return made

    def _method(self, own: Any, function: Any, holder: Any) -> Any:
        if own is not NOTHING and own.__func__ is function and own.__self__ is holder:
            return own
        if not isinstance(function, types.FunctionType):
            raise StateTransferError("a received method has no function")
        return types.MethodType(function, holder)

    def _builtin_method(self, own: Any, name: str, holder: Any) -> Any:
        if own is not NOTHING and own.__self__ is holder:
            return own
        if type(holder) not in _WITH_METHODS:
            raise StateTransferError(
                f"the received state uses a method {name}, which the environment does not use"
            )
        return getattr(holder, name)

    def _partial(self, own: Any, parts: list[Any]) -> Any:
        if own is not NOTHING and all(map(is_, (own.func, own.args, own.keywords), parts)):
            return own
        partial: Any = functools.partial(parts[0])
        # The constructor would copy the arguments, which other objects may share.
        partial.__setstate__((*parts, None))
        return partial

    def _random(self, own: Any, bits: Any) -> Any:
        if own is not NOTHING and own.bit_generator is bits:
            return own
        if not isinstance(bits, np.random.BitGenerator):
            raise StateTransferError("a received random generator has no bit generator")
        return np.random.Generator(bits)

    def _module_function(self, module: str, name: str) -> Any:
        """Return a function in C: one without side effects, or one that the environment holds itself."""
        harmless = _HARMLESS.get((module, name))
        if harmless is not None:
            return harmless
        for obj, node in zip(self._own.objects, self._own.nodes, strict=True):
            if node[0] == "through" and node[3][:3] == ("builtin", name, module):
                return obj
        raise StateTransferError(
            f"the received state uses {module}.{name}, which the environment does not use"
        )

    # Values

    def value(self, tree: Tree) -> Any:
        """Return the value that a tree stands for.

        Args:
            tree: A plain value, a `NodeRef`, or a tuple that says how to find or make the value.

        Raises:
            StateTransferError: The tree refers to something that the receiver does not have.
        """
        if type(tree) is NodeRef:
            return self.object(tree.index)
        if type(tree) is not tuple:
            return tree
        if id(tree) in self._found:
            return self._found[id(tree)]
        match tree:
            case ("missing",):
                return MISSING
            case ("drawing",):
                return None
            case ("here", _, _) if tree in self._here:
                return self._here[tree]
            case ("named", str(module), str(name)):
                found = self._known.object_named((module, name))
                if found is not None:
                    return found
            case (str(name), *parts) if name in MAKERS:
                return MAKERS[name](*map(self.value, parts))
        return self._constant(tree)

    def _constant(self, tree: Tree) -> Any:
        """Return a class, an enum member, a numpy scalar, or a value of a subclass of a plain type."""
        match tree:
            case ("class", str(module), str(name)):
                return self._known.class_named((module, name))
            case ("enum", str(module), str(name), member):
                return member_of(self._known.class_named((module, name)), self.value(member))
            case ("number", str(code), bytes(raw)):
                return number_of(code, raw)
            case ("of", str(module), str(name), plain):
                return of_subclass(self._known.class_named((module, name)), plain)
        raise StateTransferError(f"the received state refers to something that is not here: {tree[:3]}")


def _same(own: Any, value: Any) -> bool:
    """Return True if two items of a tuple are one object, or the same plain value bit for bit."""
    if own is value:
        return True
    return (
        type(own) is type(value) and type(own) in PLAIN and marshal.dumps(own, 2) == marshal.dumps(value, 2)
    )
