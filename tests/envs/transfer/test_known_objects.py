"""What an environment's code defines is known by name, and nothing else is."""

import types

import pytest

from coplay.envs.kinds.instances import Namespace
from coplay.envs.transfer.known_objects import KnownObjects, label_of
from coplay.errors import StateTransferError


class Ground:
    class Kind:
        pass

    shared = Kind()

    @property
    def height(self):
        return sum(level for level in ())

    @staticmethod
    def make():
        return lambda: None

    def counter(self):
        def count():
            return self

        return count


EMPTY = Ground()
SCORES = [1]


def test_classes_inside_of_classes_are_known():
    known = KnownObjects({"env": Ground()})
    assert known.class_named((__name__, "Ground.Kind")) is Ground.Kind
    assert known.class_named(("builtins", "list")) is list


def test_objects_of_modules_and_classes_have_names():
    known = KnownObjects({"env": Ground()})
    assert known.name_of(EMPTY) == (__name__, "EMPTY")
    assert known.object_named((__name__, "EMPTY")) is EMPTY
    assert known.object_named((__name__, "Ground:shared")) is Ground.shared
    assert known.name_of(Ground()) is None
    assert known.object_named((__name__, "nothing")) is None


def test_watched_names_are_state_and_not_known():
    known = KnownObjects(
        {"env": Ground(), __name__: Namespace(__import__("sys").modules[__name__], ["SCORES"])}
    )
    assert known.name_of(SCORES) is None


def test_class_that_is_not_used_is_refused():
    with pytest.raises(StateTransferError, match=r"uses subprocess\.Popen, which the environment does not"):
        KnownObjects({"env": Ground()}).class_named(("subprocess", "Popen"))


def test_functions_are_made_of_known_code_only():
    known = KnownObjects({"env": Ground()})
    cell = types.CellType(5)
    made = known.make_function((__name__, "Ground.counter.<locals>.count"), None, None, (cell,))
    assert (made(), made.__module__) == (5, __name__)
    assert known.make_function((__name__, "Ground.make.<locals>.<lambda>"), None, None, ())() is None
    for key, cells in (((__name__, "Ground.counter.<locals>.count"), ()), (("os", "system"), ())):
        with pytest.raises(StateTransferError, match="does not use"):
            known.make_function(key, None, None, cells)


def test_labels_do_not_depend_on_addresses():
    assert label_of(Ground) == f"{__name__}.Ground"
    assert label_of(iter([1])) == "<list_iterator object"
    assert label_of(range(3)) == "range(0, 3)"
    assert len(label_of("x" * 1000)) == 200
