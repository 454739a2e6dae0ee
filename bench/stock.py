"""A server of Pyodide and numpy exactly as published: the baseline of a page that prepares nothing."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from coplay.runtime.distribution import pinned_distribution
from coplay.runtime.fetching.file_cache import FileCache, default_cache_directory
from coplay.runtime.fetching.sources import Sources
from coplay.runtime.progress import silent


class StockServer:
    """A server of the unchanged distribution, on loopback.

    Args:
        folder: An empty folder, for links to the files.

    Attributes:
        url: The address of an empty page, next to the files.
    """

    def __init__(self, folder: Path) -> None:
        distribution = pinned_distribution()
        sources = Sources(distribution, FileCache(default_cache_directory()), silent)
        numpy = [wheel for wheel in distribution.wheels if wheel.name.startswith("numpy-")]
        for name, path in (sources.core(distribution.core) | sources.wheels(numpy)).items():
            (folder / name).symlink_to(path)
        (folder / "index.html").write_text(
            "<!doctype html><title>Bare</title><link rel='icon' href='data:,'>"
        )
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Cacheable, directory=str(folder)))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/index.html"

    def stop(self) -> None:
        """Stop the server."""
        self._server.shutdown()
        self._server.server_close()


class _Cacheable(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "public, max-age=31536000, immutable")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        pass
