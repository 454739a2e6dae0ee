"""With mutated datagrams no session raises, changes confirmed frames, or grows. `make soak` runs more."""

import pytest
from tests.netcode.simulation.fuzzing import fuzz


@pytest.mark.parametrize("seed", range(6))
def test_corrupted_datagrams_break_no_invariant(seed: int) -> None:
    result = fuzz(seed, 3_000)
    assert result.failures == []
    assert 0.2 < result.rejected / result.datagrams < 0.8, "some are accepted, some are not"


def test_corrupted_datagrams_take_a_bounded_amount_of_memory() -> None:
    result = fuzz(99, 2_000, measure_memory=True)
    assert result.failures == []
    assert 0 < result.peak < 24 << 20
