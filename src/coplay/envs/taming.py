"""Hidden randomness and clocks, made functions of the game's seed and the frame.

Real environments draw from `random`, from `np.random`, from generators made without a seed, and read clocks.
Inside a simulated frame all of these answer from a stream that depends on (game seed, frame, how many draws
came before) and on nothing else: so a frame that is simulated again, or by another peer, draws the same.
Outside a simulated frame everything passes through to the originals, whose own state is never touched.

What is covered, and where it is caught:

| Source | Caught at |
|---|---|
| all of `random` | the module's hidden instance, which becomes a subclass that looks first |
| `random.Random()`, `random.seed()` | `Random.seed` without a seed |
| `np.random.rand()` and the like | the module's functions |
| unseeded `default_rng()`, `RandomState()`, `PCG64()`, Gymnasium's `np_random()` | numpy's use of `secrets` |
| `secrets`, `random.SystemRandom` | the name `random` holds for `os.urandom` |
| `os.urandom`, `uuid.uuid1`, `uuid.uuid4` | the functions |
| clocks of `time`, `sleep`, `localtime`, `gmtime` | the module's functions |
| `datetime.now`, `utcnow`, `today` | the classes in `datetime`, only while a frame is simulated |

Names that other modules imported earlier (`from random import random`) are replaced in those modules as well.
Not covered: a function kept elsewhere than in a module's globals before the first game (a default argument, a
class attribute), and C code that asks the system by itself. The determinism check names what those change.

Seeding is lazy: a frame that draws nothing costs two assignments.
"""

from __future__ import annotations

import datetime
import functools
import gc
import os
import random
import sys
import time
import uuid
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from hashlib import blake2b, shake_256
from threading import get_ident
from types import ModuleType
from typing import Any

import numpy as np

from coplay.envs.kinds.registry import ATOM, ATOMS, KINDS

_EPOCH_S = 1_700_000_000.0  # what `time.time()` says at frame 0
_TICK_S = 1e-6  # between two readings of a clock in one frame


class SimulatedFrame:
    """Where one frame's draws and clock readings come from. Use as a context manager around the simulation's
    calls.

    Args:
        seed: The game's.
        frame: Which one; -1 before the first.
        seconds: Simulated time since frame 0.
    """

    __slots__ = (
        "_before",
        "_collects",
        "_draws",
        "_numpy",
        "_python",
        "_ticks",
        "frame",
        "seconds",
        "seed",
        "thread",
    )

    def __init__(self, seed: int, frame: int, seconds: float) -> None:
        self.seed = seed
        self.frame = frame
        self.seconds = seconds
        self._draws = 0
        self._ticks = 0
        self.thread = get_ident()
        self._python: random.Random | None = None
        self._numpy: np.random.RandomState | None = None

    def __enter__(self) -> SimulatedFrame:
        global _current
        self._before = _current
        _current = self
        # When garbage is collected depends on the whole process's history: no finalizer may run, or draw, in
        # a frame.
        self._collects = gc.isenabled()
        gc.disable()
        _datetime_module.datetime = _SimulatedDatetime
        _datetime_module.date = _SimulatedDate
        return self

    def __exit__(self, *_exc: object) -> None:
        global _current
        _current = self._before
        if _current is None:
            _datetime_module.datetime = _RealDatetime
            _datetime_module.date = _RealDate
        if self._collects:
            gc.enable()

    def entropy(self, count: int) -> bytes:
        """Stand in for `os.urandom`: the next bytes of this frame's stream."""
        self._draws += 1
        return shake_256(b"%d/%d/%d" % (self.seed, self.frame, self._draws)).digest(count)

    def python(self) -> random.Random:
        """Stand in for `random`'s hidden instance."""
        if self._python is None:
            self._python = random.Random(derive_seed(self.seed, "random", self.frame))
        return self._python

    def numpy(self) -> np.random.RandomState:
        """Stand in for `np.random`'s hidden instance."""
        if self._numpy is None:
            # Seeding one that exists is ten times cheaper than making one. A frame in a frame needs its own.
            self._numpy = _numpy_stream if self._before is None else np.random.RandomState(0)
            self._numpy.seed(derive_seed(self.seed, "numpy", self.frame) & 0xFFFFFFFF)
        return self._numpy

    def clock(self) -> float:
        """Seconds since frame 0; never the same twice, never backwards."""
        self._ticks += 1
        return self.seconds + self._ticks * _TICK_S


def derive_seed(seed: int, *path: object) -> int:
    """Derive 63 bits from a seed and what they are for; the same in every process."""
    text = "/".join(map(str, (seed, *path)))
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little") >> 1


@contextmanager
def real_dates() -> Iterator[None]:
    """Have the real classes of `datetime` for a while, also inside a frame: imported modules may build
    on them."""
    simulated = _datetime_module.datetime, _datetime_module.date
    _datetime_module.datetime, _datetime_module.date = _RealDatetime, _RealDate
    try:
        yield
    finally:
        _datetime_module.datetime, _datetime_module.date = simulated


