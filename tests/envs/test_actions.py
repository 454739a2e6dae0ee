import random

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from coplay.envs import ActionCodec, codec_for
from coplay.errors import UnusableEnvironmentError, UsageError

relaxed = settings(deadline=None, max_examples=50)

SPACES = [
    spaces.Discrete(1),
    spaces.Discrete(6),
    spaces.Discrete(5, start=-2),
    spaces.Discrete(300),
    spaces.Discrete(100_000, start=7),
    spaces.MultiDiscrete([3, 5]),
    spaces.MultiDiscrete([[2, 300], [4, 5]]),
    spaces.MultiDiscrete([3, 3], start=[-1, 10]),
    spaces.MultiBinary(3),
    spaces.MultiBinary((3, 4)),
    spaces.Box(-2.0, 2.0, (1,), np.float32),
    spaces.Box(-np.inf, np.inf, (2,), np.float64),
    spaces.Box(np.array([0, -5], np.float32), np.array([1, np.inf], np.float32)),
    spaces.Box(0, 255, (2, 2), np.uint8),
    spaces.Box(-3, 3, (2,), np.int64),
    spaces.Box(-1, 1, (), np.float16),
]


@pytest.mark.parametrize("space", SPACES, ids=repr)
@relaxed
@given(data=st.data())
def test_any_bytes_decode_to_an_action_of_the_space(space, data):
    codec = codec_for(space, 0)
    size = data.draw(st.one_of(st.just(codec.size), st.integers(0, 80)))
    action = codec.decode(data.draw(st.binary(min_size=size, max_size=size)))
    assert space.contains(action)
    assert len(codec.encode(action)) == codec.size


@pytest.mark.parametrize("space", SPACES, ids=repr)
@relaxed
@given(seed=st.integers(0, 2**31 - 1))
def test_sampled_action_survives_the_round_trip(space, seed):
    codec = codec_for(space, 0)
    space.seed(seed)
    action = space.sample()
    decoded = codec.decode(codec.encode(action))
    assert np.array_equal(decoded, action)
    assert np.asarray(decoded).shape == np.asarray(action).shape


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_default_is_an_action_of_the_right_size(space):
    codec = codec_for(space, 0)
    assert len(codec.default) == codec.size
    assert space.contains(codec.decode(codec.default))
    assert codec.encode(codec.decode(codec.default)) == codec.default


def test_discrete_size_grows_with_the_number_of_actions():
    assert [codec_for(spaces.Discrete(n), 0).size for n in (2, 256, 257, 65_536, 65_537)] == [1, 1, 2, 2, 4]


def test_discrete_is_the_index_above_start_little_endian():
    assert codec_for(spaces.Discrete(400, start=10), 0).encode(10 + 0x0102) == b"\x02\x01"


def test_out_of_range_index_decodes_to_the_default():
    assert codec_for(spaces.Discrete(3, start=5), 0).decode(b"\x03") == 5


@pytest.mark.parametrize("action", [3, -1, 1.5, "left", None, [0]])
def test_action_outside_discrete_is_refused(action):
    with pytest.raises(UsageError, match="is not in Discrete"):
        codec_for(spaces.Discrete(3), 0).encode(action)


def test_multi_binary_packs_eight_to_a_byte():
    assert codec_for(spaces.MultiBinary(9), 0).encode([1, 0, 1, 0, 0, 0, 0, 0, 1]) == b"\x05\x01"


@relaxed
@given(values=hnp.arrays(np.float64, (2,), elements=st.floats(allow_nan=False, allow_infinity=False)))
def test_box_clips_what_is_out_of_bounds(values):
    space = spaces.Box(-1.0, 1.0, (2,), np.float32)
    codec = codec_for(space, 0)
    decoded = codec.decode(codec.encode(values))
    assert np.array_equal(decoded, np.clip(values, -1, 1).astype(np.float32))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_box_refuses_to_encode_what_is_not_finite(bad):
    with pytest.raises(UsageError):
        codec_for(spaces.Box(-1.0, 1.0, (2,), np.float32), 0).encode([0.0, bad])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_box_decodes_what_is_not_finite_to_the_default(bad):
    codec = codec_for(spaces.Box(2.0, 3.0, (2,), np.float32), 0)
    assert np.array_equal(codec.decode(np.array([2.5, bad], "<f4").tobytes()), [2.5, 2.0])


def test_space_without_encoding_is_refused_by_name():
    with pytest.raises(UnusableEnvironmentError, match="Player 1's action space is Text"):
        codec_for(spaces.Text(5), 1)


def test_action_of_more_than_64_bytes_is_refused():
    with pytest.raises(UnusableEnvironmentError, match="needs 68 bytes"):
        codec_for(spaces.Box(0, 1, (17,), np.float32), 0)


@pytest.mark.parametrize(
    ("space", "action"),
    [
        (spaces.MultiDiscrete([3, 5]), [3, 0]),
        (spaces.MultiDiscrete([3, 5]), [0.5, 0]),
        (spaces.MultiBinary(3), [0, 1]),
        (spaces.MultiBinary(3), [0, 1, 2]),
        (spaces.Box(0, 9, (2,), np.int8), [1.5, 2]),
        (spaces.Box(0, 9, (2,), np.float32), "left"),
        (spaces.Box(0, 9, (2,), np.float32), [1.0]),
        (spaces.Box(0, 9, (2,), np.int8), ["a", "b"]),
    ],
    ids=repr,
)
def test_action_outside_its_space_is_refused(space, action):
    with pytest.raises(UsageError, match="is not in"):
        codec_for(space, 0).encode(action)


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_trial_action_is_of_the_space_and_the_same_for_the_same_source(space):
    codec = codec_for(space, 0)
    drawn = [codec.sample(random.Random(seed)) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1]
    assert all(space.contains(codec.decode(data)) for data in drawn)


def test_box_of_a_type_without_encoding_is_refused():
    space = spaces.Box(0, 1, (2,), np.float32)
    space.dtype = np.dtype(complex)
    with pytest.raises(UnusableEnvironmentError, match="components of type complex"):
        codec_for(space, 0)


def test_base_codec_leaves_the_encoding_to_others():
    codec = ActionCodec(spaces.Discrete(2))
    for call in (lambda: codec.encode(1), lambda: codec.decode(b"\0"), lambda: codec.sample(random.Random())):
        with pytest.raises(NotImplementedError):
            call()
