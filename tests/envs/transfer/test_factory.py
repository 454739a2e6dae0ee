"""Nodes of a received state become objects only if these are harmless and known."""

import functools
import math
import weakref

import numpy as np
import pytest
from gymnasium import spaces
from tests.envs.transfer.crafted import chain, export, factory_for, through

from coplay.envs.transfer.wire import MAX_BYTES, NodeRef
from coplay.errors import StateTransferError


class Thing:
    def __init__(self):
        self.space = spaces.Discrete(2)
        self.held = [1]
        self.numbers = np.zeros(3)
        self.objects = np.array([[]], object)

    def method(self):
        return self.held


NDARRAY = ("numpy", "ndarray")
LAYOUT = "<f8", (2,), True


def array_on(base):
    return "array", NDARRAY, None, (LAYOUT, (base, 0, (8,)), b"")


@pytest.mark.parametrize(
    ("node", "reason"),
    [
        (("memory", NDARRAY, None, MAX_BYTES + 1), "too large"),
        (("memory", NDARRAY, None, -1), "too large"),
        (("array", NDARRAY, None, (("<f8", (1 << 40, 1 << 40), True), None, b"")), "too large"),
        (("list", ("builtins", "dict"), None, ()), "says that dict is a list"),
        (("list", ("subprocess", "Popen"), None, ()), r"uses subprocess\.Popen"),
        (("space", ("gymnasium.spaces.discrete", "Discrete"), None, ("Discrete(9)", None, None)), "a space"),
        (array_on(NodeRef(0)), "a view of something other"),
        (through("method", 1, NodeRef(0)), "no function"),
        (through("builtin", "system", "posix", None), r"uses posix\.system"),
        (through("builtin", "eval", "builtins", None), r"uses builtins\.eval"),
        (through("builtin", "format_map", None, "text"), "uses a method format_map"),
        (through("random", 5), "no bit generator"),
        (through("function", "os", "system", (None, None, None), ()), r"uses os\.system"),
        (through("nonsense"), "unknown kind"),
        (through(), "unknown kind"),
    ],
)
def test_harmful_node_is_refused(node, reason):
    own, known = export(env=Thing())
    factory, index = factory_for(own, known, node)
    with pytest.raises(StateTransferError, match=reason):
        factory.object(index)


@pytest.mark.parametrize(
    "tree",
    [
        ("class", "os", "_Environ"),
        ("named", "os", "environ"),
        ("here", "builtins.module", "os"),
        ("enum", "os", "Colour", 1),
        ("nonsense",),
        (),
        ((),),
    ],
)
def test_value_that_is_not_known_is_refused(tree):
    own, known = export(env=Thing())
    factory, _ = factory_for(own, known)
    with pytest.raises(StateTransferError, match="the received state"):
        factory.value(tree)


def test_tuples_may_be_nested_up_to_a_bound():
    own, known = export(env=Thing())
    factory, first = factory_for(own, known, *chain(90, len(own.nodes)))
    assert isinstance(factory.object(first), tuple)
    factory, first = factory_for(own, known, *chain(110, len(own.nodes)))
    with pytest.raises(StateTransferError, match="nested too deeply"):
        factory.object(first)


def test_array_of_objects_gives_no_view_of_its_pointers():
    own, known = export(env=Thing())
    index = next(
        i for i, obj in enumerate(own.objects) if isinstance(obj, np.ndarray) and obj.dtype.hasobject
    )
    factory, first = factory_for(own, known, array_on(NodeRef(index)))
    with pytest.raises(StateTransferError, match="a view of something other"):
        factory.object(first)


def test_harmless_function_is_found_without_the_environment_using_it():
    own, known = export(env=Thing())
    factory, index = factory_for(own, known, through("builtin", "sqrt", "math", None))
    assert factory.object(index) is math.sqrt


def test_function_in_c_that_the_environment_uses_is_its_own():
    thing = Thing()
    thing.identify = id
    own, known = export(env=thing)
    factory, index = factory_for(own, known, through("builtin", "id", "builtins", None))
    assert factory.object(index) is id


def test_methods_and_references_are_created_where_the_receiver_has_none():
    thing = Thing()
    own, known = export(env=thing)
    numbers = {id(obj): number for number, obj in enumerate(own.objects)}
    held = NodeRef(numbers[id(thing.held)])
    method = ("named", __name__, "Thing:method")
    factory, first = factory_for(
        own,
        known,
        through("method", method, NodeRef(numbers[id(thing)])),
        through("builtin", "append", None, held),
        through("reference", None),
        through("reference", NodeRef(numbers[id(thing)])),
    )
    made = [factory.object(first + n) for n in range(4)]
    assert made[0] == thing.method
    made[1](2)
    assert thing.held == [1, 2]
    assert made[2]() is None
    assert made[3]() is thing


def test_what_the_receiver_has_already_is_used():
    thing = Thing()
    thing.bound, thing.append = thing.method, thing.held.append
    thing.partial, thing.reference = functools.partial(thing.method), weakref.ref(thing)
    thing.draw = np.random.default_rng(1)
    thing.inner = (lambda kept: lambda: kept)(thing.held)
    own, known = export(env=thing)
    factory, first = factory_for(own, known)
    assert [factory.object(index) for index in range(first)] == own.objects
    assert all(factory.object(index) is obj for index, obj in enumerate(own.objects))
