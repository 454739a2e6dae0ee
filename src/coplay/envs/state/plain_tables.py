"""Large tables of plain data, which are saved once and then only checked for changes.

A transition table has thousands of lists and dicts that never change, and copying them at every frame would
cost more than the simulation does. The walk therefore treats a large dict or list that holds nothing but
plain containers and atoms as one object. Changes are detected exactly, by the identity of everything in the
table, in a few loops that run in C. While there are none, all snapshots share one copy and one digest.
"""

from __future__ import annotations

from itertools import chain, islice
from operator import is_
from typing import Any, Final

from coplay.envs.kinds.registry import ATOM, ATOMS, Kind, kind_of

MIN_LENGTH: Final = 16
"""The least number of entries of a table. Changing this value would change every checksum."""


class PlainTable:
    """The contents of one large container of plain data, at one moment.

    Args:
        root: The outermost container.
        dicts: All dicts in it, in walk order, itself included.
        lists: All lists in it, likewise.

    Attributes:
        root: As given.
        dicts: As given.
        lists: As given.
        digest: Digest of the contents; None until the first checksum.
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
        """Return True if every container still holds the very same things in the same order."""
        dicts, lists = self.dicts, self.lists
        # Sizes first: only if all are equal do the chains pair each thing with what was in its place.
        return (
            list(map(len, lists)) == self._list_sizes
            and list(map(len, dicts)) == self._dict_sizes
            and all(map(is_, chain.from_iterable(lists), self._list_items))
            and all(map(is_, chain.from_iterable(map(dict.values, dicts)), self._dict_values))
            and all(map(is_, chain.from_iterable(dicts), self._dict_keys))
        )

    def contents(self) -> dict[int, Any]:
        """Return a copy of each container's contents, by the container's id, in walk order."""
        found: dict[int, Any] = {}
        keys, values, items = iter(self._dict_keys), iter(self._dict_values), iter(self._list_items)
        for holder, size in zip(self.dicts, self._dict_sizes, strict=True):
            found[id(holder)] = dict(zip(islice(keys, size), islice(values, size), strict=True))
        for row, size in zip(self.lists, self._list_sizes, strict=True):
            found[id(row)] = list(islice(items, size))
        return found

    def restore(self) -> None:
        """Put the contents back, if they changed."""
        if self.unchanged():
            return
        contents = self.contents()
        for holder in self.dicts:
            holder.clear()
            holder.update(contents[id(holder)])
        for row in self.lists:
            row[:] = contents[id(row)]


def collect_table(root: Any) -> PlainTable | None:
    """Return the contents of a container of plain data, or None if it holds anything else.

    Args:
        root: A dict or list.
    """
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


def _restore_table(_root: Any, saved: PlainTable) -> None:
    saved.restore()


def _save_table(root: Any, _stack: list[Any]) -> Any:
    return collect_table(root)


PLAIN_TABLE = Kind("table", _save_table, _restore_table)