_current: SimulatedFrame | None = None
_numpy_stream = np.random.RandomState(0)


def _current_frame() -> SimulatedFrame | None:
    """Give the frame that this thread is simulating; other threads of the process keep their own clocks and
    draws."""
    return _current if _current is not None and _current.thread == get_ident() else None


class Tamed:
    """A function that answers from the simulated frame while there is one, and passes through otherwise."""

    __slots__ = ("__name__", "_inside", "original")

    def __init__(self, original: Callable[..., Any], inside: Callable[..., Any]) -> None:
        self.original = original
        self._inside = inside
        self.__name__ = getattr(original, "__name__", "tamed")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        frame = _current_frame()
        return self.original(*args, **kwargs) if frame is None else self._inside(frame, *args, **kwargs)

    def __repr__(self) -> str:
        return f"<{self.__name__}, a function of the frame inside a simulation>"


class GlobalRandom(random.Random):
    """What `random`'s hidden instance becomes: every draw asks whether a frame is being simulated.

    The module's functions are bound methods of that instance and end in one of the methods below, so this
    also reaches `from random import choice` wherever it was done.
    """

    def random(self) -> float:
        frame = _current_frame()
        return super().random() if frame is None else frame.python().random()

    def getrandbits(self, k: int, /) -> int:
        frame = _current_frame()
        return super().getrandbits(k) if frame is None else frame.python().getrandbits(k)

    @property
    def gauss_next(self) -> float | None:
        """Half of the last pair that `gauss` drew: state of the stream, not of the process."""
        frame = _current_frame()
        value: float | None = vars(self if frame is None else frame.python()).get("gauss_next")
        return value

    @gauss_next.setter
    def gauss_next(self, value: float | None) -> None:
        frame = _current_frame()
        vars(self if frame is None else frame.python())["gauss_next"] = value


