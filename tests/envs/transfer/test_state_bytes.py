import os
import random
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.envs.playing import inputs_for, make_game, play
from transfer_environments import Growing, Herd, Shapes

from coplay.envs.transfer.wire import NodeRef, pack, unpack
from coplay.errors import StateTransferError

HERE = Path(__file__).parent
ENVIRONMENTS = [
    "CartPole-v1",
    "MountainCar-v0",
    "Acrobot-v1",
    "Pendulum-v1",
    "Taxi-v4",
    "FrozenLake-v1",
    "Blackjack-v1",
    "cogrid:Overcooked-CrampedRoom-V0",
    "volley_env:Volley",
    "sample_environments:Tag",
    "sample_environments:OddState",
    "sample_environments:DrawsEverywhere",
    "sample_environments:OwnsUnseededGenerators",
    "sample_environments:IteratesOverSet",
    "transfer_environments:Growing",
    "transfer_environments:Herd",
    "transfer_environments:Shapes",
]


@pytest.mark.parametrize("spec", ENVIRONMENTS)
def test_imported_state_is_the_exporters_and_plays_on_alike(spec):
    exporter, importer = make_game(spec), make_game(spec)
    inputs = inputs_for(exporter, 250)
    play(exporter, inputs[:50])
    data = exporter.export_state()
    saved = exporter.save()
    expected = play(exporter, inputs[50:])
    # Into a game that has played something else, which is what a resync finds.
    play(importer, inputs_for(importer, 20, seed=2))
    earlier = importer.save()
    earlier_checksum = importer.checksum()
    importer.import_state(data)
    assert importer.diff(importer.save(), saved) == []
    assert play(importer, inputs[50:]) == expected
    importer.load(earlier)
    assert (
        importer.checksum()
        == earlier_checksum
        == importer._walk.checksum(importer._walk.take(), earlier.fields)
    )


@pytest.mark.parametrize("spec", [*ENVIRONMENTS, "sample_environments:KeepsStateOutside"])
def test_fresh_process_plays_on_alike(spec):
    game = make_game(spec)
    inputs = inputs_for(game, 140)
    play(game, inputs[:40])
    data = game.export_state()
    expected = play(game, inputs[40:])
    done = subprocess.run(
        [sys.executable, HERE / "transfer_process.py", spec, "100"],
        input=data,
        capture_output=True,
        env={**os.environ, "PYTHONHASHSEED": "5"},
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert [int(line) for line in done.stdout.split()] == expected


def test_saved_state_is_exported_as_it_was():
    exporter, importer = make_game("CartPole-v1"), make_game("CartPole-v1")
    inputs = inputs_for(exporter, 30)
    play(exporter, inputs[:10])
    saved = exporter.save()
    expected = play(exporter, inputs[10:])
    importer.import_state(exporter.export_state(saved))
    assert importer.frame == 10
    assert play(importer, inputs[10:]) == expected


def test_environment_stays_the_same_object():
    exporter, importer = make_game("CartPole-v1"), make_game("CartPole-v1")
    play(exporter, inputs_for(exporter, 10))
    environment = importer.environment.unwrapped
    generator = environment.np_random
    importer.import_state(exporter.export_state())
    assert importer.environment.unwrapped is environment
    assert environment.np_random is generator


def test_what_only_drawing_touches_stays_the_receivers():
    exporter, importer = make_game("CartPole-v1"), make_game("CartPole-v1")
    importer.environment.unwrapped.spec_sheet = None
    before = importer.environment.unwrapped.spec
    importer.import_state(exporter.export_state())
    assert importer.environment.unwrapped.spec is before


def test_views_share_memory_in_the_receiver_as_in_the_sender():
    exporter, importer = make_game(Shapes), make_game(Shapes)
    play(exporter, inputs_for(exporter, 7))
    importer.import_state(exporter.export_state())
    shapes = importer.environment.unwrapped
    shapes.board[:] = 0
    assert not shapes.row.any()
    assert not shapes.corner.any()
    assert shapes.fortran.flags.f_contiguous
    assert shapes.hidden_head.base is not None
    shapes.hidden_head[-1] = 42
    assert shapes.hidden_tail[0] == 42


def test_constants_keep_their_identity():
    exporter, importer = make_game(Herd), make_game(Herd)
    play(exporter, inputs_for(exporter, 9))
    importer.import_state(exporter.export_state())
    herd, kept = importer.environment.unwrapped, exporter.environment.unwrapped
    assert [cell is herd.EMPTY for cell in herd.cells] == [cell is kept.EMPTY for cell in kept.cells]


@pytest.mark.parametrize(
    ("other", "options"),
    [("MountainCar-v0", {}), ("Pendulum-v1", {}), ("CartPole-v1", {"seed": 8})],
)
def test_state_of_another_game_is_refused(other, options):
    game = make_game("CartPole-v1")
    before = play(game, inputs_for(game, 5))[-1]
    with pytest.raises(StateTransferError, match="another game"):
        game.import_state(make_game(other, **options).export_state())
    assert game.checksum() == before


def test_class_that_the_receiver_does_not_use_is_refused():
    exporter, importer = make_game(Growing), make_game(Growing)
    play(exporter, inputs_for(exporter, 20))
    exporter.environment.unwrapped.things.append(subprocess.Popen.__new__(subprocess.Popen))
    exporter._snapshot = exporter._walk.take()
    data = exporter.export_state()
    exporter.environment.unwrapped.things.clear()
    with pytest.raises(StateTransferError, match=r"subprocess\.Popen"):
        importer.import_state(data)


def test_decompression_bomb_is_refused():
    game = make_game("CartPole-v1")
    with pytest.raises(StateTransferError, match="larger than"):
        game.import_state(zlib.compress(bytes(20 << 20), 9))


def test_state_that_lies_about_its_checksum_is_undone():
    exporter, importer = make_game("CartPole-v1"), make_game("CartPole-v1")
    play(exporter, inputs_for(exporter, 20))
    before = importer.checksum()
    title, version, checksum, *rest = unpack(exporter.export_state())
    with pytest.raises(StateTransferError, match="does not have the checksum"):
        importer.import_state(pack((title, version, checksum ^ 1, *rest)))
    assert importer._walk.checksum(importer._walk.take(), importer.save().fields) == before


# Nothing that anybody sends does anything but be refused.


class Target:
    """A game that receives, and what it would have been sent by an honest peer."""

    def __init__(self, spec):
        exporter = make_game(spec)
        play(exporter, inputs_for(exporter, 25))
        self.game = make_game(spec)
        play(self.game, inputs_for(self.game, 3))
        self.data = exporter.export_state()
        self.checksum = exporter.checksum()
        self.start = self.game.save()

    def receive(self, data):
        game = self.game
        before = game.checksum()
        try:
            game.import_state(data)
        except StateTransferError:
            walk = game._walk
            after = walk.take()
            assert walk.diff(self.start.snapshot, after) == []
            assert walk.checksum(after, game.save().fields) == before
        else:
            game.load(self.start)


TARGETS = {}


def target(spec):
    return TARGETS.setdefault(spec, None) or TARGETS.__setitem__(spec, Target(spec)) or TARGETS[spec]


SPECS = st.sampled_from(
    [
        "CartPole-v1",
        "sample_environments:OddState",
        "transfer_environments:Herd",
        "transfer_environments:Shapes",
    ]
)


@settings(deadline=None, derandomize=True, report_multiple_bugs=False, max_examples=120)
@given(spec=SPECS, at=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255), inside=st.booleans())
def test_changed_byte_never_does_harm(spec, at, byte, inside):
    goal = target(spec)
    data = bytearray(zlib.decompress(goal.data) if inside else goal.data)
    data[int(at * len(data))] = byte
    goal.receive(zlib.compress(data, 1) if inside else bytes(data))


