"""Action spaces as JSON, so that a store can be read without the study's code."""

from typing import Any

import numpy as np
from gymnasium import spaces

from coplay.errors import StoreError


def describe_space(space: spaces.Space[Any]) -> dict[str, Any]:
    """What is needed to make an equal space again.

    Raises:
        StoreError: The space is of a kind that no input is made of.
    """
    match space:
        case spaces.Discrete():
            return {"kind": "Discrete", "n": int(space.n), "start": int(space.start)}
        case spaces.MultiDiscrete():
            return {
                "kind": "MultiDiscrete",
                "nvec": space.nvec.tolist(),
                "start": space.start.tolist(),
                "dtype": str(space.dtype),
            }
        case spaces.MultiBinary():
            return {"kind": "MultiBinary", "n": space.n if isinstance(space.n, int) else list(space.shape)}
        case spaces.Box():
            return {
                "kind": "Box",
                "shape": list(space.shape),
                # Text, since JSON has no infinity.
                "low": [repr(float(bound)) for bound in space.low.ravel()],
                "high": [repr(float(bound)) for bound in space.high.ravel()],
                "dtype": str(space.dtype),
            }
        case _:
            raise StoreError(f"the action space {space} cannot be described")


def make_space(description: dict[str, Any]) -> spaces.Space[Any]:
    """The space that `describe_space` described."""
    match description["kind"]:
        case "Discrete":
            return spaces.Discrete(description["n"], start=description["start"])
        case "MultiDiscrete":
            return spaces.MultiDiscrete(
                np.array(description["nvec"]),
                dtype=np.dtype(description["dtype"]).type,
                start=np.array(description["start"]),
            )
        case "MultiBinary":
            return spaces.MultiBinary(description["n"])
        case "Box":
            dtype = np.dtype(description["dtype"])
            shape = tuple(description["shape"])
            low, high = (np.array([float(bound) for bound in description[end]]) for end in ("low", "high"))
            return spaces.Box(
                low.astype(dtype).reshape(shape), high.astype(dtype).reshape(shape), shape, dtype.type
            )
        case kind:
            raise StoreError(f"the store has an action space of the unknown kind {kind!r}")
