"""Lossless compression of batches in the database, to about a quarter of their size.

A packed batch begins with `70 6b 00 01`, followed by raw deflate data (RFC 1951) with the dictionary below.
Its fourth byte tells it from a plain batch, which begins with the length of its header as 32 bits in little
endian: no header is so long that the fourth byte is not 0. Databases hold batches of both kinds.
"""

import zlib
from typing import Any, Final

from sqlalchemy import Dialect, LargeBinary
from sqlalchemy.types import TypeDecorator

from coplay.data.batches import MAX_BATCH_BYTES

_MARK: Final = b"pk\x00\x01"
_WINDOW: Final = -15
"""For zlib: raw deflate without a checksum, because each batch has its sha256 in another column."""

# Text that is in almost every batch; deflate wants the likeliest last. Stored data depend on every byte of
# it, so a better dictionary would need a mark of its own.
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
    """Return a batch compressed, or the batch itself if that is not smaller."""
    deflate = zlib.compressobj(wbits=_WINDOW, zdict=_DICTIONARY)
    packed = _MARK + deflate.compress(body) + deflate.flush()
    return packed if len(packed) < len(body) else body


def unpack(stored: bytes) -> bytes:
    """Return the batch that was packed; return damaged bytes, and bytes that are not packed, as they are.

    The readers of a batch compare its sha256 and decode it, and report what is wrong.
    """
    if not stored.startswith(_MARK):
        return stored
    inflate = zlib.decompressobj(wbits=_WINDOW, zdict=_DICTIONARY)
    try:
        # Bounded, because a few damaged bytes could expand to gigabytes.
        body = inflate.decompress(stored[len(_MARK) :], MAX_BATCH_BYTES)
    except zlib.error:
        return stored
    return body if inflate.eof else stored


class PackedBatch(TypeDecorator[bytes]):
    """The type of a column of batches, which are packed when written and unpacked when read."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> Any:
        """Return the bytes to store for a batch."""
        return None if value is None else pack(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> bytes | None:
        """Return the batch of stored bytes."""
        return None if value is None else unpack(bytes(value))
