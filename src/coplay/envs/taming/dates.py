"""The classes `datetime.datetime` and `datetime.date` while a frame is simulated."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from coplay.envs.taming.streams import EPOCH_S, FrameStreams, current_frame

_module: Any = datetime
RealDatetime = datetime.datetime
RealDate = datetime.date


class _RealInstances(type):
    """A metaclass with which instances of the real class count as instances of the simulated one."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, cls.__mro__[1])


class SimulatedDatetime(datetime.datetime, metaclass=_RealInstances):
    """`datetime.datetime` with a clock that follows the frames.

    It creates instances of the real class, because they outlive the frame and this class must not.
    """

    __qualname__ = "_SimulatedDatetime"  # as in the checksums of recorded games

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Return an instance of the real class."""
        return RealDatetime(*args, **kwargs)

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Any:
        """Return the current moment, in the time zone `tz` or, without one, as a naive local time."""
        frame = current_frame()
        return RealDatetime.now(tz) if frame is None else _simulated_now(frame, tz)

    @classmethod
    def utcnow(cls) -> Any:
        """Return the current moment in UTC, without a time zone."""
        frame = current_frame()
        return _real_utcnow() if frame is None else _simulated_now(frame, None)

    @classmethod
    def today(cls) -> Any:
        """Return the current moment."""
        frame = current_frame()
        return RealDatetime.today() if frame is None else _simulated_now(frame, None)


class SimulatedDate(datetime.date, metaclass=_RealInstances):
    """`datetime.date` with a clock that follows the frames."""

    __qualname__ = "_SimulatedDate"  # as in the checksums of recorded games

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Return an instance of the real class."""
        return RealDate(*args, **kwargs)

    @classmethod
    def today(cls) -> Any:
        """Return the current day."""
        frame = current_frame()
        return RealDate.today() if frame is None else _simulated_now(frame, None).date()


SIMULATED: dict[Any, Any] = {RealDatetime: SimulatedDatetime, RealDate: SimulatedDate}
"""The simulated class of each real one."""


@contextmanager
def real_dates() -> Iterator[None]:
    """Use the real classes of `datetime` in a `with` block, even inside a frame.

    Imports need this, because a module may derive classes from them, as pandas does.
    """
    before = _module.datetime, _module.date
    _module.datetime, _module.date = RealDatetime, RealDate
    try:
        yield
    finally:
        _module.datetime, _module.date = before


def _simulated_now(frame: FrameStreams, tz: datetime.tzinfo | None) -> datetime.datetime:
    now = RealDatetime.fromtimestamp(EPOCH_S + frame.clock(), datetime.UTC)
    return now.replace(tzinfo=None) if tz is None else now.astimezone(tz)


def _real_utcnow() -> datetime.datetime:
    return RealDatetime.now(datetime.UTC).replace(tzinfo=None)
