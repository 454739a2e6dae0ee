"""Actions as bytes: what travels between peers, and what the data store keeps.

One codec per player, made from the action space. The size never changes, so a packet needs no lengths.
Encoding is strict, because a wrong action there is the caller's bug. Decoding is lenient, because the bytes
come from a peer, who may be an adversary: whatever the bytes, every peer decodes them to the same action of
the space, and nothing is ever raised into the simulation.

| Space | Bytes | Bytes that encode no action become |
|---|---|---|
| Discrete(n, start) | index, 1, 2 or 4 bytes by n, little endian | the default action |
| MultiDiscrete(nvec, start) | one index per component, each 1, 2 or 4 bytes | that component's first value |
| MultiBinary(n) | one bit per component, lowest bit first | (spare bits are ignored) |
| Box | each component, little endian | clipped to the bounds; the default where not finite |

Bytes of the wrong length become the default action.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from coplay.errors import UnusableEnvironmentError, UsageError

MAX_ACTION_SIZE = 64


class ActionCodec:
    """Turns one player's actions into bytes and back.

    Attributes:
        size: Bytes of every encoded action, 1 to 64.
        default: The encoded default action: index 0, no bit set, or zero clipped to the bounds.
        space: The action space this codec was made for.
    """

    size: int
    default: bytes
    space: Any

    def __init__(self, space: Any) -> None:
        self.space = space

    def encode(self, action: Any) -> bytes:
        """Give the bytes of an action.

        Raises:
            UsageError: `action` is not in the space. A Box clips what is merely out of bounds.
        """
        raise NotImplementedError

    def decode(self, data: bytes) -> Any:
        """Give the action of these bytes; any bytes give an action of the space. Never raises."""
        raise NotImplementedError

    def sample(self, source: random.Random) -> bytes:
        """Give the bytes of some action, for trials: the same for the same state of `source`."""
        raise NotImplementedError

    def _refuse(self, action: Any) -> UsageError:
        return UsageError(
            f"The action {action!r} is not in {self.space}.",
            "Check the study's keys, noop and bots against the environment's action space.",
        )


def _index_size(n: int) -> int:
    """Bytes for an index below n."""
    return 1 if n <= 1 << 8 else 2 if n <= 1 << 16 else 4


class DiscreteCodec(ActionCodec):
    """`Discrete(n, start)`: the index above `start`. Decodes to a plain int."""

    def __init__(self, space: Any) -> None:
        super().__init__(space)
        self._n = int(space.n)
        self._start = int(space.start)
        self.size = _index_size(self._n)
        self.default = bytes(self.size)
        few = range(min(self._n, 1 << 8))  # or all, nearly always
        self._looked_up = {index.to_bytes(self.size, "little"): self._start + index for index in few}

    def encode(self, action: Any) -> bytes:
        try:
            index = int(action) - self._start
        except (TypeError, ValueError):
            raise self._refuse(action) from None
        if not 0 <= index < self._n or index + self._start != action:
            raise self._refuse(action)
        return index.to_bytes(self.size, "little")

    def decode(self, data: bytes) -> int:
        action = self._looked_up.get(data)
        if action is not None:
            return action
        index = int.from_bytes(data, "little")
        return self._start + index if index < self._n and len(data) == self.size else self._start

    def sample(self, source: random.Random) -> bytes:
        return source.randrange(self._n).to_bytes(self.size, "little")


class MultiDiscreteCodec(ActionCodec):
    """`MultiDiscrete(nvec, start)`: one index per component."""

    def __init__(self, space: Any) -> None:
        super().__init__(space)
        self._shape = space.nvec.shape
        self._n = [int(n) for n in space.nvec.ravel()]
        self._start = [int(s) for s in space.start.ravel()]
        self._width = _index_size(max(self._n))
        self.size = self._width * len(self._n)
        self.default = bytes(self.size)

    def encode(self, action: Any) -> bytes:
        values = np.asarray(action)
        if not self.space.contains(values.astype(self.space.dtype)) or not np.array_equal(
            values, values.astype(self.space.dtype)
        ):
            raise self._refuse(action)
        indices = (int(v) - s for v, s in zip(values.ravel(), self._start, strict=True))
        return b"".join(index.to_bytes(self._width, "little") for index in indices)

    def decode(self, data: bytes) -> Any:
        width = self._width
        if len(data) != self.size:
            data = self.default
        values = []
        for i, n in enumerate(self._n):
            index = int.from_bytes(data[i * width : (i + 1) * width], "little")
            values.append(self._start[i] + (index if index < n else 0))
        return np.array(values, dtype=self.space.dtype).reshape(self._shape)

    def sample(self, source: random.Random) -> bytes:
        return b"".join(source.randrange(n).to_bytes(self._width, "little") for n in self._n)


class MultiBinaryCodec(ActionCodec):
    """`MultiBinary(n)`: one bit per component, packed."""

    def __init__(self, space: Any) -> None:
        super().__init__(space)
        self._count = int(np.prod(space.shape))
        self.size = (self._count + 7) // 8
        self.default = bytes(self.size)

    def encode(self, action: Any) -> bytes:
        values = np.asarray(action)
        if values.shape != self.space.shape or not np.isin(values, (0, 1)).all():
            raise self._refuse(action)
        return np.packbits(values.astype(np.uint8).ravel(), bitorder="little").tobytes()

    def decode(self, data: bytes) -> Any:
        if len(data) != self.size:
            data = self.default
        bits = np.unpackbits(np.frombuffer(data, np.uint8), count=self._count, bitorder="little")
        return bits.astype(self.space.dtype).reshape(self.space.shape)

    def sample(self, source: random.Random) -> bytes:
        return source.getrandbits(self._count).to_bytes(self.size, "little")


class BoxCodec(ActionCodec):
    """`Box`: every component in the space's own dtype, little endian."""

    def __init__(self, space: Any) -> None:
        super().__init__(space)
        self._wire = space.dtype.newbyteorder("<")
        self.size = int(np.prod(space.shape)) * space.dtype.itemsize
        self._zero = np.asarray(np.clip(np.zeros(space.shape), space.low, space.high), space.dtype)
        self.default = self._zero.astype(self._wire).tobytes()

    def encode(self, action: Any) -> bytes:
        try:
            values = np.asarray(action, dtype=np.float64 if self.space.dtype.kind == "f" else None)
        except (TypeError, ValueError):
            raise self._refuse(action) from None
        if (
            values.shape != self.space.shape
            or values.dtype.kind not in "biuf"
            or not np.isfinite(values).all()
        ):
            raise self._refuse(action)
        if values.dtype.kind == "f" and self.space.dtype.kind != "f" and (values != np.rint(values)).any():
            raise self._refuse(action)
        return bytes(self._clip(values).astype(self._wire).tobytes())

    def decode(self, data: bytes) -> Any:
        if len(data) != self.size:
            return self._zero.copy()
        values = np.frombuffer(data, self._wire).reshape(self.space.shape).astype(self.space.dtype)
        if self.space.dtype.kind != "f":
            return np.asarray(np.clip(values, self.space.low, self.space.high))
        return self._clip(np.where(np.isfinite(values), values, self._zero))

    def sample(self, source: random.Random) -> bytes:
        low = np.maximum(self.space.low.astype(np.float64), -1e3).ravel()
        high = np.minimum(self.space.high.astype(np.float64), 1e3).ravel()
        values = [lo + (hi - lo) * source.random() for lo, hi in zip(low, high, strict=True)]
        if self.space.dtype.kind != "f":
            values = [round(value) for value in values]
        return self.encode(np.array(values).reshape(self.space.shape))

    def _clip(self, values: Any) -> Any:
        """Clip in a type that holds both, so that no cast can wrap around or overflow to infinity."""
        space = self.space
        low, high = space.low, space.high
        if space.dtype.kind == "f":
            limit = np.finfo(space.dtype).max
            return np.asarray(np.clip(values, np.maximum(low, -limit), np.minimum(high, limit)), space.dtype)
        return np.array(
            [
                min(max(int(v), int(lo)), int(hi))
                for v, lo, hi in zip(values.flat, low.flat, high.flat, strict=True)
            ],
            dtype=space.dtype,
        ).reshape(space.shape)


