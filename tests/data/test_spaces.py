from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from coplay.data.games.actions import ActionTable
from coplay.data.spaces import describe_space, make_space
from coplay.envs import codec_for
from coplay.errors import StoreError

SPACES = [
    spaces.Discrete(5, start=-2),
    spaces.MultiDiscrete([3, 300]),
    spaces.MultiBinary(5),
    spaces.Box(-1, 1, (2,), np.float32),
    spaces.Box(np.array([-np.inf, 0]), np.array([np.inf, 255]), dtype=np.float64),
]


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_space_survives_the_way_through_its_description(space: spaces.Space[Any]) -> None:
    assert make_space(describe_space(space)) == space


def test_space_that_is_no_input_is_refused() -> None:
    with pytest.raises(StoreError):
        describe_space(spaces.Graph(spaces.Discrete(2), None))


def test_actions_of_whole_numbers_stay_whole() -> None:
    description = describe_space(SPACES[0])
    table = ActionTable([description])
    assert str(table.type) == "int64"
    assert table.decoded(description, [codec_for(SPACES[0], 0).encode(action) for action in (-2, 2)]) == [
        -2,
        2,
    ]


def test_actions_of_mixed_games_share_one_type() -> None:
    descriptions = [describe_space(SPACES[0]), describe_space(SPACES[3])]
    table = ActionTable(descriptions)
    assert str(table.type) == "list<item: double>"
    assert table.decoded(descriptions[0], [codec_for(SPACES[0], 0).encode(1)]) == [[1]]
    assert table.decoded(descriptions[1], [codec_for(SPACES[3], 0).encode([0.5, -1])]) == [[0.5, -1]]
