"""The receiver's own objects take the contents, each those of one node."""

import numpy as np
import pytest
from tests.envs.transfer.crafted import export

from coplay.envs.transfer.overlay import NOTHING, Overlay
from coplay.envs.transfer.wire import NodeRef
from coplay.errors import StateTransferError


class Thing:
    def __init__(self, **held):
        self.__dict__.update(held)


def overlay_of(theirs, mine):
    sent, _ = export(env=theirs)
    own, known = export(env=mine)
    return sent, Overlay(sent.roots, tuple(sent.nodes), own, known)


def test_objects_in_the_same_place_are_taken():
    theirs, mine = (Thing(a=[1, {"k": [2]}], b=np.zeros(2)) for _ in range(2))
    _, overlay = overlay_of(theirs, mine)
    assert [id(obj) for obj in overlay.objects] == [id(obj) for obj in export(env=mine)[0].objects]


def test_object_of_another_class_is_not_taken():
    sent, overlay = overlay_of(Thing(a=[1], b=[2]), Thing(a={1: 1}, b=[3]))
    by_object = dict(zip(map(str, sent.objects), overlay.objects, strict=True))
    assert by_object["[1]"] is NOTHING
    assert by_object["[2]"] == [3]


def test_one_object_does_not_take_two_nodes():
    shared = [0]
    _, overlay = overlay_of(Thing(a=[1], b=[2]), Thing(a=shared, b=shared))
    taken = [obj for obj in overlay.objects if obj is shared]
    assert len(taken) == 1


def test_arrays_of_another_shape_are_not_taken():
    _, overlay = overlay_of(Thing(grid=np.zeros(3)), Thing(grid=np.zeros(4)))
    assert overlay.objects[1] is NOTHING


def test_roots_of_another_environment_are_refused():
    own, known = export(env=Thing())
    with pytest.raises(StateTransferError, match="another environment"):
        Overlay((("live", NodeRef(0)),), tuple(own.nodes), own, known)


def test_named_object_that_is_not_here_is_refused():
    own, known = export(env=Thing())
    node = ("list", ("builtins", "list"), ("nowhere", "NOTHING"), ())
    with pytest.raises(StateTransferError, match="does not have"):
        Overlay(own.roots, (*own.nodes, node), own, known)
