import json
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from coplay.data.spaces import describe_space, make_space
from coplay.errors import StoreError

SPACES = [
    spaces.Discrete(5, start=-2),
    spaces.MultiDiscrete([3, 300]),
    spaces.MultiBinary(5),
    spaces.Box(-1, 1, (2,), np.float32),
    spaces.Box(np.array([-np.inf, 0]), np.array([np.inf, 255]), dtype=np.float64),
    spaces.MultiBinary([2, 3]),
    spaces.Text(8, min_length=2, charset="abc"),
    spaces.Dict({"place": spaces.Box(0, 1, (2,)), "kind": spaces.Discrete(3)}),
    spaces.Tuple([spaces.Discrete(2), spaces.Dict({"b": spaces.Discrete(2), "a": spaces.MultiBinary(1)})]),
]


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_space_is_the_same_after_describing_and_making_it(space: spaces.Space[Any]) -> None:
    assert make_space(describe_space(space)) == space


def test_space_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(StoreError):
        describe_space(spaces.Graph(spaces.Discrete(2), None))


def test_order_of_a_dict_is_kept() -> None:
    space = spaces.Dict([("b", spaces.Discrete(2)), ("a", spaces.Discrete(3))])
    made = make_space(json.loads(json.dumps(describe_space(space))))
    assert isinstance(made, spaces.Dict)
    assert list(made.spaces) == list(space.spaces)


def test_description_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(StoreError, match="'Graph'"):
        make_space({"kind": "Graph"})
