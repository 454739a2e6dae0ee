"""States of random generators as trees, and new generators to put them into.

numpy does not check a position in a state against the length of its buffer, and would read past its end. A
received state is therefore compared with the form of a real one first.
"""

from __future__ import annotations

import random
from typing import Any, Final

import numpy as np

from coplay.envs.kinds.registry import kind_of
from coplay.errors import StateTransferError

Tree = Any

BIT_GENERATORS: Final = (
    np.random.PCG64,
    np.random.PCG64DXSM,
    np.random.MT19937,
    np.random.Philox,
    np.random.SFC64,
)
# The largest position in each generator's buffer, by its key in the state.
_POSITIONS: Final = {"pos": 624, "buffer_pos": 4}


def state_tree(state: Any) -> Tree:
    """Return a generator's state as a tree.

    Args:
        state: Nested dicts and tuples of numbers and arrays.
    """
    if isinstance(state, dict):
        return "dict", tuple([(key, state_tree(held)) for key, held in state.items()])
    if isinstance(state, tuple):
        return "tuple", tuple(map(state_tree, state))
    if isinstance(state, np.ndarray):
        return "array", state.tobytes()
    return state.item() if isinstance(state, np.generic) else state


def state_of(obj: Any, tree: Tree) -> Any:
    """Return the state that a tree stands for.

    Args:
        obj: A generator of the class that the state is for.
        tree: The tree.

    Raises:
        StateTransferError: It does not have the form of a state of that class.
    """
    own = kind_of(type(obj)).save(obj, [])
    return _checked(state_tree(own), tree, "", own)


def new_generator(cls: type) -> Any:
    """Return a new generator, in an arbitrary state.

    Args:
        cls: Its class.

    Raises:
        StateTransferError: Generators of the class cannot be created.
    """
    if issubclass(cls, random.Random):
        return random.Random.__new__(cls)
    if cls is np.random.RandomState or cls in BIT_GENERATORS:
        return cls(0)
    raise StateTransferError(f"a {cls.__qualname__} cannot be created")


def _checked(template: Tree, tree: Tree, name: str, raw: Any) -> Any:
    """Return a received state if it has the form of one of the same class.

    Args:
        template: Tree of a state of the class.
        tree: The received tree.
        name: Key under which the state holds it.
        raw: The state whose tree is `template`.
    """
    if isinstance(raw, dict):
        own, theirs = dict(template[1]), dict(tree[1])
        if tree[0] != "dict" or own.keys() != theirs.keys():
            raise StateTransferError("a received random generator has a malformed state")
        return {key: _checked(own[key], theirs[key], key, raw[key]) for key in own}
    if isinstance(raw, tuple):
        if tree[0] != "tuple" or len(tree[1]) != len(raw):
            raise StateTransferError("a received random generator has a malformed state")
        return tuple(
            [_checked(*parts) for parts in zip(template[1], tree[1], [""] * len(raw), raw, strict=True)]
        )
    if isinstance(raw, np.ndarray):
        if tree[0] != "array" or len(tree[1]) != raw.nbytes:
            raise StateTransferError("a received random generator has a malformed state")
        return np.frombuffer(tree[1], raw.dtype).reshape(raw.shape)
    number = type(tree) is int and 0 <= tree < 1 << 128 and tree <= _POSITIONS.get(name, tree)
    if isinstance(raw, str):
        fits = tree == raw
    elif type(raw) is int:
        fits = number
    else:
        fits = tree is None or type(tree) is float
    if not fits:
        raise StateTransferError("a received random generator has a malformed state")
    return tree
