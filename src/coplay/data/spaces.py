"""Gymnasium spaces as JSON, so that recorded data can be read without the study's code.

This file runs in the browsers, too.
"""

from typing import Any

import numpy as np
from gymnasium import spaces

from coplay.errors import StoreError


def describe_space(space: spaces.Space[Any]) -> dict[str, Any]:
    """Return a description of a space, as JSON, from which `make_space` makes an equal one.

    Raises:
        StoreError: The space is of a kind that is neither an input nor exported, such as a graph.
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
                # As text, because JSON has no infinity.
                "low": [repr(float(bound)) for bound in space.low.ravel()],
                "high": [repr(float(bound)) for bound in space.high.ravel()],
                "dtype": str(space.dtype),
            }
        case spaces.Dict():
            return {
                "kind": "Dict",
                "spaces": [[str(key), describe_space(part)] for key, part in space.spaces.items()],
            }
        case spaces.Tuple():
            return {"kind": "Tuple", "spaces": [describe_space(part) for part in space.spaces]}
        case spaces.Text():
            return {
                "kind": "Text",
                "min_length": space.min_length,
                "max_length": space.max_length,
                "characters": "".join(space.character_list),
            }
        case _:
            raise StoreError(f"the space {space} cannot be described")


def make_space(description: dict[str, Any]) -> spaces.Space[Any]:
    """Return the space that `describe_space` described.

    Raises:
        StoreError: The description is of an unknown kind of space.
    """
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
        case "Dict":
            # A list, because Gymnasium would sort the keys of a dict: a space may have another order.
            return spaces.Dict([(key, make_space(part)) for key, part in description["spaces"]])
        case "Tuple":
            return spaces.Tuple([make_space(part) for part in description["spaces"]])
        case "Text":
            return spaces.Text(
                description["max_length"],
                min_length=description["min_length"],
                charset=description["characters"],
            )
        case kind:
            raise StoreError(
                f"a recorded space is of the unknown kind {kind!r}", "Was it recorded by a newer coplay?"
            )
