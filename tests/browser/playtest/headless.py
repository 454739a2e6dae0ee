"""A participant without a browser, in a process of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from playtest.server import CoplayServer

_JOIN = Path(__file__).parents[2] / "headless" / "samples" / "join_study.py"


class HeadlessPeer:
    """Goes through a study by `coplay.headless.join`, pressing at random; started by making one.

    Args:
        server: Whose study; it was started by `Servers.serve`, so that the study lies beside the data.
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
        """Wait until it is there."""
        assert self._process.stdout is not None
        assert any(line.endswith(f": {scene}\n") for line in self._process.stdout), (
            f"it never came to {scene}"
        )

    def finish(self, timeout_s: float = 60) -> dict[str, Any]:
        """Wait for its end; answers what it has to tell of its one game."""
        told, _ = self._process.communicate(timeout=timeout_s)
        assert self._process.returncode == 0
        (game,) = json.loads(told.splitlines()[-1])["games"]
        return dict(game)

    def close(self) -> None:
        """End it, wherever it is."""
        self._process.kill()
        self._process.wait()
