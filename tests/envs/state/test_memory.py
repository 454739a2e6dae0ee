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


def test_what_only_moves_is_soon_looked_at_through_python(monkeypatch):
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
