"""The context manager around every call into an environment."""

from __future__ import annotations

import datetime
import gc
from typing import Any, Self

from coplay.envs.taming import streams
from coplay.envs.taming.dates import RealDate, RealDatetime, SimulatedDate, SimulatedDatetime
from coplay.envs.taming.streams import FrameStreams

_datetime_module: Any = datetime


class SimulatedFrame(FrameStreams):
    """A context in which hidden randomness and clocks are functions of the seed and the frame.

    Args:
        seed: The game's seed.
        frame: The frame's number; -1 for what happens before frame 0.
        seconds: Simulated seconds since frame 0 when the frame begins.
    """

    __slots__ = ("_gc_was_enabled",)

    def __enter__(self) -> Self:
        self.outer = streams.current
        streams.current = self
        # When garbage is collected depends on the history of the whole process, and a finalizer may draw
        # numbers: inside a frame, it would consume a number that the simulation draws at other peers.
        self._gc_was_enabled = gc.isenabled()
        gc.disable()
        _datetime_module.datetime = SimulatedDatetime
        _datetime_module.date = SimulatedDate
        return self

    def __exit__(self, *_exc: object) -> None:
        streams.current = self.outer
        if self.outer is None:
            _datetime_module.datetime = RealDatetime
            _datetime_module.date = RealDate
        if self._gc_was_enabled:
            gc.enable()
