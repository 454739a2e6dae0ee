"""Arrays come back in place, with their shape."""

import numpy as np
import pytest

from coplay.envs.state.walk import StateWalk


class Board(np.ndarray):
    pass


def test_array_that_was_resized_has_its_shape_again():
    held = np.arange(6)
    walk = StateWalk({"held": held})
    saved = walk.take()
    held.resize((2, 5), refcheck=False)
    walk.restore(saved)
    assert held.tolist() == [0, 1, 2, 3, 4, 5]


def test_contents_that_do_not_fit_a_writeable_array_are_an_error():
    held = np.arange(6)
    view = held[:4]
    walk = StateWalk({"view": view})
    saved = walk.take()
    saved.contents[0] = np.arange(5)
    view[0] = 7
    walk.take()
    with pytest.raises(ValueError, match="resize"):
        walk.restore(saved)


def test_array_of_a_subclass_keeps_its_attributes():
    held = np.zeros(3).view(Board)
    held.owner = "red"
    walk = StateWalk({"held": held})
    saved = walk.take()
    held[:] = 1
    held.owner = "blue"
    walk.restore(saved)
    assert (held.tolist(), held.owner) == ([0, 0, 0], "red")
