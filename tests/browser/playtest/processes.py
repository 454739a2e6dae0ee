"""A browser's processes, ended as a crash ends them, or stopped as a closed lid stops them. Linux only."""

import contextlib
import os
import signal
from pathlib import Path

from playtest.chromium import Chromium


class Processes:
    """All processes of one participant's browser.

    Args:
        participant: Whose page is open.
    """

    def __init__(self, participant: Chromium) -> None:
        (self._browser,) = (pid for pid, kind in participant.process_ids().items() if kind == "browser")

    def kill(self) -> None:
        """SIGKILL: nothing of the browser gets to do anything more."""
        self._tell(signal.SIGKILL)

    def stop(self) -> None:
        """SIGSTOP: nothing runs, nothing is closed. Nothing can be asked of the participant meanwhile."""
        self._tell(signal.SIGSTOP)

    def go_on(self) -> None:
        """SIGCONT."""
        self._tell(signal.SIGCONT)

    def _tell(self, what: signal.Signals) -> None:
        told: set[int] = set()
        # A process that began meanwhile is found in another round.
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