@settings(deadline=None, derandomize=True, report_multiple_bugs=False, max_examples=60)
@given(spec=SPECS, data=st.binary(max_size=200), packed=st.booleans())
def test_any_bytes_never_do_harm(spec, data, packed):
    target(spec).receive(zlib.compress(data) if packed else data)


def leaves(tree, path=()):
    yield path
    if isinstance(tree, tuple):
        for position, held in enumerate(tree):
            yield from leaves(held, (*path, position))


def replaced(tree, path, value):
    if not path:
        return value
    return (*tree[: path[0]], replaced(tree[path[0]], path[1:], value), *tree[path[0] + 1 :])


junk = st.one_of(
    st.none(),
    st.integers(-3, 40),
    st.sampled_from(
        [2**70, -(2**200), float("nan"), "", "x", "slotted", "dict", "object", "generator", b"", b"\xff"]
    ),
    st.builds(NodeRef, st.integers(0, 60)),
    st.sampled_from(
        [
            (),
            ("class", "os", "system"),
            ("here", "builtins.module", "os"),
            ("builtin", "eval", None),
            ("range", 0, 2**62, 1),
            ("function", "os", "system", (None, None, None), ()),
            ("memory", ("numpy", "ndarray"), None, 2**60),
        ]
    ),
)


@settings(deadline=None, derandomize=True, report_multiple_bugs=False, max_examples=250)
@given(spec=SPECS, at=st.floats(0, 1, exclude_max=True), value=junk)
@example(spec="CartPole-v1", at=0.0, value=None)
def test_changed_tree_never_does_harm(spec, at, value):
    goal = target(spec)
    tree = unpack(goal.data)
    paths = list(leaves(tree))
    goal.receive(pack(replaced(tree, paths[int(at * len(paths))], value)))


def test_generators_position_is_held_against_its_buffer():
    exporter = make_game("sample_environments:OddState")
    tree = unpack(exporter.export_state())
    refused = 0
    for path in leaves(tree):
        held = tree
        for step in path:
            held = held[step]
        if isinstance(held, tuple) and held[:1] == ("pos",):
            data = pack(replaced(tree, (*path, 1), 10_000))
            with pytest.raises(StateTransferError):
                make_game("sample_environments:OddState").import_state(data)
            refused += 1
    assert refused
    assert np.isfinite(random.random())
