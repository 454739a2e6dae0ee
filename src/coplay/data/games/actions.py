"""Inputs decoded into the actions of the environment, in one column for all games."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from coplay.data.spaces import make_space
from coplay.envs import codec_for


class ActionDecoder:
    """A decoder of inputs into one Arrow type that fits the actions of all games.

    Integers stay integers unless some game has fractions. Arrays stay arrays; where only some games have
    arrays, the actions of the others become arrays of one element.

    Args:
        spaces: The descriptions of all action spaces, as `describe_space` makes them.

    Attributes:
        type: The Arrow type of the column.
    """

    def __init__(self, spaces: Sequence[dict[str, Any]]) -> None:
        made = [make_space(space) for space in _distinct(spaces)]
        self._depth = max((len(space.shape or ()) for space in made), default=0)
        whole = all(space.dtype is not None and space.dtype.kind in "biu" for space in made)
        self.type: pa.DataType = pa.int64() if whole else pa.float64()
        for _ in range(self._depth):
            self.type = pa.list_(self.type)

    def decode(self, space: dict[str, Any], inputs: Sequence[bytes]) -> list[Any]:
        """Return the actions of one player as values of the column.

        Args:
            space: The description of the player's action space.
            inputs: The player's inputs, one a frame.
        """
        return [self._plain(action) for action in decode_actions(space, inputs)]

    def _plain(self, action: Any) -> Any:
        value: Any = np.asarray(action).tolist()
        for _ in range(self._depth - np.asarray(action).ndim):
            value = [value]
        return value


def decode_actions(space: dict[str, Any], inputs: Sequence[bytes]) -> list[Any]:
    """Return the actions of one player as the environment takes them.

    Args:
        space: The description of the player's action space.
        inputs: The player's inputs, one a frame.
    """
    codec = codec_for(make_space(space), 0)
    # Few inputs are distinct, because people hold keys.
    known = {data: codec.decode(data) for data in set(inputs)}
    return [known[data] for data in inputs]


def _distinct(spaces: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({repr(space): space for space in spaces}.values())
