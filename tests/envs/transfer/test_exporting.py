"""What can be sent, and what says that it cannot."""

import numpy as np
import pytest
from gymnasium import spaces
from tests.envs.transfer.crafted import export

from coplay.envs.transfer.wire import pack, unpack
from coplay.errors import StateTransferError


class Thing:
    pass


def test_each_object_is_one_node_however_often_it_is_held():
    shared = [1]
    own, _ = export(env={"a": shared, "b": (shared, shared)})
    assert sum(obj is shared for obj in own.objects) == 1
    assert len(own.nodes) == len(own.objects)


def test_graph_can_be_written_and_read():
    thing = Thing()
    thing.grid, thing.kept = np.zeros((2, 2)), {"a": (1, [2.5])}
    own, _ = export(env=thing)
    read = unpack(pack(tuple(own.nodes)))
    assert [node[:3] for node in read] == [node[:3] for node in own.nodes]


def test_drawing_object_is_left_to_the_receiver():
    thing = Thing()
    thing.screen = type("Surface", (), {"__module__": "pygame.surface"})()
    own, _ = export(env=thing)
    assert own.nodes[0][3] == ("screen", ("drawing",))
    assert [value for _tree, value in own.here.values()] == [thing.screen]


def test_composite_space_leads_to_its_parts():
    own, _ = export(env=spaces.Dict(move=spaces.Discrete(2)))
    assert [node[0] for node in own.nodes] == ["space", "dict", "space"]


def test_state_that_python_cannot_see_is_not_sent():
    thing = Thing()
    thing.numbers = iter([1])
    with pytest.raises(StateTransferError, match="a list_iterator cannot be sent"):
        export(env=thing)


def test_view_of_an_array_of_objects_is_not_sent():
    thing = Thing()
    thing.whole = np.array([[], [1]], object)
    thing.part = thing.whole[:1]
    with pytest.raises(StateTransferError, match="a view of an array of objects"):
        export(env=thing)
