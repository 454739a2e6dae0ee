"""What is seen in memory itself is as exact as what Python shows, in both Pythons."""

import collections
import sys
from zipfile import ZipFile

import numpy as np
import pytest
from tests.envs.state import changing_world

from coplay.envs.state import memory as state_memory
from coplay.envs.state import plan as state_plan
from coplay.envs.state.walk import StateWalk
from coplay.runtime import ensure_runtime
from coplay.runtime.bundle import coplay_part
from coplay.wasm.node import node_simulation


class Part:
    def __init__(self):
        self.a, self.b = 1000, 2000


def cell_of(value):
    return (lambda: value).__closure__[0]


def empty(cell):
    del cell.cell_contents


def replace_dict(part):
    part.__dict__ = {"a": 1}


def set_class(part):
    part.__class__ = type("Other", (Part,), {})


def swap_keys(held):
    value = held.popitem()[1]
    held["other"] = value


ONE = object()
LOOKED_AT = [
    ("add_list", lambda: [ONE, 2, 3], lambda held: held.append(4)),
    ("add_list", lambda: [ONE, 2, 3], lambda held: held.reverse()),
    ("add_list", lambda: list(range(1000, 1040)), lambda held: held.__setitem__(20, 0)),
    ("add_list", list, lambda held: held.append(4)),
    ("add_dict", dict, lambda held: held.update(a=1)),
    ("add_dict", lambda: {"a": ONE, "b": ONE}, swap_keys),
    ("add_dict", lambda: {"a": ONE, "b": ONE}, lambda held: held.update(a=held.pop("a"))),
    ("add_dict", lambda: {"a": ONE, "b": 2}, lambda held: held.update(b=3)),
    ("add_dict", lambda: {(1, 2): ONE, "b": 2}, lambda held: held.update(b=3)),
    ("add_dict", lambda: {(1, 2): ONE, "b": 2}, lambda held: held.pop("b")),
    ("add_dict", lambda: dict.fromkeys(range(50), ONE), lambda held: held.update({7: 2})),
    ("add_dict", lambda: collections.Counter("aab"), lambda held: held.update("b")),
    ("add_instance", Part, replace_dict),
    ("add_instance", Part, set_class),
    ("add_cell", lambda: cell_of([1]), lambda cell: setattr(cell, "cell_contents", [1])),
    ("add_cell", lambda: cell_of([1]), empty),
    ("add_array", lambda: np.zeros(3), lambda array: array.__setitem__(1, -0.0)),
    ("add_array", lambda: np.zeros(3, np.int8), lambda array: array.__setitem__(2, 1)),
    ("add_array", lambda: np.zeros((50, 3)), lambda array: array.__setitem__((49, 2), 1)),
    ("add_array", lambda: np.zeros(()), lambda array: array.__setitem__((), 1)),
    ("add_array", lambda: np.zeros(6), lambda array: array.resize((2, 3), refcheck=False)),
    ("add_array", lambda: np.zeros((2, 3)), lambda array: array.resize((3, 2), refcheck=False)),
    ("add_array", lambda: np.zeros(100_000), lambda array: array.resize(3, refcheck=False)),
    ("add_generator", lambda: np.random.PCG64(1), lambda generator: generator.random_raw()),
    ("add_generator", lambda: np.random.PCG64(1), lambda generator: generator.advance(2**65)),
    (
        "add_generator",
        lambda: np.random.PCG64(1),
        lambda generator: np.random.Generator(generator).integers(2, dtype=np.uint32),
    ),
]


@pytest.mark.parametrize("few_runs", [0, 24])
@pytest.mark.parametrize(("add", "make", "change"), LOOKED_AT)
def test_a_change_shows(add, make, change, few_runs, monkeypatch):
    monkeypatch.setattr(state_memory, "_FEW_RUNS", few_runs)
    held = make()
    held_by_it = [held.__dict__, type(held)] if isinstance(held, Part) else [held]
    words = state_memory.MemoryWatch()
    assert getattr(words, add)(held)
    words.record()
    assert words.unchanged()
    change(held)
    assert not words.unchanged()
    assert held_by_it


def test_what_is_not_found_is_not_taken(monkeypatch):
    words = state_memory.MemoryWatch()
    assert not words.add_generator(np.random.MT19937(1))
    assert not words.add_instance(1)
    monkeypatch.setattr(state_memory, "_memory", None)
    assert not words.add_list([1])
    assert words.unchanged()


def test_memory_is_watched_no_more_where_objects_only_move(monkeypatch):
    monkeypatch.setattr(state_plan, "QUIET_CHECKS", 0)
    held = {"first": ONE}
    walk = StateWalk({"held": held, "other": [2]})
    walk.take()
    for _ in range(20):
        held.update(dict.fromkeys(range(100)))
        for key in range(100):
            del held[key]
        walk.take()
        walk.take()
    assert walk._plan._detector.reads_memory is False
    assert walk._plan.volatile == []


