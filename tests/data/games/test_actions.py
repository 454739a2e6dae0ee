import numpy as np
from gymnasium import spaces

from coplay.data.games.actions import ActionDecoder
from coplay.data.spaces import describe_space
from coplay.envs import codec_for

DISCRETE = spaces.Discrete(5, start=-2)
BOX = spaces.Box(-1, 1, (2,), np.float32)


def test_actions_of_whole_numbers_stay_whole() -> None:
    description = describe_space(DISCRETE)
    actions = ActionDecoder([description])
    assert str(actions.type) == "int64"
    assert actions.decode(description, [codec_for(DISCRETE, 0).encode(action) for action in (-2, 2)]) == [
        -2,
        2,
    ]


def test_actions_of_mixed_games_share_one_type() -> None:
    descriptions = [describe_space(DISCRETE), describe_space(BOX)]
    actions = ActionDecoder(descriptions)
    assert str(actions.type) == "list<item: double>"
    assert actions.decode(descriptions[0], [codec_for(DISCRETE, 0).encode(1)]) == [[1]]
    assert actions.decode(descriptions[1], [codec_for(BOX, 0).encode([0.5, -1])]) == [[0.5, -1]]
