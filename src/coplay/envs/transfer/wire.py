"""The byte format of a transferred state: trees of plain values.

A tree consists of None, bool, int, float, complex, str, bytes, `NodeRef` and tuples of these. Each value is
written as one tag byte, followed by what the tag requires; lengths and indices are unsigned LEB128. A text
that was written before is written as its index. The whole is compressed with zlib at its lowest level.

The reader trusts nothing: it checks lengths against the remaining bytes, bounds nesting and counts, and
raises `StateTransferError` for everything else.
"""

from __future__ import annotations

import struct
import zlib
from typing import Any, Final

from coplay.errors import StateTransferError

MAX_BYTES: Final = 16 << 20  # uncompressed: zlib can expand a thousandfold
MAX_VALUES: Final = 2_000_000
MAX_DEPTH: Final = 16
_MAX_INT_BYTES: Final = 1 << 16

_NONE, _TRUE, _FALSE, _INT, _FLOAT, _COMPLEX, _TEXT, _AGAIN, _BYTES, _TUPLE, _NODE_REF = range(11)
_SINGLES: Final = {_NONE: None, _TRUE: True, _FALSE: False}
_float = struct.Struct("<d")
_complex = struct.Struct("<dd")


class NodeRef:
    """A reference to a node of the graph, which several others may hold.

    Attributes:
        index: The node's index.
    """

    __slots__ = ("index",)

    def __init__(self, index: int) -> None:
        self.index = index


def pack(tree: Any) -> bytes:
    """Return the bytes of a tree.

    Args:
        tree: A tree of plain values.

    Raises:
        StateTransferError: The tree is larger than a reader accepts.
    """
    writer = _Writer()
    writer.write(tree, 0)
    if len(writer.out) > MAX_BYTES or writer.count > MAX_VALUES:
        raise StateTransferError(f"the state is too large to be sent: {len(writer.out)} bytes")
    return zlib.compress(writer.out, 1)


def unpack(data: bytes) -> Any:
    """Return the tree that bytes encode.

    Args:
        data: Bytes from an untrusted peer.

    Raises:
        StateTransferError: The bytes are malformed, or the tree is too large.
    """
    inflate = zlib.decompressobj()
    try:
        plain = inflate.decompress(data, MAX_BYTES + 1)
    except zlib.error:
        raise _malformed("it does not decompress") from None
    if len(plain) > MAX_BYTES:
        raise StateTransferError(f"the received state is larger than {MAX_BYTES} bytes")
    if not inflate.eof or inflate.unused_data:
        raise _malformed("it is cut off, or something follows it")
    reader = _Reader(plain)
    tree = reader.read(0)
    if reader.at != len(plain):
        raise _malformed("something follows it")
    return tree


def _malformed(why: str) -> StateTransferError:
    return StateTransferError(f"the received state cannot be read: {why}")


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
            self._write_text(value)
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
        elif cls is bytes:
            self._head(_BYTES, len(value))
            self.out += value
        else:
            self._write_fixed(value)

    def _write_text(self, text: str) -> None:
        number = self._texts.get(text)
        if number is None:
            self._texts[text] = len(self._texts)
            # A Python string may contain lone surrogates.
            raw = text.encode("utf-8", "surrogatepass")
            self._head(_TEXT, len(raw))
            self.out += raw
        else:
            self._head(_AGAIN, number)

    def _write_fixed(self, value: Any) -> None:
        """Write a value whose tag determines its size."""
        cls = type(value)
        if value is None or value is True or value is False:
            self.out.append(_NONE if value is None else _TRUE if value else _FALSE)
        elif cls is float:
            self.out.append(_FLOAT)
            self.out += _float.pack(value)
        elif cls is complex:
            self.out.append(_COMPLEX)
            self.out += _complex.pack(value.real, value.imag)
        else:
            raise TypeError(f"a tree cannot hold a {cls.__qualname__}")


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
            # Each item takes a byte at least, so a larger number cannot be true; checked before allocating.
            if number > len(self._data) - self.at:
                raise _malformed("it ends too early")
            return tuple([self.read(depth + 1) for _ in range(number)])
        return self._read_bytes(tag, number)

    def _read_bytes(self, tag: int, number: int) -> Any:
        """Return an integer, bytes or text; `number` is its length, or which earlier text it repeats."""
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
