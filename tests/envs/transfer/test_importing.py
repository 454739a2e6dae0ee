"""Contents go into objects of the kind that they are for."""

import numpy as np
import pytest
from tests.envs.transfer.crafted import export

from coplay.envs.transfer.importing import GraphImporter
from coplay.envs.transfer.wire import NodeRef
from coplay.errors import StateTransferError


class Thing:
    def __init__(self, **held):
        self.__dict__.update(held)


class Key:
    def __init__(self, number):
        self.number = number

    def __hash__(self):
        return self.number

    def __eq__(self, other):
        return self.number == other.number


def put(theirs, mine):
    sent, _ = export(env=theirs)
    own, known = export(env=mine)
    known.add_classes([Key, Thing])
    importer = GraphImporter(sent.roots, tuple(sent.nodes), own, known)
    importer.make()
    importer.fill()
    return importer


def test_keys_are_filled_before_they_are_hashed():
    mine = Thing()
    theirs = Thing(seen={Key(1): "a", (Key(2), 3): "b"}, kept={Key(4)}, fixed=frozenset({Key(5)}))
    put(theirs, mine)
    assert mine.seen[Key(1)] == "a"
    assert mine.seen[Key(2), 3] == "b"
    assert (mine.kept, mine.fixed) == ({Key(4)}, {Key(5)})


def test_read_only_array_is_read_only_again():
    fixed = np.arange(3)
    fixed.setflags(write=False)
    mine = Thing()
    put(Thing(fixed=fixed), mine)
    assert mine.fixed.tolist() == [0, 1, 2]
    assert not mine.fixed.flags.writeable


def test_nothing_changes_before_everything_is_made():
    mine = Thing(a=[1])
    sent, _ = export(env=Thing(a=[2, 3], b={}))
    own, known = export(env=mine)
    importer = GraphImporter(sent.roots, tuple(sent.nodes), own, known)
    importer.make()
    assert vars(mine) == {"a": [1]}
    assert {id(obj) for obj in importer.touched} == {id(mine), id(mine.a)}
    assert importer.objects((NodeRef(0),)) == [mine]


def test_contents_for_another_kind_of_object_are_refused():
    own, known = export(env=Thing(a=[1]))
    nodes = [*own.nodes]
    nodes[1] = ("through", *nodes[1][1:3], ("builtin", "sqrt", "math", None))
    nodes.append(("atom", ("builtins", "ellipsis"), None, ()))
    with pytest.raises(StateTransferError, match=r"is a atom|does not use|unknown kind"):
        GraphImporter(own.roots, tuple(nodes), own, known).make()
