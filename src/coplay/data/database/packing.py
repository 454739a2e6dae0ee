"""A batch at rest: what a browser sent, in a quarter of the room, and byte for byte the same when read.

The fourth byte says which: a batch begins with the length of its header as 32 bits, little endian, and none
is so long that this byte is not 0. A packed one begins with `70 6b 00 01`; what follows is raw deflate
(RFC 1951) with the dictionary below. Databases hold batches of both kinds.
"""

import zlib
from typing import Any, Final

from sqlalchemy import Dialect, LargeBinary
from sqlalchemy.types import TypeDecorator

from coplay.data.batches import MAX_BATCH_BYTES

_MARK: Final = b"pk\x00\x01"
_WINDOW: Final = -15
"""Without a header: the mark says enough, and each batch has its sha256 beside it."""

# What is in almost every batch, the likeliest last. Data were written with it, so it never changes: a better
# one needs a mark of its own.
_DICTIONARY: Final = (
    b'"link":"relay""turn","kind":"left""hidden","detail":{"reason":""shown""link_closed""peer_suspected"'
    b'"link_changed","detail":{"peer":0,"link":"direct"}},{"t_ms":"utc":"2027-"kind":"link_open"'
    b'"DelayChosen","detail":{}},"Running"'
    + bytes(96)
    + b"\x04" * 96
    + bytes(64)
    + b'{"number":0,"peer":1,"first_frame":0,"frames":30,"checksums":[[30,"f3069961b3d784d5"]],"net":[{'
    b'"rollbacks":0,"resimulated_frames":0,"stalled_frames":0,"bytes_sent":1,"packets_sent":31,'
    b'"t_ms":10851.0,"utc":"2026-11-23T02:12:44.561999+00:00","peers":{"0":{"rtt_ms":10.28,"jitter_ms":6.89,'
    b'"loss":0.0,"link":"direct","advantage":-0.29,"browser_rtt_ms":1.0,"path_bytes_sent":2861,'
    b'"path_bytes_received":2861,"buffered_amount":0}}}],"events":[]}'
)


def pack(body: bytes) -> bytes:
    """What is stored of a batch: fewer bytes, or the batch itself."""
    deflate = zlib.compressobj(wbits=_WINDOW, zdict=_DICTIONARY)
    packed = _MARK + deflate.compress(body) + deflate.flush()
    return packed if len(packed) < len(body) else body


def unpack(stored: bytes) -> bytes:
    """The batch that was packed; bytes that are damaged, or no packed batch, come back as they are.

    Whoever reads them compares their sha256 and decodes them, and says what is wrong.
    """
    if not stored.startswith(_MARK):
        return stored
    inflate = zlib.decompressobj(wbits=_WINDOW, zdict=_DICTIONARY)
    try:
        body = inflate.decompress(stored[len(_MARK) :], MAX_BATCH_BYTES)
    except zlib.error:
        return stored
    return body if inflate.eof else stored


class PackedBatch(TypeDecorator[bytes]):
    """A column of batches: packed when written, unpacked when read."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> Any:
        """What is stored of a batch."""
        return None if value is None else pack(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> bytes | None:
        """The batch that is stored."""
        return None if value is None else unpack(bytes(value))
