"""Kills a browser's processes as a crash does, or stops them as a closed lid does. Linux only."""

import contextlib
import os
import signal
from pathlib import Path

from playtest.chromium import Chromium


class Processes:
    """All processes of one participant's browser.

    Args:
        participant: A participant whose page is open.
    """

    def __init__(self, participant: Chromium) -> None:
        (self._browser,) = (pid for pid, kind in participant.process_ids().items() if kind == "browser")

    def kill(self) -> None:
        """Kill all processes with SIGKILL, so that the browser cannot clean up."""
        self._tell(signal.SIGKILL)

    def stop(self) -> None:
        """Stop all processes with SIGSTOP, which closes nothing. The participant does not answer then."""
        self._tell(signal.SIGSTOP)

    def go_on(self) -> None:
        """Continue all processes with SIGCONT."""
        self._tell(signal.SIGCONT)

    def _tell(self, what: signal.Signals) -> None:
        told: set[int] = set()
        # Repeated, because a process may have started a child before it got the signal.
        while more := self._tree() - told:
            for pid in more:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, what)
            told |= more

    def _tree(self) -> set[int]:
        children: dict[int, list[int]] = {}
        for folder in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError):
                # "<pid> (<name, which may have spaces>) <state> <parent> …"
                words = (folder / "stat").read_text("utf-8").rpartition(")")[2].split()
                children.setdefault(int(words[1]), []).append(int(folder.name))
        found, new = {self._browser}, [self._browser]
        while new:
            new = [child for pid in new for child in children.get(pid, ()) if child not in found]
            found.update(new)
        return found
