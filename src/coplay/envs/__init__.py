"""Unmodified Gymnasium and PettingZoo environments, run as games that can be rolled back.

Start with `game.Game`. Importing this package is cheap: numpy and Gymnasium are imported on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from coplay.envs import wasm_stubs

if TYPE_CHECKING:
    from coplay.envs.actions import ActionCodec, codec_for
    from coplay.envs.determinism import DeterminismReport, check_environment
    from coplay.envs.environment import Environment, StepResult
    from coplay.envs.game import FrameRow, Game, SavedGame
    from coplay.envs.loading import load_environment

_MODULES = {
    "ActionCodec": "actions",
    "Environment": "environment",
    "FrameRow": "game",
    "Game": "game",
    "StepResult": "environment",
    "DeterminismReport": "determinism",
    "SavedGame": "game",
    "check_environment": "determinism",
    "codec_for": "actions",
    "load_environment": "loading",
}

__all__ = [
    "ActionCodec",
    "DeterminismReport",
    "Environment",
    "FrameRow",
    "Game",
    "SavedGame",
    "StepResult",
    "check_environment",
    "codec_for",
    "load_environment",
]


# A study file may import Gymnasium itself, before any environment is loaded.
wasm_stubs.install()


def __getattr__(name: str) -> Any:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{module}"), name)
    globals()[name] = value
    return value
