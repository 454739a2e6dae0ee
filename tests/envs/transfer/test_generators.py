"""A received random state is set only if it has the form of a real one."""

import random

import numpy as np
import pytest

from coplay.envs.kinds.registry import kind_of
from coplay.envs.transfer.generators import BIT_GENERATORS, new_generator, state_of, state_tree
from coplay.errors import StateTransferError

CLASSES = [*BIT_GENERATORS, np.random.RandomState, random.Random]


def state_and_tree(cls):
    generator = cls(3)
    state = kind_of(cls).save(generator, [])
    return generator, state_tree(state)


@pytest.mark.parametrize("cls", [*BIT_GENERATORS, np.random.RandomState])
def test_state_goes_over_to_a_new_generator(cls):
    _, tree = state_and_tree(cls)
    made = new_generator(cls)
    kind_of(cls).restore(made, state_of(made, tree))
    assert repr(state_tree(kind_of(cls).save(made, []))) == repr(tree)


def changed(tree, change, path=()):
    """Yield a copy of a tree for each of its values, with that one changed."""
    replaced = change(path, tree)
    if replaced is not tree:
        yield replaced
    if isinstance(tree, tuple):
        for i, part in enumerate(tree):
            for other in changed(part, change, (*path, i)):
                yield (*tree[:i], other, *tree[i + 1 :])


@pytest.mark.parametrize("cls", CLASSES)
def test_state_of_another_form_is_refused(cls):
    generator, tree = state_and_tree(cls)

    def shorter(_path, value):
        return value[:-1] if isinstance(value, tuple | bytes) and value else value

    def other_type(_path, value):
        return value if isinstance(value, tuple | str) else "text"

    def other_text(_path, value):
        return f"{value}?" if isinstance(value, str) else value

    for change in (shorter, other_type, other_text):
        for wrong in changed(tree, change):
            with pytest.raises((StateTransferError, ValueError, TypeError, IndexError, KeyError)):
                state_of(generator, wrong)


@pytest.mark.parametrize(("name", "limit"), [("pos", 624), ("buffer_pos", 4)])
def test_position_beyond_the_buffer_is_refused(name, limit):
    cls = np.random.MT19937 if name == "pos" else np.random.Philox
    generator, tree = state_and_tree(cls)

    def beyond(_path, value):
        return (name, limit + 1) if isinstance(value, tuple) and value[:1] == (name,) else value

    refused = 0
    for wrong in changed(tree, beyond):
        with pytest.raises(StateTransferError, match="malformed state"):
            state_of(generator, wrong)
        refused += 1
    assert refused == 1


def test_state_of_a_python_generator_goes_over_to_another():
    generator, tree = state_and_tree(random.Random)
    other = random.Random(9)
    other.setstate(state_of(other, tree))
    assert other.random() == generator.random()
    assert type(new_generator(random.Random)) is random.Random


def test_generator_of_an_unknown_class_is_not_created():
    with pytest.raises(StateTransferError, match="cannot be created"):
        new_generator(type("Own", (np.random.PCG64,), {}))
