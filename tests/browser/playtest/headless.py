"""A participant without a browser, in a separate process."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from playtest.server import CoplayServer

_JOIN = Path(__file__).parents[2] / "headless" / "samples" / "join_study.py"


class HeadlessPeer:
    """A process that joins a study with `coplay.headless.join` and plays random actions.

    Args:
        server: The server of the study, started by `Servers.serve`, which puts the study next to the data.
    """

    def __init__(self, server: CoplayServer) -> None:
        study = server.data.parent / "study" / "study.py"
        self._process = subprocess.Popen(
            [sys.executable, str(_JOIN), server.url, str(study), "1"],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONHASHSEED": "0"},
        )

    def wait_for(self, scene: str) -> None:
        """Wait until the peer has reached a scene."""
        assert self._process.stdout is not None
        assert any(line.endswith(f": {scene}\n") for line in self._process.stdout), (
            f"it never came to {scene}"
        )

    def finish(self, timeout_s: float = 60) -> dict[str, Any]:
        """Wait until the process ends, and return its report of its one game."""
        told, _ = self._process.communicate(timeout=timeout_s)
        assert self._process.returncode == 0
        (game,) = json.loads(told.splitlines()[-1])["games"]
        return dict(game)

    def close(self) -> None:
        """Kill the process, if it still runs."""
        self._process.kill()
        self._process.wait()
