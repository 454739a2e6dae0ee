"""One frame's streams of draws and clock readings, and which frame is being simulated now."""

from __future__ import annotations

import random
from hashlib import blake2b, shake_256
from threading import get_ident
from typing import Final

import numpy as np

EPOCH_S: Final = 1_700_000_000.0
"""What `time.time()` returns at frame 0, in seconds since 1970."""
_TICK_S: Final = 1e-6  # between two clock readings in one frame


def derive_seed(seed: int, *path: object) -> int:
    """Return 63 bits derived from a seed and a purpose, the same in every process.

    Args:
        seed: The game's seed.
        path: What the derived seed is for, such as `"episode", 2`. Other paths yield independent seeds.
    """
    text = "/".join(map(str, (seed, *path)))
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little") >> 1


class FrameStreams:
    """The random draws and clock readings of one frame: functions of seed, frame and earlier draws only.

    Each stream is created on first use, because most frames draw nothing.

    Attributes:
        seed: The game's seed.
        frame: The frame's number; -1 for what happens before frame 0.
        seconds: Simulated seconds since frame 0 when the frame begins.
        thread: Identifier of the thread that simulates the frame.
        outer: The frame during which this one is simulated; None in the usual case.
    """

    __slots__ = ("_draws", "_numpy", "_python", "_ticks", "frame", "outer", "seconds", "seed", "thread")

    def __init__(self, seed: int, frame: int, seconds: float) -> None:
        self.seed = seed
        self.frame = frame
        self.seconds = seconds
        self.outer: FrameStreams | None = None
        self._draws = 0
        self._ticks = 0
        self.thread = get_ident()
        self._python: random.Random | None = None
        self._numpy: np.random.RandomState | None = None

    def entropy(self, count: int) -> bytes:
        """Return this frame's next bytes in place of `os.urandom`.

        Args:
            count: Number of bytes.
        """
        self._draws += 1
        return shake_256(b"%d/%d/%d" % (self.seed, self.frame, self._draws)).digest(count)

    def python(self) -> random.Random:
        """Return the generator that stands in for the hidden instance of `random`."""
        if self._python is None:
            self._python = random.Random(derive_seed(self.seed, "random", self.frame))
        return self._python

    def numpy(self) -> np.random.RandomState:
        """Return the generator that stands in for the hidden instance of `np.random`."""
        if self._numpy is None:
            # Seeding an existing generator is ten times cheaper than creating one. A nested frame needs its
            # own, as the outer frame continues its stream afterwards.
            self._numpy = _shared_numpy if self.outer is None else np.random.RandomState(0)
            self._numpy.seed(derive_seed(self.seed, "numpy", self.frame) & 0xFFFFFFFF)
        return self._numpy

    def clock(self) -> float:
        """Return seconds since frame 0; strictly increasing within the frame."""
        self._ticks += 1
        return self.seconds + self._ticks * _TICK_S


_shared_numpy = np.random.RandomState(0)

current: FrameStreams | None = None
"""The innermost frame that is being simulated, in any thread; `SimulatedFrame` sets it."""


def current_frame() -> FrameStreams | None:
    """Return the frame that this thread is simulating, or None.

    Other threads, a server's for example, keep the real clocks and random sources.
    """
    return current if current is not None and current.thread == get_ident() else None
