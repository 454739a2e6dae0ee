"""A world in which everything changes in every way in which Python lets it; runs in both Pythons."""

import json
import random
import types
import warnings

import numpy as np

from coplay.envs.state import memory as state_memory
from coplay.envs.state import plan as state_plan
from coplay.envs.state.paths import describe
from coplay.envs.state.walk import StateWalk


def seen(walk):
    """What a walk that knows nothing sees."""
    return describe(StateWalk(walk.roots).take())


class Part:
    def __init__(self, value):
        self.value = value
        self.other = value


class Slotted:
    __slots__ = ("a", "b")


def make_world():
    """A world in which everything can be got at; equal worlds are made each time."""
    world = types.SimpleNamespace()
    token = Part(1)
    world.token = token
    world.single = {"north": token}
    world.pairs = {"a": 1, "b": 1}
    world.piles = [[token, 2], [3], [], [4, 5]]
    world.left, world.right = {"x": token, "y": 2}, {"z": 3}
    world.by_place = {(0, 1): token, (2, 3): Part(2)}
    world.flags = [1, 0.0, None, "text", (1, (2.0, [7]))]
    world.board = np.zeros((2, 6))
    world.row = world.board[1]
    world.byte_swapped = np.zeros(3, ">i4")
    world.objects = np.array([token, [1]], dtype=object)
    world.chosen = {1, 2, 3}
    world.generator = np.random.default_rng(1)
    world.old_generator = np.random.RandomState(1)
    world.python = random.Random(1)
    world.slotted = Slotted()
    world.slotted.a = [1]
    world.raw = bytearray(b"abc")

    total = 0

    def count(amount):
        nonlocal total
        total += amount
        return total

    world.count = count
    world.spare = {}
    world.grid = np.arange(12, dtype=np.int32)
    world.table = {n: [(n, [n, 0])] for n in range(20)}
    return world


def swap_dicts(world, source):
    world.right["x"] = world.left.pop("x", 0)


def move_between_piles(world, source):
    at = source.randrange(3)
    if world.piles[at]:
        world.piles[at + 1].insert(0, world.piles[at].pop())


def replace_attributes(world, source):
    world.token.__dict__ = dict(world.token.__dict__)


def rename_attribute(world, source):
    attributes = world.token.__dict__
    name = next(iter(attributes))
    attributes[f"{name}'"[-4:]] = attributes.pop(name)


def reshape(world, source):
    shape = (3, 4) if world.board.shape == (2, 6) else (2, 6)
    world.late_board = world.board.reshape(shape)


def reshape_in_place(world, source):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        world.grid.shape = source.choice([(12,), (3, 4), (4, 3), (2, 1, 6), (12, 1)])


def rename_last(world, source):
    if list(world.pairs)[-1] != "a":
        key, value = world.pairs.popitem()
        world.pairs["c" if key == "b" else "b"] = value


def add_and_take_back(world, source):
    world.piles[2].append(1)
    world.piles[2].pop()
    world.spare.update(dict.fromkeys(range(source.randrange(40))))
    world.spare.clear()


def set_an_attribute_again(world, source):
    name, value = next(iter(vars(world.token).items()))
    delattr(world.token, name)
    setattr(world.token, name, value)


class Other(Part):
    pass


CHANGES = [
    lambda world, source: world.single.update({source.choice("nesw"): world.single.popitem()[1]}),
    lambda world, source: world.pairs.update(a=world.pairs.pop("a")),
    lambda world, source: world.flags.__setitem__(0, source.choice([1, True, 1.0, np.int64(1)])),
    lambda world, source: world.flags.__setitem__(1, source.choice([0.0, -0.0, float("nan"), 0, False])),
    lambda world, source: world.flags[4][1][1].append(source.random()),
    lambda world, source: world.piles.__setitem__(1, list(world.piles[1])),
    lambda world, source: world.by_place.update({(source.randrange(3), 1): world.by_place.popitem()[1]}),
    lambda world, source: world.board.__setitem__((0, source.randrange(6)), source.choice([-0.0, 1.0])),
    lambda world, source: world.row.__setitem__(2, source.random()),
    lambda world, source: world.byte_swapped.__setitem__(1, source.randrange(9)),
    lambda world, source: world.objects[1].append(2),
    lambda world, source: world.objects.__setitem__(0, source.choice([None, world.token])),
    lambda world, source: world.chosen.symmetric_difference_update({source.randrange(5)}),
    lambda world, source: world.generator.random(dtype=np.float32),
    lambda world, source: world.old_generator.normal(),
    lambda world, source: world.python.gauss(0, 1),
    lambda world, source: setattr(world.slotted, source.choice("ab"), source.random()),
    lambda world, source: world.raw.append(7),
    lambda world, source: world.count(1),
    lambda world, source: setattr(world.count, "calls", source.random()),
    lambda world, source: world.table[source.randrange(20)][0][1].append(1),
    lambda world, source: world.table.__setitem__(20 + source.randrange(2), world.token),
    lambda world, source: setattr(world, "late", Part([source.random()])),
    lambda world, source: setattr(world.token, "value", source.choice([1, [2], world.piles])),
    lambda world, source: vars(world).pop("late", None),
    swap_dicts,
    move_between_piles,
    replace_attributes,
    rename_attribute,
    rename_last,
    reshape,
    reshape_in_place,
    add_and_take_back,
    set_an_attribute_again,
    lambda world, source: setattr(world.token, "__class__", source.choice([Part, Other])),
    lambda world, source: world.spare.update({source.randrange(3): world.token}),
]


def in_turn(seed, turns):
    """Change a world at random, and compare what is saved with what a walk that knows nothing sees.

    Returns:
        How many snapshots were taken.
    """
    world, source = make_world(), random.Random(seed)
    walk = StateWalk({"world": world})
    kept = [(walk.take(), seen(walk))]
    for _ in range(turns):
        if source.random() < 0.6:
            source.choice(CHANGES)(world, source)
        if source.random() < 0.2:
            snapshot, expected = source.choice(kept)
            walk.restore(snapshot)
            assert seen(walk) == expected
        if source.random() < 0.05:
            walk.begin_plan()
        snapshot = walk.take()
        expected = seen(walk)
        assert describe(snapshot) == expected
        kept.append((snapshot, expected))
    return len(kept)


def answer(request_json):
    """Do the same in the browsers' Python."""
    state_plan.QUIET_CHECKS = 0
    taken = [in_turn(seed, 40) for seed in range(json.loads(request_json)["seeds"])]
    words = state_memory.MemoryWatch()
    world = make_world()
    added = {
        "list": words.add_list(world.flags),
        "table of texts": words.add_dict(world.pairs),
        "table of all sorts": words.add_dict(world.table),
        "shared keys": words.add_dict(world.token.__dict__),
        "instance": words.add_instance(world.token),
        "cell": words.add_cell(world.count.__closure__[0]),
        "array": words.add_array(world.board),
        "generator": words.add_generator(world.generator.bit_generator),
    }
    return json.dumps({"taken": sum(taken), "added": added})
