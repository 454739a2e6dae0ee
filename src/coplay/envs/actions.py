"""Actions as bytes, in the form that peers send and the data store keeps.

Each player has a codec for their action space. The number of bytes is fixed, so that a packet needs no
lengths. Encoding is strict, because a wrong action is a bug of the caller. Decoding is lenient, because the
bytes come from a peer, who may be an adversary: every peer decodes any bytes to the same action of the space,
and nothing is ever raised into the simulation.

| Space | Bytes | Bytes that encode no action are decoded to |
|---|---|---|
| Discrete(n, start) | index, 1, 2 or 4 bytes by n, little endian | the default action |
| MultiDiscrete(nvec, start) | one index per component, each 1, 2 or 4 bytes | that component's first value |
| MultiBinary(n) | one bit per component, lowest bit first | (spare bits are ignored) |
| Box | each component, little endian | clipped to the bounds; the default where not finite |

Bytes of a wrong length are decoded to the default action.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from coplay.errors import UnusableEnvironmentError, UsageError

MAX_ACTION_SIZE = 64


class ActionCodec:
    """Encodes one player's actions as bytes, and decodes them.

    Args:
        space: The player's action space.

    Attributes:
        size: Bytes of an encoded action, 1 to 64.
        default: The encoded default action: index 0, no bit set, or zero clipped to the bounds.
        space: As given.
    """

    size: int
    default: bytes
    space: Any

    def __init__(self, space: Any) -> None:
        self.space = space

    def encode(self, action: Any) -> bytes:
        """Return the bytes of an action.

        Args:
            action: An action of the space.

        Raises:
            UsageError: `action` is not in the space. A Box clips values that are only out of bounds.
        """
        raise NotImplementedError

    def decode(self, data: bytes) -> Any:
        """Return the action that bytes encode. It is an action of the space for any bytes, and never raises.

        Args:
            data: Bytes of any length, from an untrusted peer.
        """
        raise NotImplementedError

    def sample(self, source: random.Random) -> bytes:
        """Return the bytes of a random action, for trials.

        Args:
            source: The source of randomness; the same state yields the same action.
        """
        raise NotImplementedError

    def _not_in_space(self, action: Any) -> UsageError:
        return UsageError(
            f"The action {action!r} is not in {self.space}.",
            "Check the study's keys, noop and bots against the environment's action space.",
        )


def _index_size(n: int) -> int:
    """Return the number of bytes for an index below n."""
    return 1 if n <= 1 << 8 else 2 if n <= 1 << 16 else 4


class DiscreteCodec(ActionCodec):
    """A codec for `Discrete(n, start)`: the index above `start`, decoded to a plain int."""

    def __init__(self, space: Any) -> None:
        super().__init__(space)
        self._n = int(space.n)
        self._start = int(space.start)
        self.size = _index_size(self._n)
        self.default = bytes(self.size)
        few = range(min(self._n, 1 << 8))  # nearly always all actions
        self._looked_up = {index.to_bytes(self.size, "little"): self._start + index for index in few}

    def encode(self, action: Any) -> bytes:
        """Return the bytes of an action."""
        try:
            index = int(action) - self._start
        except (TypeError, ValueError):
            raise self._not_in_space(action) from None
        # `int` truncates: the second comparison rejects 1.5.
        if not 0 <= index < self._n or index + self._start != action:
            raise self._not_in_space(action)
        return index.to_bytes(self.size, "little")

    def decode(self, data: bytes) -> int:
        """Return the action that bytes encode."""
        action = self._looked_up.get(data)
        if action is not None:
            return action
        index = int.from_bytes(data, "little")
        return self._start + index if index < self._n and len(data) == self.size else self._start

    def sample(self, source: random.Random) -> bytes:
        """Return the bytes of a random action."""
        return source.randrange(self._n).to_bytes(self.size, "little")


class MultiDiscreteCodec(ActionCodec):
    """A codec for `MultiDiscrete(nvec, start)`: one index per component."""

    def __init__(self, space: Any) -> None:
        super().__init__(space)
        self._shape = space.nvec.shape
        self._n = [int(n) for n in space.nvec.ravel()]
        self._start = [int(s) for s in space.start.ravel()]
        self._width = _index_size(max(self._n))
        self.size = self._width * len(self._n)
        self.default = bytes(self.size)

    def encode(self, action: Any) -> bytes:
        """Return the bytes of an action."""
        values = np.asarray(action)
        if not self.space.contains(values.astype(self.space.dtype)) or not np.array_equal(
            values, values.astype(self.space.dtype)
        ):
            raise self._not_in_space(action)
        indices = (int(v) - s for v, s in zip(values.ravel(), self._start, strict=True))
        return b"".join(index.to_bytes(self._width, "little") for index in indices)

    def decode(self, data: bytes) -> Any:
        """Return the action that bytes encode."""
        width = self._width
        if len(data) != self.size:
            data = self.default
        values = []
        for i, n in enumerate(self._n):
            index = int.from_bytes(data[i * width : (i + 1) * width], "little")
            values.append(self._start[i] + (index if index < n else 0))
        return np.array(values, dtype=self.space.dtype).reshape(self._shape)

    def sample(self, source: random.Random) -> bytes:
        """Return the bytes of a random action."""
        return b"".join(source.randrange(n).to_bytes(self._width, "little") for n in self._n)


class MultiBinaryCodec(ActionCodec):
    """A codec for `MultiBinary(n)`: one bit per component, packed."""

    def __init__(self, space: Any) -> None:
        super().__init__(space)
        self._count = int(np.prod(space.shape))
        self.size = (self._count + 7) // 8
        self.default = bytes(self.size)

    def encode(self, action: Any) -> bytes:
        """Return the bytes of an action."""
        values = np.asarray(action)
        if values.shape != self.space.shape or not np.isin(values, (0, 1)).all():
            raise self._not_in_space(action)
        return np.packbits(values.astype(np.uint8).ravel(), bitorder="little").tobytes()

    def decode(self, data: bytes) -> Any:
        """Return the action that bytes encode."""
        if len(data) != self.size:
            data = self.default
        bits = np.unpackbits(np.frombuffer(data, np.uint8), count=self._count, bitorder="little")
        return bits.astype(self.space.dtype).reshape(self.space.shape)

    def sample(self, source: random.Random) -> bytes:
        """Return the bytes of a random action."""
        return source.getrandbits(self._count).to_bytes(self.size, "little")


class BoxCodec(ActionCodec):
    """A codec for `Box`: each component in the space's own dtype, little endian."""

    def __init__(self, space: Any) -> None:
        super().__init__(space)
        self._wire = space.dtype.newbyteorder("<")
        self.size = int(np.prod(space.shape)) * space.dtype.itemsize
        self._zero = np.asarray(np.clip(np.zeros(space.shape), space.low, space.high), space.dtype)
        self.default = self._zero.astype(self._wire).tobytes()

    def encode(self, action: Any) -> bytes:
        """Return the bytes of an action."""
        try:
            values = np.asarray(action, dtype=np.float64 if self.space.dtype.kind == "f" else None)
        except (TypeError, ValueError):
            raise self._not_in_space(action) from None
        if (
            values.shape != self.space.shape
            or values.dtype.kind not in "biuf"
            or not np.isfinite(values).all()
        ):
            raise self._not_in_space(action)
        if values.dtype.kind == "f" and self.space.dtype.kind != "f" and (values != np.rint(values)).any():
            raise self._not_in_space(action)
        return bytes(self._clip(values).astype(self._wire).tobytes())

    def decode(self, data: bytes) -> Any:
        """Return the action that bytes encode."""
        if len(data) != self.size:
            return self._zero.copy()
        values = np.frombuffer(data, self._wire).reshape(self.space.shape).astype(self.space.dtype)
        if self.space.dtype.kind != "f":
            return np.asarray(np.clip(values, self.space.low, self.space.high))
        return self._clip(np.where(np.isfinite(values), values, self._zero))

    def sample(self, source: random.Random) -> bytes:
        """Return the bytes of a random action."""
        # Unbounded components are sampled within ±1000.
        low = np.maximum(self.space.low.astype(np.float64), -1e3).ravel()
        high = np.minimum(self.space.high.astype(np.float64), 1e3).ravel()
        values = [lo + (hi - lo) * source.random() for lo, hi in zip(low, high, strict=True)]
        if self.space.dtype.kind != "f":
            values = [round(value) for value in values]
        return self.encode(np.array(values).reshape(self.space.shape))

    def _clip(self, values: Any) -> Any:
        """Return values clipped in a type wide enough that no cast wraps around or overflows to infinity."""
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
    """Return a codec for an action space.

    Args:
        space: A Gymnasium space: Discrete, MultiDiscrete, MultiBinary or Box, or a subclass of one.
        player_id: The player whose space it is, for the error message.

    Raises:
        UnusableEnvironmentError: It is another kind of space, or its actions need more than 64 bytes.
    """
    for cls in type(space).__mro__:
        codec_class = _CODECS.get(cls.__name__) if cls.__module__.startswith("gymnasium.spaces") else None
        if codec_class is not None:
            break
    else:
        raise UnusableEnvironmentError(
            f"Player {player_id}'s action space is {space!r}, which has no encoding as a player's input.",
            f"Wrap the environment so that each player's action space is one of {', '.join(_CODECS)}.",
        )
    if codec_class is BoxCodec and space.dtype.kind not in "fiu":
        raise UnusableEnvironmentError(
            f"Player {player_id}'s action space {space!r} has components of type {space.dtype}.",
            "Use a Box of a float or integer type.",
        )
    codec = codec_class(space)
    if not 1 <= codec.size <= MAX_ACTION_SIZE:
        raise UnusableEnvironmentError(
            f"Player {player_id}'s action needs {codec.size} bytes, not 1 to {MAX_ACTION_SIZE}.",
            "Wrap the environment in a smaller action space: an input is sent every frame.",
        )
    return codec
