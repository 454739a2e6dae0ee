"""Pictures as PNG files, without an imaging library.

Source: https://www.w3.org/TR/png-3/
"""

import struct
import zlib


def encode_png(pixels: bytes, rows: int, columns: int) -> bytes:
    """Return RGB pixels as a PNG file.

    Args:
        pixels: rows × columns × 3 bytes.
        rows: The picture's height.
        columns: The picture's width.
    """
    width = 3 * columns
    lines = b"".join(b"\0" + pixels[row * width : (row + 1) * width] for row in range(rows))
    header = struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines, 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
