"""Compares dicts, lists, arrays and generators with what they held earlier, word by word in memory.

Whether hundreds of objects still hold what they held is decided by comparing words of memory: the addresses
in a list, the keys and values in a dict's table, an array's shape, strides and numbers, a generator's state.
Three calls into C read all of them, through numpy where they are many and scattered. The first call reads the
objects themselves, which are kept alive and therefore do not move. The other two read what these point to,
long runs last, and only once the first call has shown that every pointer and size is unchanged: a stale
pointer would lead to memory that has been freed.

No layout is assumed. An object is watched only if, when it is added, what it is known to hold is found
exactly where this module expects it; otherwise the caller has to compare it through Python. Words may change
while the contents do not (a list that grew and shrank has moved), which costs time. The opposite cannot
happen.
"""

from __future__ import annotations

import functools
import struct
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np

_WORD: Final = struct.calcsize("P")
_FIRST: Final = 2  # index of the first word after reference count and type
_DICT_WORDS: Final = dict.__basicsize__ // _WORD
_DICT_POINTERS: Final = (_DICT_WORDS - 2, _DICT_WORDS - 1)  # to the table, and to values outside of it
_MANAGED: Final = 1 << 4  # Py_TPFLAGS_MANAGED_DICT: the pointer to the dict precedes the instance
_MANAGED_OFFSET: Final = -3 * _WORD
_MAX_SHARED_KEYS: Final = 30  # SHARED_KEYS_MAX_SIZE of CPython
_ARRAY_WORDS: Final = 7  # data, number of dimensions, shape, strides, base, dtype, flags
_LONG_RUN: Final = 8  # words from which on joining a run is quicker than gathering its words
_FEW_RUNS: Final = 24  # runs up to which joining them is quicker, whatever their length