def test_no_change_is_missed_in_the_browsers_python(tmp_path):
    runtime = ensure_runtime()
    coplay, own = tmp_path / "coplay.zip", tmp_path / "own.zip"
    coplay.write_bytes(coplay_part(runtime))
    with ZipFile(own, "w") as archive:
        archive.write(changing_world.__file__, "changing_world.py")
    with node_simulation(runtime, [coplay, own], "changing_world") as simulation:
        reply = simulation.ask(seeds=12)
    assert reply["taken"] == 12 * 41
    assert all(reply["added"].values()), reply["added"]


def test_shared_keys_are_seen_where_they_are_known():
    assert state_memory.MemoryWatch().add_dict(Part().__dict__) == (sys.version_info >= (3, 13))


# What is not found where it is expected must not be watched.


def displaced(places):
    return lambda address, count: range(places(address, count).start + 1, places(address, count).stop + 1)


MAKERS = {
    "add_list": lambda: [ONE, 2, 3],
    "add_dict": lambda: {"a": ONE, "b": 2},
    "add_instance": Part,
    "add_cell": lambda: cell_of([1]),
    "add_array": lambda: np.zeros(3),
    "add_generator": lambda: np.random.PCG64(1),
}


@pytest.mark.parametrize("add", MAKERS)
def test_object_is_not_watched_where_the_layout_is_another(add, monkeypatch):
    held = MAKERS[add]()
    monkeypatch.setattr(state_memory, "_places", displaced(state_memory._places))
    assert not getattr(state_memory.MemoryWatch(), add)(held)


# Not a dict: the sizes of its table are read from where they are not, and reading on from there may crash.
@pytest.mark.parametrize("add", ["add_list", "add_array", "add_generator"])
def test_object_is_not_watched_where_its_contents_are_not_found(add, monkeypatch):
    """The object itself has the layout that is expected, but what it points to has not."""
    held = MAKERS[add]()
    inner = state_memory._places
    calls = []

    def places(address, count):
        calls.append(address)
        return inner(address, count) if len(calls) == 1 else displaced(inner)(address, count)

    monkeypatch.setattr(state_memory, "_places", places)
    if add == "add_array":
        monkeypatch.setattr(state_memory, "_bytes", memoryview(bytes(1 << 10))[:0])
    assert not getattr(state_memory.MemoryWatch(), add)(held)
    assert calls


def test_memory_beyond_its_end_is_not_read(monkeypatch):
    monkeypatch.setattr(state_memory, "_memory", np.zeros(4, np.uintp))
    watch = state_memory.MemoryWatch()
    assert not watch.add_list([1])
    assert state_memory.memory_of_generator(np.random.PCG64(1)) == ()


def test_memory_is_read_only_where_its_layout_is_known(monkeypatch):
    assert state_memory._open_memory() is not None
    with monkeypatch.context() as patch:
        patch.setattr(sys, "byteorder", "big")
        assert state_memory._open_memory() is None
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "ctypes", None)
        assert state_memory._open_memory() is None
    with monkeypatch.context() as patch:
        patch.setattr(state_memory.np, "frombuffer", lambda *_: (_ for _ in ()).throw(MemoryError()))
        assert state_memory._open_memory() is None


def words_of_shared_values(held, *, order, capacity=4):
    """The words that CPython 3.13 keeps of a dict with shared keys: sizes, values, order of insertion."""
    values = [0] * capacity
    for place, value in zip(order, held.values(), strict=True):
        values[place] = id(value)
    head = capacity | len(held) << 8
    order_words = np.frombuffer(bytes(order).ljust(8, b"\0"), np.uintp).tolist()
    return np.array([head, *values, *order_words], np.uintp)


@pytest.mark.skipif(state_memory._WORD != 8, reason="lays out words of 8 bytes")
def test_values_next_to_shared_keys_are_found_in_the_layout_of_313(monkeypatch):
    held = {"a": [1], "b": [2]}
    find = state_memory._values_outside
    monkeypatch.setattr(state_memory, "_memory", words_of_shared_values(held, order=[2, 0]))
    monkeypatch.setattr(sys, "version_info", (3, 12))
    assert find(8, held) is None
    monkeypatch.setattr(sys, "version_info", (3, 13))
    assert find(8, held) == range(6)
    assert find(9, held) is None, "not the address of a word"
    assert find(8, {"a": held["a"]}) is None, "another size"
    assert find(8, {"a": held["b"], "b": held["a"]}) is None, "other values"
    monkeypatch.setattr(state_memory, "_memory", words_of_shared_values(held, order=[2, 0], capacity=40))
    assert find(8, held) is None, "more keys than can be shared"


def test_dict_in_an_unknown_table_is_not_watched():
    assert state_memory._table_of(9, {"a": 1}) is None
    held = {"a": ONE}
    other = dict.fromkeys(range(5), None)
    table = int(state_memory._memory[state_memory._places(id(other), 6)][4])
    assert state_memory._table_of(table, held) is None
