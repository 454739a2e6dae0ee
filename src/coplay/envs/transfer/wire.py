"""Plain trees as bytes: what a transferred state is written in.

A tree is made of None, bool, int, float, complex, str, bytes, `NodeRef` and tuples of these. Every value is
one tag byte and what the tag says; numbers of things are unsigned LEB128. A text that was written before is
written as its number. Around it all is zlib at its lowest level.

Reading trusts nothing: lengths are held against what is left, nesting and numbers are bounded, and whatever
does not fit raises `StateTransferError`.
"""

from __future__ import annotations

import struct
import zlib
from typing import Any, Final

from coplay.errors import StateTransferError

MAX_BYTES: Final = 16 << 20
MAX_VALUES: Final = 2_000_000
MAX_DEPTH: Final = 16
_MAX_INT_BYTES: Final = 1 << 16

_NONE, _TRUE, _FALSE, _INT, _FLOAT, _COMPLEX, _TEXT, _AGAIN, _BYTES, _TUPLE, _NODE_REF = range(11)
_SINGLES: Final = {_NONE: None, _TRUE: True, _FALSE: False}
_float = struct.Struct("<d")
_complex = struct.Struct("<dd")


class NodeRef:
    """Stands for a node of the graph, which others may hold as well.

    Attributes:
        index: Of the node.
    """

    __slots__ = ("index",)

    def __init__(self, index: int) -> None:
        self.index = index


def pack(tree: Any) -> bytes:
    """Give the bytes of a tree.

    Raises:
        StateTransferError: It is larger than a reader would take.
    """
    writer = _Writer()
    writer.write(tree, 0)
    if len(writer.out) > MAX_BYTES or writer.count > MAX_VALUES:
        raise StateTransferError(f"the state is too large to be sent: {len(writer.out)} bytes")
    return zlib.compress(writer.out, 1)


def unpack(data: bytes) -> Any:
    """Give the tree.

    Args:
        data: From anybody.

    Raises:
        StateTransferError: These are not the bytes of a tree, or of one that is too large.
    """
    inflate = zlib.decompressobj()
    try:
        plain = inflate.decompress(data, MAX_BYTES + 1)
    except zlib.error:
        raise _malformed("it does not decompress") from None
    if len(plain) > MAX_BYTES:
        raise StateTransferError(f"a state that was received is larger than {MAX_BYTES} bytes")
    if not inflate.eof or inflate.unused_data:
        raise _malformed("it is cut off, or something follows it")
    reader = _Reader(plain)
    tree = reader.read(0)
    if reader.at != len(plain):
        raise _malformed("something follows it")
    return tree


def _malformed(why: str) -> StateTransferError:
    return StateTransferError(f"a state that was received cannot be read: {why}")


class _Writer:
    def __init__(self) -> None:
        self.out = bytearray()
        self.count = 0
        self._texts: dict[str, int] = {}

    def _head(self, tag: int, number: int) -> None:
        out = self.out
        out.append(tag)
        while number > 127:
            out.append(number & 127 | 128)
            number >>= 7
        out.append(number)

    def write(self, value: Any, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise StateTransferError("the state is nested too deeply to be sent")
        self.count += 1
        cls = type(value)
        if cls is str:
            number = self._texts.get(value)
            if number is None:
                self._texts[value] = len(self._texts)
                raw = value.encode("utf-8", "surrogatepass")
                self._head(_TEXT, len(raw))
                self.out += raw
            else:
                self._head(_AGAIN, number)
        elif cls is NodeRef:
            self._head(_NODE_REF, value.index)
        elif cls is int:
            raw = value.to_bytes((value.bit_length() + 8) // 8, "little", signed=True)
            self._head(_INT, len(raw))
            self.out += raw
        elif cls is tuple:
            self._head(_TUPLE, len(value))
            for held in value:
                self.write(held, depth + 1)
        elif value is None or value is True or value is False:
            self.out.append(_NONE if value is None else _TRUE if value else _FALSE)
        elif cls is float:
            self.out.append(_FLOAT)
            self.out += _float.pack(value)
        elif cls is bytes:
            self._head(_BYTES, len(value))
            self.out += value
        elif cls is complex:
            self.out.append(_COMPLEX)
            self.out += _complex.pack(value.real, value.imag)
        else:
            raise TypeError(f"a tree holds no {cls.__qualname__}")


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.at = 0
        self._data = data
        self._left = MAX_VALUES
        self._texts: list[str] = []

    def _take(self, size: int) -> bytes:
        end = self.at + size
        if end > len(self._data):
            raise _malformed("it ends too early")
        taken = self._data[self.at : end]
        self.at = end
        return taken

    def _number(self) -> int:
        number = shift = 0
        while True:
            byte = self._take(1)[0]
            number |= (byte & 127) << shift
            if byte < 128:
                return number
            shift += 7
            if shift > 28:
                raise _malformed("a length has no end")

    def read(self, depth: int) -> Any:
        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH:
            raise _malformed("there are too many values in it, or they are nested too deeply")
        tag = self._take(1)[0]
        if tag in _SINGLES:
            return _SINGLES[tag]
        if tag == _FLOAT:
            return _float.unpack(self._take(8))[0]
        if tag == _COMPLEX:
            return complex(*_complex.unpack(self._take(16)))
        if tag > _NODE_REF:
            raise _malformed(f"there is no tag {tag}")
        number = self._number()
        if tag == _NODE_REF:
            return NodeRef(number)
        if tag == _TUPLE:
            if number > len(self._data) - self.at:
                raise _malformed("it ends too early")
            return tuple([self.read(depth + 1) for _ in range(number)])
        if tag == _INT:
            if number > _MAX_INT_BYTES:
                raise _malformed("a number is too large")
            return int.from_bytes(self._take(number), "little", signed=True)
        if tag == _BYTES:
            return self._take(number)
        if tag == _AGAIN:
            if number >= len(self._texts):
                raise _malformed("a text is missing")
            return self._texts[number]
        try:
            text = self._take(number).decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            raise _malformed("a text is not UTF-8") from None
        self._texts.append(text)
        return text
