"""Sees what an environment reaches for while it is simulated: clocks, dice, threads, files, the network.

What `coplay.envs.taming` answers is harmless, and is told so that nobody has to wonder. Threads, processes
and sockets are not: no rollback takes them back. Runs in both Pythons, in a process that examines and then
ends, for an audit hook stays for good.
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
"""The sources that `FrameStreams` stands in for, and what each is called in a sighting."""
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
    """Collects sightings while it watches."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], int] = {}
        self._started: list[str] = []  # threads, while it was made; only those that stay count
        self._playing = False
        self._hooked = False
        self._threads = threading.active_count()

    def sightings(self) -> list[dict[str, Any]]:
        """What was seen: `{what, where, times}`; `where` is `file.py:12` or empty."""
        return [{"what": what, "where": where, "times": times} for (what, where), times in self._seen.items()]

    @contextmanager
    def watching(self, *, playing: bool) -> Iterator[None]:
        """Watch what this thread simulates.

        Args:
            playing: Also tell of threads, processes, sockets and written files; importing a package may start
                some that end again.
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
        """Note a thread that is there now and was not at first."""
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
    """The innermost line that is of no library."""
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if name.startswith(_ENVIRONMENTS) or name.partition(".")[0] not in _LIBRARIES:
            return f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}"
        frame = frame.f_back
    return ""
