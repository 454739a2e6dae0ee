"""What the sample environments import: another module, whose state no game watches."""

import functools
import itertools

MODULUS = 1 << 62
counter = itertools.count()
scores: list[int] = []


@functools.lru_cache
def learnt(number: int) -> int:
    """The first answer counts for ever: a cache of what is no function of its arguments."""
    return number * 1000 + next(counter)


@functools.lru_cache
def squared(number: int) -> int:
    """A cache as caches should be."""
    return number * number


class Unit:
    """Instances hash by where they lie in memory."""

    made = 0

    def __init__(self, number: int) -> None:
        self.number = number