def _open_memory() -> Any:
    """Return all of this process's memory as an array of words, or None where that is not possible."""
    try:
        import ctypes
    except ImportError:
        return None
    if sys.implementation.name != "cpython" or sys.byteorder != "little":
        return None
    # No address of a 64-bit process is higher. On 32 bits, the size of the array has to fit a signed word.
    end = 1 << (56 if _WORD == 8 else 31)
    try:
        whole: Any = ctypes.c_size_t * (end // _WORD - 1)
        return np.frombuffer(whole.from_address(_WORD), np.uintp)
    except (ValueError, OverflowError, MemoryError):
        return None


_memory = _open_memory()
_bytes = memoryview(b"" if _memory is None else _memory).cast("B")


def _places(address: int, count: int) -> range:
    """Return the indices in `_memory` of consecutive words; index 0 is the word at address `_WORD`."""
    begin = address // _WORD - 1
    return range(begin, begin + count)


def _if_readable(add: Callable[[MemoryWatch, Any], bool]) -> Callable[[MemoryWatch, Any], bool]:
    """Make a method of `MemoryWatch` return False where memory cannot be read."""

    @functools.wraps(add)
    def added(watch: MemoryWatch, obj: Any) -> bool:
        if _memory is None:
            return False
        try:
            return add(watch, obj)
        except IndexError:  # an address beyond the end of `_memory`
            return False

    return added


class MemoryWatch:
    """Words of memory, and what they contained when they were recorded.

    Each `add_…` returns True if it watches the object from then on. The caller must keep such an object and
    everything that it holds alive for as long as it uses this watch.
    """

    def __init__(self) -> None:
        self._own: list[int] = []
        self._behind: list[int] = []
        self._long: list[memoryview] = []
        self._reads: list[tuple[Callable[[], bytes], bytes]] = []

    def record(self) -> None:
        """Remember what everything that was added contains now. Call this once, after the last `add_…`."""
        short: list[int] = []
        for begin, end in _runs_of(self._behind):
            if end - begin < _LONG_RUN:
                short += range(begin, end)
            else:
                self._long.append(_view(begin, end))
        reads = _read_each(self._own), _read_each(short), _joined(self._long)
        self._reads = [(read, read()) for read in reads if read is not None]

    def unchanged(self) -> bool:
        """Return True if every word is what it was."""
        for read, words in self._reads:  # noqa: SIM110 (a generator expression takes longer than the reading)
            if read() != words:
                return False
        return True

    @_if_readable
    def add_list(self, held: list[Any]) -> bool:
        """Watch a list: its length and items."""
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

    @_if_readable
    def add_dict(self, held: dict[Any, Any]) -> bool:
        """Watch a dict: its length, keys and values, in order."""
        own = [_places(id(held), _DICT_WORDS)[place] for place in (_FIRST, *_DICT_POINTERS)]
        size, table, outside = map(int, _memory[own])
        if size != len(held):
            return False
        behind: Any = ()
        if size:
            find = _values_outside if outside else _table_of
            behind = find(outside or table, held)
            if behind is None:
                return False
        self._own += own
        self._behind += behind
        return True

    @_if_readable
    def add_instance(self, obj: Any) -> bool:
        """Watch which class an instance has and which dict. Add the contents of that with `add_dict`."""
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

    @_if_readable
    def add_cell(self, cell: Any) -> bool:
        """Watch a cell that is not empty."""
        own = _places(id(cell) + _FIRST * _WORD, 1)
        if int(_memory[own][0]) != id(cell.cell_contents):
            return False
        self._own += own
        return True

    @_if_readable
    def add_array(self, array: Any) -> bool:
        """Watch a C-contiguous array of numbers: its address, dtype, shape, flags and contents."""
        places = _places(id(array) + _FIRST * _WORD, _ARRAY_WORDS)
        data, count, shape, _strides, _base, dtype, flags = map(int, _memory[places])
        # The number of dimensions and the flags are C ints: the upper halves of their words are padding.
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
        # All but strides and base: as long as the flags say C-contiguous, the shape determines the strides.
        self._own += [places[place] for place in (0, 1, 2, 5, 6)]
        self._behind += behind
        self._long.append(numbers)
        return True

    @_if_readable
    def add_generator(self, generator: Any) -> bool:
        """Watch the state of a PCG64."""
        found = _generator_places(generator)
        if found is None:
            return False
        own, behind = found
        self._own += own
        self._behind += behind
        return True


def memory_of_generator(generator: Any) -> tuple[memoryview, ...]:
    """Return views of the memory that holds a PCG64's whole state; none where that cannot be read.

    Args:
        generator: A bit generator, which must live as long as the views are read.
    """
    try:
        found = None if _memory is None else _generator_places(generator)
    except IndexError:
        found = None
    return () if found is None else tuple([_view(places.start, places.stop) for places in found])


def _generator_places(generator: Any) -> tuple[range, range] | None:
    """Return the places of a PCG64's `pcg64_state`, and of the two 128-bit numbers that it points to."""
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
    # The numbers must lie inside the generator itself, which the caller keeps alive.
    if (
        address % _WORD
        or inner % _WORD
        or not 0 <= inner - id(generator) <= type(generator).__basicsize__ - 32
    ):
        return None
    if words[1:].tobytes() != struct.pack("<II", known["has_uint32"], known["uinteger"]):
        return None
    behind = _places(inner, 32 // _WORD)
    # Which half comes first depends on whether numpy's compiler had 128-bit integers.
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
    """Return a function that reads the words at these places."""
    runs = list(_runs_of(places))
    if len(runs) <= _FEW_RUNS:
        return _joined([_view(begin, end) for begin, end in runs])
    indices = np.array(places, np.intp)
    return lambda: _memory[indices].tobytes()


def _runs_of(places: list[int]) -> Iterator[tuple[int, int]]:
    """Yield the begin and the end of each run of consecutive places."""
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
    """Return the places of the keys and values of a dict that has a table of its own; None if not found."""
    room = (dict.__sizeof__(held) - dict.__basicsize__) // _WORD
    if table % _WORD or room <= 0:
        return None
    where = _places(table, room)
    words: list[int] = _memory[where].tolist()
    keys, values = list(map(id, held)), list(map(id, held.values()))
    # The entries follow a header and an index, whose size depends on the version: search for the first one.
    for begin in range(room - 1):
        if words[begin] == keys[0] and words[begin + 1] == values[0]:
            for stride in (2, 3):  # key and value, and the hash unless all keys are strings
                end = begin + stride * len(keys)
                if words[begin:end:stride] == keys and words[begin + 1 : end : stride] == values:
                    # The second word of a table has its size, which changes when the table is replaced.
                    return [where[1], *where[begin : end - stride + 2]]
    return None


def _values_outside(outside: int, held: dict[Any, Any]) -> Any:
    """Return the places of the values, and their order, of a dict that shares its keys with other instances.

    Shared keys do not move as long as the dict has the same table. None if the values are not found.
    """
    if outside % _WORD or sys.version_info < (3, 13):  # older versions have another layout
        return None
    # `_dictvalues`: capacity and size in the first word, then the values, then their order in bytes.
    (head,) = _memory[_places(outside, 1)].tolist()
    capacity, size = head & 255, head >> 8 & 255
    if size != len(held) or not size <= capacity <= _MAX_SHARED_KEYS:
        return None
    where = _places(outside, 1 + capacity + -(-capacity // _WORD))
    words = _memory[where]
    order = words[1 + capacity :].tobytes()[:size]
    values: list[int] = words[1 : 1 + capacity].tolist()
    if max(order) >= capacity or [values[place] for place in order] != list(map(id, held.values())):
        return None
    return where
