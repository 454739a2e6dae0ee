"""Spoilt datagrams: no session raises, changes what is certain, or grows. More of them: `make soak`."""

import pytest
from tests.netcode.simulation.fuzzing import spoil


@pytest.mark.parametrize("seed", range(6))
def test_corrupted_datagrams_break_no_invariant(seed: int) -> None:
    spoilt = spoil(seed, 3_000)
    assert spoilt.failures == []
    assert 0.2 < spoilt.refused / spoilt.datagrams < 0.8, "some are read, some are not"


def test_corrupted_datagrams_take_a_bounded_amount_of_memory() -> None:
    spoilt = spoil(99, 2_000, weigh=True)
    assert spoilt.failures == []
    assert 0 < spoilt.peak < 24 << 20
