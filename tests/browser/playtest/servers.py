"""The servers of a test run or a bench."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from playtest.server import CoplayServer
from playtest.studies import short_study


class Servers:
    """Servers of shortened examples, one for each variant, so that browsers' caches stay warm between tests.

    Args:
        new_folder: Creates an empty folder whose name begins with the given text.
    """

    def __init__(self, new_folder: Callable[[str], Path]) -> None:
        self._new_folder = new_folder
        self.running: dict[str, CoplayServer] = {}

    def serve(self, example: str, **changes: Any) -> CoplayServer:
        """Serve `examples/<example>` with other arguments for its play scenes, and return the server."""
        key = f"{example} {changes}"
        if key not in self.running:
            folder = self._new_folder(example.removesuffix(".py").replace("/", "-"))
            study = short_study(example, folder / "study", **changes)
            self._start(key, ("run", str(study)), folder)
        return self.running[key]

    def demo(self) -> CoplayServer:
        """Run `coplay demo` and return the server."""
        if "demo" not in self.running:
            self._start("demo", ("demo", "--no-open"), self._new_folder("demo"))
        return self.running["demo"]

    def stop(self) -> None:
        """Stop all servers."""
        for server in self.running.values():
            server.stop()

    def _start(self, key: str, arguments: tuple[str, ...], folder: Path) -> None:
        server = CoplayServer(arguments, folder)
        server.wait_until_serving()
        self.running[key] = server
