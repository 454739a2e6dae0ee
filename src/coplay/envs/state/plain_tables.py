"""Large tables of plain data: saved once, and then only looked over.

A transition table has thousands of lists and dicts that never change, and copying them at every frame would
cost more than the simulation. The walk therefore takes a large dict or list that holds nothing but plain
containers and atoms as one thing. Whether it is still what was saved is decided exactly, by the identity of
everything in it, in a few loops that run in C; while it is, all snapshots share one copy and one digest.
"""

from __future__ import annotations

from itertools import chain, islice
from operator import is_
from typing import Any

from coplay.envs.kinds.registry import ATOM, ATOMS, Kind, kind_of

# Entries of the outermost container. It is part of what a checksum means: the same for every peer.
MIN_LENGTH = 16


class PlainTable:
    """The contents of one large container of plain data, at one moment.

    Attributes:
        root: The container.
        digest: Of the contents, once somebody asked for it.
    """

    __slots__ = (
        "_dict_keys",
        "_dict_sizes",
        "_dict_values",
        "_list_items",
        "_list_sizes",
        "dicts",
        "digest",
        "lists",
        "root",
    )

    def __init__(self, root: Any, dicts: list[dict[Any, Any]], lists: list[list[Any]]) -> None:
        self.root = root
        self.digest: bytes | None = None
        self.dicts = dicts
        self.lists = lists
        self._dict_sizes = list(map(len, dicts))
        self._dict_keys = list(chain.from_iterable(dicts))
        self._dict_values = list(chain.from_iterable(map(dict.values, dicts)))
        self._list_sizes = list(map(len, lists))
        self._list_items = list(chain.from_iterable(lists))

    def unchanged(self) -> bool:
        """Whether every container still holds the very same things in the same order."""
        dicts, lists = self.dicts, self.lists
        # With all sizes equal, walking saved and live things side by side compares like with like.
        return (
            list(map(len, lists)) == self._list_sizes
            and list(map(len, dicts)) == self._dict_sizes
            and all(map(is_, chain.from_iterable(lists), self._list_items))
            and all(map(is_, chain.from_iterable(map(dict.values, dicts)), self._dict_values))
            and all(map(is_, chain.from_iterable(dicts), self._dict_keys))
        )

    def contents(self) -> dict[int, Any]:
        """Give a copy of each container's contents, by the container's id, in walk order."""
        found: dict[int, Any] = {}
        keys, values, items = iter(self._dict_keys), iter(self._dict_values), iter(self._list_items)
        for holder, size in zip(self.dicts, self._dict_sizes, strict=True):
            found[id(holder)] = dict(zip(islice(keys, size), islice(values, size), strict=True))
        for row, size in zip(self.lists, self._list_sizes, strict=True):
            found[id(row)] = list(islice(items, size))
        return found

    def restore(self) -> None:
        """Put the contents back where they changed."""
        if self.unchanged():
            return
        contents = self.contents()
        for holder in self.dicts:
            holder.clear()
            holder.update(contents[id(holder)])
        for row in self.lists:
            row[:] = contents[id(row)]


def collect(root: Any) -> PlainTable | None:
    """Save a container of plain data; None when it holds anything else."""
    dicts: list[dict[Any, Any]] = []
    lists: list[list[Any]] = []
    seen: set[int] = set()
    todo = [root]
    while todo:
        obj = todo.pop()
        if id(obj) in seen:
            continue
        seen.add(id(obj))
        cls = type(obj)
        if cls is dict:
            dicts.append(obj)
            todo += [value for value in obj.values() if type(value) not in ATOMS]
            if not ATOMS.issuperset(map(type, obj)):
                todo += [key for key in obj if type(key) not in ATOMS]
        elif cls is list:
            lists.append(obj)
            todo += [value for value in obj if type(value) not in ATOMS]
        elif cls is tuple:
            todo += [value for value in obj if type(value) not in ATOMS]
        elif kind_of(cls) is not ATOM:
            return None
    return PlainTable(root, dicts, lists)


def _restore_bulk(_root: Any, saved: PlainTable) -> None:
    saved.restore()


def _save_bulk(root: Any, _stack: list[Any]) -> Any:
    return collect(root)


PLAIN_TABLE = Kind("table", _save_bulk, _restore_bulk)
