"""A monitor of side effects in simulation: clocks, random sources, threads, files, the network.

What `coplay.envs.taming` replaces is harmless and only reported. Threads, processes and sockets are not,
because no rollback undoes them. The monitor installs an audit hook, which Python cannot remove again: use it
only in a process that ends afterwards.
"""

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

from coplay.envs.taming.streams import FrameStreams

TAMED: Final = {"clock": "clock", "python": "random", "numpy": "numpy.random", "entropy": "unseeded"}
"""The methods of `FrameStreams` that stand in for a source, and what a sighting calls that source."""
_LIBRARIES = frozenset(sys.stdlib_module_names) | {"numpy", "gymnasium", "pettingzoo", "coplay", "__main__"}
_ENVIRONMENTS = ("gymnasium.envs.", "pettingzoo.")  # environments among the libraries
_AUDITED: Final = {
    "subprocess.Popen": "process",
    "os.system": "process",
    "os.fork": "process",
    "os.posix_spawn": "process",
    "socket.connect": "network",
    "socket.getaddrinfo": "network",
}
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC


class SideEffectMonitor:
    """Collects sightings of side effects while it watches."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], int] = {}
        self._started: list[str] = []  # threads started during loading; only those that stay alive count
        self._playing = False
        self._hooked = False
        self._threads = threading.active_count()

    def sightings(self) -> list[dict[str, Any]]:
        """Return what was seen as `{what, where, times}`; `where` is `file.py:12` or empty."""
        return [{"what": what, "where": where, "times": times} for (what, where), times in self._seen.items()]

    @contextmanager
    def watching(self, *, playing: bool) -> Iterator[None]:
        """Watch what this thread simulates, in a `with` block.

        Args:
            playing: Whether to also report threads, processes, sockets and written files. While a package is
                imported they are normal.
        """
        originals = {name: vars(FrameStreams)[name] for name in TAMED}
        for name, original in originals.items():
            setattr(FrameStreams, name, self._noting(TAMED[name], original))
        if not self._hooked:
            sys.addaudithook(self._audit)
            self._hooked = True
        self._playing = playing
        thread_class: Any = threading.Thread
        start = thread_class.start

        def noted_start(thread: threading.Thread) -> None:
            if playing:
                self._note("thread")
            else:
                self._started.append(_place(sys._getframe(1)))
            start(thread)

        thread_class.start = noted_start
        try:
            yield
        finally:
            self._playing = False
            thread_class.start = start
            for name, original in originals.items():
                setattr(FrameStreams, name, original)

    def count_threads(self) -> None:
        """Note threads that were started during loading and are still running."""
        if threading.active_count() > self._threads and not any(what == "thread" for what, _ in self._seen):
            for place in self._started or [thread.name for thread in threading.enumerate()[1:]]:
                self._seen["thread", place] = 1

    def _noting(self, what: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def noted(frame: FrameStreams, *arguments: Any) -> Any:
            self._note(what)
            return original(frame, *arguments)

        return noted

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._playing:
            return
        what = _AUDITED.get(event)
        if what is not None:
            self._note(what)
        elif event == "open":
            path, mode, flags = arguments
            writes = any(letter in mode for letter in "wax+") if mode else bool(flags & _WRITES)
            if writes and path != os.devnull:
                self._note("file")

    def _note(self, what: str) -> None:
        key = what, _place(sys._getframe(2))
        self._seen[key] = self._seen.get(key, 0) + 1


def _place(frame: FrameType | None) -> str:
    """Return the innermost line outside the libraries as `file.py:12`, or ""."""
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if name.startswith(_ENVIRONMENTS) or name.partition(".")[0] not in _LIBRARIES:
            return f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}"
        frame = frame.f_back
    return ""
