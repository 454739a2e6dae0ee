"""Nothing that changed is missed, and nothing that was saved comes back otherwise.

The walk looks again only at what seems to have changed. The witness here is a walk that knows nothing yet: it
goes over everything, and describes what it found leaf by leaf.
"""

import random
import types

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playing import inputs_for, make_game

from coplay.envs import taming
from coplay.envs.state_paths import describe
from coplay.envs.state_walk import StateWalk

ENVIRONMENTS = [
    "CartPole-v1",
    "MountainCar-v0",
    "MountainCarContinuous-v0",
    "Acrobot-v1",
    "Pendulum-v1",
    "Taxi-v4",
    "FrozenLake-v1",
    "FrozenLake8x8-v1",
    "CliffWalking-v1",
    "CliffWalkingSlippery-v1",
    "Blackjack-v1",
    "cogrid:Overcooked-CrampedRoom-V0",
    "volley_env:Volley",
    "sample_environments:Tag",
    "sample_environments:OddState",
    "sample_environments:OwnsUnseededGenerators",
    "sample_environments:IteratesOverSet",
    "sample_environments:KeepsStateOutside",
    "transfer_environments:Growing",
    "transfer_environments:Herd",
    "transfer_environments:Shapes",
]


def seen(walk):
    """What a walk that knows nothing sees."""
    return describe(StateWalk(walk.roots).take())


@pytest.mark.parametrize("spec", ENVIRONMENTS)
def test_every_frame_is_saved_and_comes_back_as_it_was(spec):
    game = make_game(spec, max_frames=12, episodes=3, countdown_frames=0)
    inputs = inputs_for(game, 30)
    wrong = inputs_for(game, 30, seed=2)
    source = random.Random(4)
    saves, witnessed, checksums = [game.save()], [seen(game._walk)], [game.checksum()]
    for frame, chosen in enumerate(inputs):
        for misled in wrong[frame : frame + source.randrange(3)]:
            game.step(misled)
        game.load(saves[frame])
        game.step(chosen)
        saves.append(game.save())
        witnessed.append(seen(game._walk))
        checksums.append(game.checksum())
        assert describe(game.save().snapshot) == witnessed[-1]
    for frame in source.sample(range(len(saves)), 12):
        game.load(saves[frame])
        assert seen(game._walk) == witnessed[frame]
        assert game._walk.checksum(game._walk.take(), saves[frame].fields) == checksums[frame]


# Every way in which Python lets state change in place


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
    reshape,
]


@settings(deadline=None, max_examples=150, derandomize=True, report_multiple_bugs=False)
@given(
    acts=st.lists(
        st.tuples(st.sampled_from(["change", "change", "take", "restore", "begin"]), st.integers(0, 10**6)),
        min_size=4,
        max_size=30,
    )
)
def test_no_change_is_missed(acts):
    world = make_world()
    walk = StateWalk({"world": world})
    kept = [(walk.take(), seen(walk))]
    for act, number in acts:
        source = random.Random(number)
        if act == "change":
            source.choice(CHANGES)(world, source)
        elif act == "restore":
            snapshot, expected = source.choice(kept)
            walk.restore(snapshot)
            assert seen(walk) == expected
        else:
            if act == "begin":
                walk.begin()
            snapshot = walk.take()
            expected = seen(walk)
            assert describe(snapshot) == expected
            kept.append((snapshot, expected))


@settings(deadline=None, max_examples=60, derandomize=True, report_multiple_bugs=False)
@given(numbers=st.lists(st.integers(0, 10**6), min_size=1, max_size=12), looks=st.lists(st.booleans()))
def test_checksum_does_not_depend_on_when_it_was_looked(numbers, looks):
    often, once = make_world(), make_world()
    walks = [StateWalk({"world": world}) for world in (often, once)]
    for walk in walks:
        walk.take()
    for turn, number in enumerate(numbers):
        change = CHANGES[number % len(CHANGES)]
        for world in (often, once):
            change(world, random.Random(number))
        if turn < len(looks) and looks[turn]:
            # What a misprediction leaves behind: a change that was taken back.
            before = walks[0].take()
            CHANGES[(number + turn) % len(CHANGES)](often, random.Random(number))
            walks[0].checksum(walks[0].take())
            walks[0].restore(before)
    assert len({walk.checksum(walk.take()) for walk in walks}) == 1


def test_order_of_a_set_does_not_depend_on_its_history():
    orders = []
    for detour in ((), range(100, 140), (24, 8)):
        held = {8 * n for n in range(6)}
        walk = StateWalk({"world": types.SimpleNamespace(held=held)})
        walk.take()
        held.update(detour)
        walk.take()
        held.difference_update(detour)
        held.update((8, 24))
        walk.take()
        held.add(64)
        orders.append(list(held))
    assert orders[0] == orders[1] == orders[2]


def test_frames_of_the_simulation_leave_datetimes_of_the_real_class():
    import datetime

    with taming.SimulatedFrame(1, 1, 0.0):
        moment, day = datetime.datetime(2026, 1, 2), datetime.date(2026, 1, 2)
    assert (type(moment), type(day)) == (datetime.datetime, datetime.date)
