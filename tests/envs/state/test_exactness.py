"""Nothing that changed is missed, and nothing that was saved comes back otherwise.

The walk looks again only at what seems to have changed. The witness here is a walk that knows nothing yet: it
goes over everything, and describes what it found leaf by leaf.
"""

import random
import types

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.envs.playing import inputs_for, make_game
from tests.envs.state.changing_world import CHANGES, make_world, seen

from coplay.envs import taming
from coplay.envs.state import plan as state_plan
from coplay.envs.state.paths import describe
from coplay.envs.state.walk import StateWalk

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


@pytest.fixture(autouse=True, params=["at once", "when it is calm"], scope="module")
def _look_into_memory(request):
    before = state_plan.QUIET_CHECKS
    if request.param == "at once":
        state_plan.QUIET_CHECKS = 0
    yield
    state_plan.QUIET_CHECKS = before


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
                walk.begin_plan()
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