_CODECS: dict[str, type[ActionCodec]] = {
    "Discrete": DiscreteCodec,
    "MultiDiscrete": MultiDiscreteCodec,
    "MultiBinary": MultiBinaryCodec,
    "Box": BoxCodec,
}


def codec_for(space: Any, player_id: int) -> ActionCodec:
    """Make the codec of an action space.

    Args:
        space: A Gymnasium space: Discrete, MultiDiscrete, MultiBinary or Box, or a subclass of one.
        player_id: Whose it is, for the error.

    Raises:
        UnusableEnvironmentError: Another kind of space, or one whose actions need more than 64 bytes.
    """
    for cls in type(space).__mro__:
        made_by = _CODECS.get(cls.__name__) if cls.__module__.startswith("gymnasium.spaces") else None
        if made_by is not None:
            break
    else:
        raise UnusableEnvironmentError(
            f"Player {player_id}'s action space is {space!r}, which has no encoding as a player's input.",
            f"Wrap the environment so that each player's action space is one of {', '.join(_CODECS)}.",
        )
    if made_by is BoxCodec and space.dtype.kind not in "fiu":
        raise UnusableEnvironmentError(
            f"Player {player_id}'s action space {space!r} has components of type {space.dtype}.",
            "Use a Box of a float or integer type.",
        )
    codec = made_by(space)
    if not 1 <= codec.size <= MAX_ACTION_SIZE:
        raise UnusableEnvironmentError(
            f"Player {player_id}'s action needs {codec.size} bytes, not 1 to {MAX_ACTION_SIZE}.",
            "Wrap the environment in a smaller action space: an input is sent every frame.",
        )
    return codec
