"""Responses to requests for a runtime's files: the file, its headers and its compressed form.

This module depends on no web framework. Files are compressed once, when the runtime is assembled.
"""

import gzip
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import brotli

IMMUTABLE = "public, max-age=31536000, immutable"
"""`Cache-Control` for files whose URL contains their hash."""
ENCODINGS = {"br": ".br", "gzip": ".gz"}
"""Content encodings, the preferred first, with the suffix of the compressed file."""
BROTLI_QUALITY = 9
"""Measured on Pyodide's 9.6 MB of WebAssembly: 3.1 MB in 1.2 s; quality 5: 3.2 MB in 0.3 s; gzip: 3.5 MB."""
_MEDIA_TYPES = {
    ".mjs": "text/javascript; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".wasm": "application/wasm",
    ".json": "application/json",
    ".zip": "application/zip",
    ".whl": "application/zip",
}


@dataclass(frozen=True, slots=True)
class ServedFile:
    """The response to a request for a file of the runtime."""

    path: Path
    """File to send, already compressed if `encoding` is set."""
    media_type: str
    """The `Content-Type`."""
    encoding: str | None
    """The `Content-Encoding`, or None."""
    etag: str
    """The `ETag`, with quotes. It differs by encoding, as HTTP requires."""

    @property
    def headers(self) -> dict[str, str]:
        """All response headers."""
        headers = {
            "Content-Type": self.media_type,
            "Cache-Control": IMMUTABLE,
            "ETag": self.etag,
            "Vary": "Accept-Encoding",
            "X-Content-Type-Options": "nosniff",
            # Lets workers of a cross-origin isolated page load these files.
            "Cross-Origin-Resource-Policy": "same-origin",
        }
        return headers if self.encoding is None else {**headers, "Content-Encoding": self.encoding}


def describe(path: Path, sha256: str, accept_encoding: str) -> ServedFile:
    """Choose the compressed form of a file that a client accepts.

    Args:
        path: The plain file. Its compressed forms are beside it.
        sha256: SHA-256 of the plain file.
        accept_encoding: The request's header, or an empty string.
    """
    encoding = next(
        (
            name
            for name, suffix in ENCODINGS.items()
            if name in accepted(accept_encoding) and path.with_name(path.name + suffix).is_file()
        ),
        None,
    )
    return ServedFile(
        path=path if encoding is None else path.with_name(path.name + ENCODINGS[encoding]),
        media_type=_MEDIA_TYPES.get(path.suffix, "application/octet-stream"),
        encoding=encoding,
        etag=f'"{sha256[:32]}{"" if encoding is None else "-" + encoding}"',
    )


def accepted(accept_encoding: str) -> Collection[str]:
    """Return the encodings that an `Accept-Encoding` header accepts (RFC 9110, 12.5.3)."""
    found: set[str] = set()
    for part in accept_encoding.lower().split(","):
        name, _, parameters = part.partition(";")
        if not re.search(r"\bq\s*=\s*0(\.0*)?\s*$", parameters):
            found.add(name.strip())
    return found


def compress(data: bytes) -> dict[str, bytes]:
    """Return the compressed forms by encoding, reproducibly."""
    return {
        "br": brotli.compress(data, quality=BROTLI_QUALITY),
        "gzip": gzip.compress(data, 6, mtime=0),
    }