class _RealInstances(type):
    """Lets the real class's instances count as instances of the simulated one."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, cls.__mro__[1])


_datetime_module: Any = datetime
_RealDatetime = datetime.datetime
_RealDate = datetime.date


class _SimulatedDatetime(datetime.datetime, metaclass=_RealInstances):
    # What is kept is a real one: the simulated class is only there while a frame is simulated.
    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return _RealDatetime(*args, **kwargs)

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Any:
        frame = _current_frame()
        return _RealDatetime.now(tz) if frame is None else _moment(frame, tz)

    @classmethod
    def utcnow(cls) -> Any:
        frame = _current_frame()
        return _now_utc() if frame is None else _moment(frame, None)

    @classmethod
    def today(cls) -> Any:
        frame = _current_frame()
        return _RealDatetime.today() if frame is None else _moment(frame, None)


class _SimulatedDate(datetime.date, metaclass=_RealInstances):
    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return _RealDate(*args, **kwargs)

    @classmethod
    def today(cls) -> Any:
        frame = _current_frame()
        return _RealDate.today() if frame is None else _moment(frame, None).date()


def _moment(frame: SimulatedFrame, tz: datetime.tzinfo | None) -> datetime.datetime:
    moment = _RealDatetime.fromtimestamp(_EPOCH_S + frame.clock(), datetime.UTC)
    return moment.replace(tzinfo=None) if tz is None else moment.astimezone(tz)


def _now_utc() -> datetime.datetime:
    return _RealDatetime.now(datetime.UTC).replace(tzinfo=None)


_replaced: list[tuple[dict[str, Any], str, Any]] = []
_by_identity: dict[int, Tamed] = {}
_unseeded: weakref.WeakSet[random.Random] = weakref.WeakSet()
_scanned: set[str] = set()
_random_class: Any = random.Random
_random_module: Any = random
_original_seed = random.Random.seed
_UNTOUCHED = frozenset(sys.stdlib_module_names) | {"numpy", "coplay", "js", "pyodide"}


def seed_anew(generators: Iterable[Any], seed: int) -> None:
    """Give generators that nobody seeded a state that depends on the game, as they would differ from run to
    run.

    Generators with a seed of their own keep it. One made without a seed is known by its 128 bits of entropy,
    or, for `random.Random`, because it was made after `install`.

    Args:
        generators: In the same order on every peer.
        seed: The game's.
    """
    for position, generator in enumerate(generators):
        fresh = derive_seed(seed, "generator", position)
        if isinstance(generator, np.random.BitGenerator):
            if _is_from_system(generator):
                generator.state = type(generator)(fresh).state
        elif isinstance(generator, np.random.RandomState):
            if _is_from_system(generator._bit_generator):
                generator.set_state(np.random.RandomState(np.random.MT19937(fresh)).get_state())
        elif generator in _unseeded:
            random.Random.setstate(generator, random.Random(fresh).getstate())


def _is_from_system(bit_generator: Any) -> bool:
    entropy = getattr(bit_generator.seed_seq, "entropy", None)
    return isinstance(entropy, int) and entropy.bit_length() > 96


def install() -> None:
    """Put the stand-ins in place, once per process, and again in modules imported since."""
    if not _replaced:
        _install_random()
        _install_numpy()
        _install_clocks()
        _replace(vars(os), "urandom", lambda frame, count: frame.entropy(count))
        _replace(vars(random), "_urandom", lambda frame, count: frame.entropy(count))
        for version, name in ((1, "uuid1"), (4, "uuid4")):
            _replace(vars(uuid), name, functools.partial(_simulated_uuid, version=version))
        for cls in (Tamed, GlobalRandom):
            ATOMS.add(cls)
            KINDS[cls] = ATOM
    for module_name in sys.modules.keys() - _scanned:
        module = sys.modules.get(module_name)
        _scanned.add(module_name)
        if isinstance(module, ModuleType) and module_name.partition(".")[0] not in _UNTOUCHED:
            _replace_imported_names(vars(module))


def uninstall() -> None:
    """Put every original back."""
    while _replaced:
        namespace, name, original = _replaced.pop()
        namespace[name] = original
    _by_identity.clear()
    _scanned.clear()
    _random_class.seed = _original_seed
    _random_module._inst.__class__ = random.Random


def tame_datetime(package: str) -> None:
    """Replace `datetime` and `date` where modules of the environment's own package imported them by name.

    Kept apart from `install`: other packages, a database driver say, may compare these classes by identity.
    """
    for module_name, module in list(sys.modules.items()):
        top = module_name.partition(".")[0]
        if top == package and top not in _UNTOUCHED and isinstance(module, ModuleType):
            for name, value in list(vars(module).items()):
                if value is _RealDatetime or value is _RealDate:
                    simulated = _SimulatedDatetime if value is _RealDatetime else _SimulatedDate
                    _replaced.append((vars(module), name, value))
                    vars(module)[name] = simulated


def _replace(namespace: dict[str, Any], name: str, inside: Callable[..., Any]) -> None:
    original = namespace[name]
    tamed = Tamed(original, inside)
    _by_identity[id(original)] = tamed
    _replaced.append((namespace, name, original))
    namespace[name] = tamed


def _replace_imported_names(namespace: dict[str, Any]) -> None:
    for name, value in list(namespace.items()):
        tamed = _by_identity.get(id(value))
        if tamed is not None and tamed.original is value:
            _replaced.append((namespace, name, value))
            namespace[name] = tamed


def _install_random() -> None:
    def seed(self: random.Random, a: Any = None, version: int = 2) -> None:
        if a is None:
            _unseeded.add(self)
            if (frame := _current_frame()) is not None:
                a = int.from_bytes(frame.entropy(16), "little")
        else:
            _unseeded.discard(self)
        _original_seed(self, a, version)

    namespace = vars(random)
    instance: Any = namespace["_inst"]
    for name in ("random", "getrandbits", "seed", "getstate", "setstate"):
        _replace(namespace, name, functools.partial(_ask_python, name=name))
    _random_class.seed = seed
    gauss_next = instance.gauss_next
    instance.__class__ = GlobalRandom
    vars(instance)["gauss_next"] = gauss_next


def _install_numpy() -> None:
    mtrand: Any = np.random.mtrand
    hidden = mtrand._rand
    for namespace in (vars(np.random), vars(mtrand)):
        for name, function in list(namespace.items()):
            if getattr(function, "__self__", None) is hidden or name == "seed":
                _replace(
                    namespace, name, functools.partial(_ask_numpy, name=getattr(function, "__name__", name))
                )


def _ask_python(frame: SimulatedFrame, *args: Any, name: str, **kwargs: Any) -> Any:
    return getattr(frame.python(), name)(*args, **kwargs)


def _ask_numpy(frame: SimulatedFrame, *args: Any, name: str, **kwargs: Any) -> Any:
    return getattr(frame.numpy(), name)(*args, **kwargs)


def _simulated_uuid(frame: SimulatedFrame, *_args: Any, version: int) -> uuid.UUID:
    return uuid.UUID(bytes=frame.entropy(16), version=version)


def _install_clocks() -> None:
    namespace = vars(time)
    _replace(namespace, "time", lambda frame: _EPOCH_S + frame.clock())
    _replace(namespace, "time_ns", lambda frame: int((_EPOCH_S + frame.clock()) * 1e9))
    for name in ("monotonic", "perf_counter", "process_time", "thread_time"):
        if name in namespace:
            _replace(namespace, name, lambda frame: frame.clock())
            _replace(namespace, f"{name}_ns", lambda frame: int(frame.clock() * 1e9))
    _replace(namespace, "sleep", lambda frame, seconds: None)
    for name in ("localtime", "gmtime"):
        _replace(namespace, name, lambda frame, seconds=None: _broken_down(frame, seconds))


def _broken_down(frame: SimulatedFrame, seconds: float | None) -> time.struct_time:
    moment = _EPOCH_S + frame.clock() if seconds is None else seconds
    return _RealDatetime.fromtimestamp(moment, datetime.UTC).timetuple()


def untamed(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give the original of a function that may have been replaced: quicker, and enough outside of a frame."""
    return function.original if isinstance(function, Tamed) else function
