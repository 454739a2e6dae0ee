"""What a web server needs to hand out a runtime: for a name, the file, its type, and its compressed forms.

Pure: no web framework. Files are compressed once, when the runtime is assembled.
"""

import gzip
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import brotli

IMMUTABLE = "public, max-age=31536000, immutable"
"""The `Cache-Control` of everything whose address holds its hash."""
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
    """One answer to a request for a file of the runtime."""

    path: Path
    """The bytes to send, compressed already where `encoding` is set."""
    media_type: str
    """The `Content-Type`."""
    encoding: str | None
    """The `Content-Encoding`, or None."""
    etag: str
    """The `ETag`, with its quotes; differs by encoding, as HTTP wants."""

    @property
    def headers(self) -> dict[str, str]:
        """All the headers that go with it."""
        headers = {
            "Content-Type": self.media_type,
            "Cache-Control": IMMUTABLE,
            "ETag": self.etag,
            "Vary": "Accept-Encoding",
            "X-Content-Type-Options": "nosniff",
            # So that the page may be cross-origin isolated, and its workers load these.
            "Cross-Origin-Resource-Policy": "same-origin",
        }
        return headers if self.encoding is None else {**headers, "Content-Encoding": self.encoding}


def describe(path: Path, sha256: str, accept_encoding: str) -> ServedFile:
    """Choose the form of a file that a client takes.

    Args:
        path: The plain file; its compressed forms lie beside it.
        sha256: Of the plain file.
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
    """Return the encodings that an `Accept-Encoding` header names and does not refuse (RFC 9110, 12.5.3)."""
    found: set[str] = set()
    for part in accept_encoding.lower().split(","):
        name, _, parameters = part.partition(";")
        if not re.search(r"\bq\s*=\s*0(\.0*)?\s*$", parameters):
            found.add(name.strip())
    return found


def compress(data: bytes) -> dict[str, bytes]:
    """Return the compressed forms by encoding; the same bytes each time."""
    return {
        "br": brotli.compress(data, quality=BROTLI_QUALITY),
        "gzip": gzip.compress(data, 6, mtime=0),
    }
