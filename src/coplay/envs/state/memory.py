"""Looks at what CPython and numpy keep of dicts, lists, arrays and generators, where they keep it.

Whether hundreds of objects still hold what they held is decided by comparing words of memory: the addresses
in a list, the keys and values in a dict's table, an array's shape, strides and numbers, a generator's state.
All of these are read in three calls into C, by numpy where they are many and scattered. The first reads the
objects themselves, which are kept alive and so stay where they are. The others read what they point to, long
runs last, and only after the first has shown that they point to the same places as ever, and are as large.

No layout is taken for granted: an object is looked at in this way only if, when it is added, what it is known
to hold is found exactly where this module expects it. Otherwise its owner looks at it through Python. What is
seen here may change without the contents (a list that grew and shrank has moved); the opposite cannot be.
"""

from __future__ import annotations

import functools
import struct
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np

_WORD: Final = struct.calcsize("P")
_FIRST: Final = 2  # the words of an object after its reference count and its type
_DICT_WORDS: Final = dict.__basicsize__ // _WORD
_DICT_POINTERS: Final = (_DICT_WORDS - 2, _DICT_WORDS - 1)  # to its table, and to values outside of it
_MANAGED: Final = 1 << 4  # of a class whose instances have their dict in front of them
_MANAGED_OFFSET: Final = -3 * _WORD
_MOST_SHARED: Final = 30  # keys
_ARRAY_WORDS: Final = 7  # data, dimensions' count, dimensions, strides, base, type, flags
_LONG_RUN: Final = 8  # words, which are sooner joined than gathered
_FEW_RUNS: Final = 24  # of whatever length, likewise


