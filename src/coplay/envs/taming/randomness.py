"""Random sources of Python and numpy, computed from the frame."""

from __future__ import annotations

import functools
import os
import random
import uuid
import weakref
from collections.abc import Iterable
from typing import Any

import numpy as np

from coplay.envs.taming.patches import replace_function
from coplay.envs.taming.streams import FrameStreams, current_frame, derive_seed

_random_class: Any = random.Random
_random_module: Any = random
_original_seed = random.Random.seed
_unseeded: weakref.WeakSet[random.Random] = weakref.WeakSet()
_LONGEST_SEED_BITS = 96  # numpy asks the system for 128 bits, and a seed that somebody wrote is shorter


class GlobalRandom(random.Random):
    """The class of `random`'s hidden instance: each draw checks whether a frame is being simulated.

    The module's functions are bound methods of that instance and end in one of the methods below. This
    therefore also covers `from random import choice`, in any module and no matter when it ran.
    """

    def random(self) -> float:
        """Return a float in [0, 1)."""
        frame = current_frame()
        return super().random() if frame is None else frame.python().random()

    def getrandbits(self, k: int, /) -> int:
        """Return an integer of `k` random bits."""
        frame = current_frame()
        return super().getrandbits(k) if frame is None else frame.python().getrandbits(k)

    @property
    def gauss_next(self) -> float | None:
        """The second half of the last pair that `gauss` drew; it belongs to the stream, not the process."""
        frame = current_frame()
        value: float | None = vars(self if frame is None else frame.python()).get("gauss_next")
        return value

    @gauss_next.setter
    def gauss_next(self, value: float | None) -> None:
        frame = current_frame()
        vars(self if frame is None else frame.python())["gauss_next"] = value


def install() -> None:
    """Replace the sources of randomness of Python and numpy."""
    _install_random()
    _install_numpy()
    replace_function(vars(os), "urandom", lambda frame, count: frame.entropy(count))
    replace_function(vars(random), "_urandom", lambda frame, count: frame.entropy(count))
    for version, name in ((1, "uuid1"), (4, "uuid4")):
        replace_function(vars(uuid), name, functools.partial(_simulated_uuid, version=version))


def uninstall() -> None:
    """Restore what is not a global of a module: a method, and the class of the hidden instance."""
    _random_class.seed = _original_seed
    _random_module._inst.__class__ = random.Random


def _install_random() -> None:
    def seed(self: random.Random, a: Any = None, version: int = 2) -> None:
        if a is None:
            _unseeded.add(self)
            if (frame := current_frame()) is not None:
                a = int.from_bytes(frame.entropy(16), "little")
        else:
            _unseeded.discard(self)
        _original_seed(self, a, version)

    namespace = vars(random)
    instance: Any = namespace["_inst"]
    for name in ("random", "getrandbits", "seed", "getstate", "setstate"):
        replace_function(namespace, name, functools.partial(_call_python, name=name))
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
                method = getattr(function, "__name__", name)
                replace_function(namespace, name, functools.partial(_call_numpy, name=method))


def _call_python(frame: FrameStreams, *args: Any, name: str, **kwargs: Any) -> Any:
    return getattr(frame.python(), name)(*args, **kwargs)


def _call_numpy(frame: FrameStreams, *args: Any, name: str, **kwargs: Any) -> Any:
    return getattr(frame.numpy(), name)(*args, **kwargs)


def _simulated_uuid(frame: FrameStreams, *_args: Any, version: int) -> uuid.UUID:
    return uuid.UUID(bytes=frame.entropy(16), version=version)


def seed_unseeded(generators: Iterable[Any], seed: int) -> None:
    """Seed the generators that have no seed, so that they are the same in every run of a game.

    Generators that the environment seeded are left alone. A numpy generator without a seed is recognized by
    its 128 bits of entropy, a `random.Random` by having been created without one after `install`.

    Args:
        generators: All of an environment's, in an order that is the same on every peer.
        seed: The game's seed.
    """
    for position, generator in enumerate(generators):
        derived = derive_seed(seed, "generator", position)
        if isinstance(generator, np.random.BitGenerator):
            if _has_system_entropy(generator):
                generator.state = type(generator)(derived).state
        elif isinstance(generator, np.random.RandomState):
            if _has_system_entropy(generator._bit_generator):
                generator.set_state(np.random.RandomState(np.random.MT19937(derived)).get_state())
        elif generator in _unseeded:
            random.Random.setstate(generator, random.Random(derived).getstate())


def _has_system_entropy(bit_generator: Any) -> bool:
    entropy = getattr(bit_generator.seed_seq, "entropy", None)
    return isinstance(entropy, int) and entropy.bit_length() > _LONGEST_SEED_BITS
