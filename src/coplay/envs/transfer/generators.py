"""Random generators' states, and new generators to put them into.

numpy does not hold what it is given against the length of its buffers, so that is done here.
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
_POSITIONS: Final = {"pos": 624, "buffer_pos": 4}


def state_tree(state: Any) -> Tree:
    """Give a generator's state, nested dicts and tuples of numbers and arrays, as a tree."""
    if isinstance(state, dict):
        return "dict", tuple([(key, state_tree(held)) for key, held in state.items()])
    if isinstance(state, tuple):
        return "tuple", tuple(map(state_tree, state))
    if isinstance(state, np.ndarray):
        return "array", state.tobytes()
    return state.item() if isinstance(state, np.generic) else state


def state_of(obj: Any, tree: Tree) -> Any:
    """Give the state that a tree stands for.

    Raises:
        StateTransferError: It has not the form that the states of `obj`'s class have.
    """
    own = kind_of(type(obj)).save(obj, [])
    return _checked(state_tree(own), tree, "", own)


def new_generator(cls: type) -> Any:
    """Make a generator of a class, in any state."""
    if issubclass(cls, random.Random):
        return random.Random.__new__(cls)
    if cls is np.random.RandomState or cls in BIT_GENERATORS:
        return cls(0)
    raise StateTransferError(f"a {cls.__qualname__} cannot be made")


def _checked(template: Tree, tree: Tree, name: str, raw: Any) -> Any:
    """Give a generator's state, if it has the form of one that the same class has."""
    if isinstance(raw, dict):
        own, theirs = dict(template[1]), dict(tree[1])
        if tree[0] != "dict" or own.keys() != theirs.keys():
            raise StateTransferError("a generator's state has another form")
        return {key: _checked(own[key], theirs[key], key, raw[key]) for key in own}
    if isinstance(raw, tuple):
        if tree[0] != "tuple" or len(tree[1]) != len(raw):
            raise StateTransferError("a generator's state has another form")
        return tuple(
            [_checked(*parts) for parts in zip(template[1], tree[1], [""] * len(raw), raw, strict=True)]
        )
    if isinstance(raw, np.ndarray):
        if tree[0] != "array" or len(tree[1]) != raw.nbytes:
            raise StateTransferError("a generator's state has another form")
        return np.frombuffer(tree[1], raw.dtype).reshape(raw.shape)
    number = type(tree) is int and 0 <= tree < 1 << 128 and tree <= _POSITIONS.get(name, tree)
    if isinstance(raw, str):
        fits = tree == raw
    elif type(raw) is int:
        fits = number
    else:
        fits = tree is None or type(tree) is float
    if not fits:
        raise StateTransferError("a generator's state has another form")
    return tree
