import collections
import copy
import random
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coplay.envs.state.walk import StateWalk


class Thing:
    def __init__(self, **attributes):
        self.__dict__.update(attributes)


def walk(value):
    return StateWalk({"env": value})


plain = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3))
values = st.recursive(
    plain,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.text(max_size=3), inner, max_size=3),
        st.tuples(inner, inner),
        st.sets(st.integers(), max_size=5),
        st.builds(np.array, st.lists(st.floats(), max_size=3)),
        st.builds(lambda attribute: Thing(attribute=attribute), inner),
        st.builds(collections.deque, st.lists(inner, max_size=3)),
    ),
    max_leaves=12,
)


def scramble(value, source):
    """Change whatever can be changed in place."""
    match value:
        case list() | collections.deque():
            for held in value:
                scramble(held, source)
            value.append(source.random())
        case dict():
            for held in value.values():
                scramble(held, source)
            value[source.random()] = 1
        case set():
            value.add(source.randrange(1000))
        case np.ndarray():
            value += 1.0
        case Thing():
            scramble(value.attribute, source)
            value.attribute = source.random()
        case tuple():
            for held in value:
                scramble(held, source)


@settings(deadline=None, max_examples=150)
@given(value=values, seed=st.integers(0, 100))
def test_whatever_changed_is_put_back(value, seed):
    thing = Thing(value=value)
    states = walk(thing)
    before = states.take()
    scramble(value, random.Random(seed))
    thing.value = None
    thing.late = 1
    states.restore(before)
    after = states.take()
    assert thing.value is value
    assert states.diff(before, after) == []
    assert states.checksum(before) == states.checksum(after)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, True),
        (1, 1.0),
        (0.0, -0.0),
        (1.0, np.float64(1.0)),
        (np.float32(1), np.float64(1)),
        ("1", b"1"),
        ([1, 2], (1, 2)),
        ([1, 2], [2, 1]),
        ([[1], [2]], [[1, 2]]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        (np.zeros(4), np.zeros((2, 2))),
        (np.zeros(2, np.int32), np.zeros(1, np.int64)),
        ((1, (2, 3)), ((1, 2), 3)),
        (float("nan"), 0.0),
    ],
    ids=repr,
)
def test_states_that_differ_have_checksums_that_differ(one, other):
    first, second = (walk(Thing(value=value)) for value in (one, other))
    assert first.checksum(first.take()) != second.checksum(second.take())


TABLE = {state: [(1.0, [state, 0], "x"), {"next": state + 1}] for state in range(40)}


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table[3][0][1].append(1),
        lambda table: table[3][0][1].__setitem__(1, -0.0),
        lambda table: table[39][1].update(next=40.0),
        lambda table: table.update({3: table.pop(3)}),
        lambda table: table[7].reverse(),
        lambda table: table[7].__setitem__(0, np.zeros(2)),
    ],
)
def test_large_table_of_plain_data_is_saved_exactly(change):
    table = copy.deepcopy(TABLE)
    thing = Thing(table=table, row=table[3])
    states = walk(thing)
    before = states.take()
    assert states.checksum(before) == states.checksum(states.take())
    change(table)
    changed = states.take()
    assert states.checksum(changed) != states.checksum(before)
    assert all(path.startswith(("env.table", "len(env.", "env.row")) for path in states.diff(before, changed))
    states.restore(before)
    assert repr(table) == repr(TABLE)
    assert thing.row is table[3]
    assert states.checksum(states.take()) == states.checksum(before)
    states.restore(changed)
    assert states.checksum(states.take()) == states.checksum(changed)


def test_unchanged_table_is_shared_between_snapshots():
    states = walk(Thing(table=copy.deepcopy(TABLE)))
    first, second = (states.take().records[-1] for _ in range(2))
    assert first[2] is second[2]


def test_alias_differs_from_equal_copy():
    shared = [1]
    aliased, copied = walk([shared, shared]), walk([[1], [1]])
    assert aliased.checksum(aliased.take()) != copied.checksum(copied.take())


def test_order_of_a_set_does_not_count_and_is_the_same_after_a_restore():
    one, other = {0, 8, 16, 24}, set()
    for element in (24, 8, 16, 0, 32):
        other.add(element)
    other.discard(32)
    first, second = walk(one), walk(other)
    assert first.checksum(first.take()) == second.checksum(second.take())
    saved = second.take()
    order = list(other)
    other.clear()
    other.update((16, 0, 24, 8))
    second.restore(saved)
    assert list(other) == order


def test_attribute_that_is_none_is_as_good_as_absent():
    with_none, without = walk(Thing(a=1, screen=None)), walk(Thing(a=1))
    assert with_none.checksum(with_none.take()) == without.checksum(without.take())


def test_views_stay_views():
    board = np.zeros((2, 3))
    thing = Thing(row=board[0], board=board)
    states = walk(thing)
    saved = states.take()
    board[0, 1] = 5
    states.restore(saved)
    assert not board.any()
    thing.row[2] = 7
    assert board[0, 2] == 7


def test_read_only_array_is_left_alone():
    thing = Thing(view=np.broadcast_to(np.zeros(1), (3,)))
    states = walk(thing)
    states.restore(states.take())
    assert states.unwalkable() == []


def test_key_order_of_a_dict_comes_back():
    held = {"a": 1, "b": 2}
    states = walk(held)
    saved = states.take()
    del held["a"]
    held["a"] = 1
    states.restore(saved)
    assert list(held) == ["a", "b"]


def test_generator_reached_only_through_its_method_is_walked():
    thing = Thing(draw=np.random.default_rng(1).random)
    states = walk(thing)
    saved = states.take()
    drawn = thing.draw()
    states.restore(saved)
    assert thing.draw() == drawn


def test_what_cannot_be_walked_is_named(tmp_path):
    with (tmp_path / "log").open("w") as log:
        thing = Thing(inner=Thing(log=log), rows=iter([1]), made=(n for n in range(2)))
        assert walk(thing).unwalkable() == [
            "env.inner.log (_io.TextIOWrapper)",
            "env.made (builtins.generator)",
            "env.rows (builtins.list_iterator)",
        ]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda t: t.position.__setitem__(2, 5.0), "env.position[2]"),
        (lambda t: t.names.append("x"), "len(env.names)"),
        (lambda t: t.by_name["a"].__setattr__("speed", 2), "env.by_name['a'].speed"),
        (lambda t: t.generator.random(), "env.generator (random state)"),
        (lambda t: t.chosen.add(9), "env.chosen"),
    ],
)
def test_difference_is_named_by_its_path(change, path):
    thing = Thing(
        position=np.zeros(3),
        names=[],
        by_name={"a": Thing(speed=1)},
        generator=np.random.default_rng(1),
        chosen={1},
    )
    states = walk(thing)
    before = states.take()
    change(thing)
    assert path in states.diff(before, states.take())


def test_checksum_is_the_same_in_every_process():
    program = (
        "import numpy, collections\n"
        "from coplay.envs.state.walk import StateWalk\n"
        "class Thing: pass\n"
        "t = Thing(); t.a = {'x', 'y', 'z'}; t.b = numpy.arange(4)\n"
        "t.c = [None, 1.5, ('k', frozenset('pq'))]\n"
        "t.d = numpy.random.default_rng(3); t.e = Thing; t.f = lambda: t; t.g = numpy.int8(3)\n"
        "w = StateWalk({'env': t}); print(w.checksum(w.take()), w.checksum(w.take()))\n"
    )
    sums = {
        line
        for seed in ("0", "1", "2")
        for line in subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
    }
    assert len(sums) == 1