def _open_memory() -> Any:
    try:
        import ctypes
    except ImportError:
        return None
    if sys.implementation.name != "cpython" or sys.byteorder != "little":
        return None
    end = 1 << (56 if _WORD == 8 else 31)
    try:
        whole: Any = ctypes.c_size_t * (end // _WORD - 1)
        return np.frombuffer(whole.from_address(_WORD), np.uintp)
    except (ValueError, OverflowError, MemoryError):
        return None


_memory = _open_memory()
_bytes = memoryview(b"" if _memory is None else _memory).cast("B")


def _places(address: int, count: int) -> range:
    begin = address // _WORD - 1
    return range(begin, begin + count)


def _where_found(add: Callable[[MemoryWatch, Any], bool]) -> Callable[[MemoryWatch, Any], bool]:
    @functools.wraps(add)
    def added(words: MemoryWatch, obj: Any) -> bool:
        if _memory is None:
            return False
        try:
            return add(words, obj)
        except IndexError:  # beyond what numpy can reach
            return False

    return added


class MemoryWatch:
    """MemoryWatch of memory, as they were when they were added.

    Every `add_…` returns whether it took the object; the caller keeps those alive that it took.
    """

    def __init__(self) -> None:
        self._own: list[int] = []
        self._behind: list[int] = []
        self._long: list[memoryview] = []
        self._looks: list[tuple[Callable[[], bytes], bytes]] = []

    def seal(self) -> None:
        """Remember what all that was added looks like now."""
        short: list[int] = []
        for begin, end in _runs_of(self._behind):
            if end - begin < _LONG_RUN:
                short += range(begin, end)
            else:
                self._long.append(_view(begin, end))
        reads = _read_each(self._own), _read_each(short), _joined(self._long)
        self._looks = [(read, read()) for read in reads if read is not None]

    def unchanged(self) -> bool:
        """Tell whether every word is what it was."""
        for read, words in self._looks:  # noqa: SIM110 (a generator takes longer than the look)
            if read() != words:
                return False
        return True

    @_where_found
    def add_list(self, held: list[Any]) -> bool:
        """Add a list, its length and what is in it."""
        own = _places(id(held) + _FIRST * _WORD, 2)
        size, items = map(int, _memory[own])
        if size != len(held) or (size and items % _WORD):
            return False
        behind = _places(items, size)
        if size and _memory[behind].tolist() != list(map(id, held)):
            return False
        self._own += own
        self._behind += behind if size else ()
        return True

    @_where_found
    def add_dict(self, held: dict[Any, Any]) -> bool:
        """Add a dict: its length, keys and values, in order."""
        own = [_places(id(held), _DICT_WORDS)[place] for place in (_FIRST, *_DICT_POINTERS)]
        size, table, outside = map(int, _memory[own])
        if size != len(held):
            return False
        behind: Any = ()
        if size:
            look = _values_outside if outside else _table_of
            behind = look(outside or table, held)
            if behind is None:
                return False
        self._own += own
        self._behind += behind
        return True

    @_where_found
    def add_instance(self, obj: Any) -> bool:
        """Add which class an instance is of and which dict it has; `add_dict` adds what is in that."""
        cls = type(obj)
        offset = cls.__dictoffset__
        if cls.__flags__ & _MANAGED:
            offset = _MANAGED_OFFSET
        elif offset <= 0:
            return False
        if offset % _WORD:
            return False
        own = [*_places(id(obj) + _WORD, 1), *_places(id(obj) + offset, 1)]
        if _memory[own].tolist() != [id(cls), id(obj.__dict__)]:
            return False
        self._own += own
        return True

    @_where_found
    def add_cell(self, cell: Any) -> bool:
        """Add a cell that is not empty."""
        own = _places(id(cell) + _FIRST * _WORD, 1)
        if int(_memory[own][0]) != id(cell.cell_contents):
            return False
        self._own += own
        return True

    @_where_found
    def add_array(self, array: Any) -> bool:
        """Add a C-contiguous array of numbers: its place, type, shape and contents."""
        places = _places(id(array) + _FIRST * _WORD, _ARRAY_WORDS)
        data, count, shape, _strides, _base, dtype, flags = map(int, _memory[places])
        low = (1 << 32) - 1
        if (data, count & low, dtype) != (array.ctypes.data, array.ndim, id(array.dtype)):
            return False
        if flags & low != array.flags.num:
            return False
        behind: Any = _places(shape, array.ndim) if array.ndim else ()
        if shape % _WORD or (behind and _memory[behind].tolist() != list(array.shape)):
            return False
        numbers = _bytes[data - _WORD : data - _WORD + array.nbytes]
        if numbers.tobytes() != array.tobytes():
            return False
        self._own += [places[place] for place in (0, 1, 2, 5, 6)]
        self._behind += behind
        self._long.append(numbers)
        return True

    @_where_found
    def add_generator(self, generator: Any) -> bool:
        """Add a PCG64's state."""
        found = _generator_places(generator)
        if found is None:
            return False
        own, behind = found
        self._own += own
        self._behind += behind
        return True


def memory_of_generator(generator: Any) -> tuple[memoryview, ...]:
    """Give the memory that holds a PCG64's whole state, as it is at any time; nothing where that is not seen.

    Args:
        generator: To be kept alive for as long as its memory is read.
    """
    try:
        found = None if _memory is None else _generator_places(generator)
    except IndexError:
        found = None
    return () if found is None else tuple([_view(places.start, places.stop) for places in found])


def _generator_places(generator: Any) -> tuple[range, range] | None:
    """Give the places of what a PCG64 keeps beside its numbers, and of its two numbers of 128 bits."""
    if type(generator) is not np.random.PCG64:
        return None
    try:
        address = generator.ctypes.state_address
    except (ImportError, AttributeError):
        return None
    known = generator.state
    own = _places(address, 1 + 8 // _WORD)
    words = _memory[own]
    inner = int(words[0])
    if (
        address % _WORD
        or inner % _WORD
        or not 0 <= inner - id(generator) <= type(generator).__basicsize__ - 32
    ):
        return None
    if words[1:].tobytes() != struct.pack("<II", known["has_uint32"], known["uinteger"]):
        return None
    behind = _places(inner, 32 // _WORD)
    halves = struct.unpack("<4Q", _memory[behind].tobytes())
    for number, pair in ((known["state"]["state"], halves[:2]), (known["state"]["inc"], halves[2:])):
        if pair != (number & _HALF, number >> 64) and pair != (number >> 64, number & _HALF):
            return None
    return own, behind


_HALF: Final = (1 << 64) - 1


def _view(begin: int, end: int) -> memoryview:
    return _bytes[begin * _WORD : end * _WORD]


def _joined(views: list[memoryview]) -> Callable[[], bytes] | None:
    return functools.partial(b"".join, views) if views else None


def _read_each(places: list[int]) -> Callable[[], bytes] | None:
    """Give what reads these words."""
    runs = list(_runs_of(places))
    if len(runs) <= _FEW_RUNS:
        return _joined([_view(begin, end) for begin, end in runs])
    indices = np.array(places, np.intp)
    return lambda: _memory[indices].tobytes()


def _runs_of(places: list[int]) -> Iterator[tuple[int, int]]:
    """Give the begin and the end of each run of places that follow each other."""
    begin = end = -1
    for place in places:
        if place != end:
            if end > begin:
                yield begin, end
            begin = place
        end = place + 1
    if end > begin:
        yield begin, end


def _table_of(table: int, held: dict[Any, Any]) -> Any:
    """Give the places of the keys and values of a dict that keeps them in a table of its own."""
    room = (dict.__sizeof__(held) - dict.__basicsize__) // _WORD
    if table % _WORD or room <= 0:
        return None
    where = _places(table, room)
    words: list[int] = _memory[where].tolist()
    keys, values = list(map(id, held)), list(map(id, held.values()))
    for begin in range(room - 1):
        if words[begin] == keys[0] and words[begin + 1] == values[0]:
            for stride in (2, 3):  # a table keeps keys' hashes as well, unless all keys are texts
                end = begin + stride * len(keys)
                if words[begin:end:stride] == keys and words[begin + 1 : end : stride] == values:
                    return [where[1], *where[begin : end - stride + 2]]  # the second tells how large it is
    return None


def _values_outside(outside: int, held: dict[Any, Any]) -> Any:
    """Give the places of the values of a dict that shares its keys with other instances, and of their order.

    The keys that are shared keep their places for as long as the dict has the same table.
    """
    if outside % _WORD or sys.version_info < (3, 13):  # which laid them out otherwise
        return None
    (head,) = _memory[_places(outside, 1)].tolist()
    capacity, size = head & 255, head >> 8 & 255
    if size != len(held) or not size <= capacity <= _MOST_SHARED:
        return None
    where = _places(outside, 1 + capacity + -(-capacity // _WORD))
    words = _memory[where]
    order = words[1 + capacity :].tobytes()[:size]
    values: list[int] = words[1 : 1 + capacity].tolist()
    if max(order) >= capacity or [values[place] for place in order] != list(map(id, held.values())):
        return None
    return where
