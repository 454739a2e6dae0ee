"""A simulated network on a virtual clock, with conditions for each direction of each link."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from heapq import heappop, heappush
from math import inf
from random import Random

OVERHEAD = 93
"""Bytes of IP, UDP, DTLS and SCTP that a datagram takes on a real link, in addition to its own."""
REORDERED_S = 0.1


@dataclass(frozen=True, slots=True)
class Conditions:
    """One direction of a link."""

    latency: float = 0.05
    """Seconds one way."""
    jitter: float = 0.0
    """Up to this many seconds more, evenly spread."""
    loss: float = 0.0
    """Share of datagrams that are lost independently."""
    burst_begin: float = 0.0
    """Chance, at every datagram, that a burst of loss begins: from then on all are lost (Gilbert's model)."""
    burst_end: float = 0.25
    """Chance, at every datagram in a burst, that the burst is over after it."""
    duplicate: float = 0.0
    """Share of datagrams that arrive twice."""
    reorder: float = 0.0
    """Share of datagrams that are overtaken: late by up to 100 ms more."""
    rate: float = 0.0
    """Bytes per second, headers of the layers below included; 0 is no limit."""
    queue: int = 16_384
    """Bytes that wait for a limited rate; datagrams that exceed it are dropped."""
    silences: tuple[tuple[float, float], ...] = ()
    """Spans of time, from and to in seconds, in which everything is lost."""


class Direction:
    """The state of one direction of a link.

    Args:
        conditions: The conditions of the direction.
        random: The random generator of the network.
    """

    __slots__ = ("_busy_until", "_conditions", "_in_burst", "_plain", "_random", "silences")

    def __init__(self, conditions: Conditions, random: Random) -> None:
        self._conditions = conditions
        self._random = random
        self._busy_until = 0.0
        self._in_burst = False
        self.silences = list(conditions.silences)
        self._plain = not (
            conditions.loss or conditions.burst_begin or conditions.duplicate or conditions.rate
        )

    def arrivals(self, now: float, size: int) -> tuple[float, ...]:
        """Return when a datagram that is sent now arrives: not at all, once or twice."""
        for begin, end in self.silences:
            if begin <= now < end:
                return ()
        conditions = self._conditions
        if self._plain:
            return (now + self._delay(),)
        chance = self._random.random
        if self._in_burst:
            self._in_burst = chance() >= conditions.burst_end
            return ()
        if conditions.burst_begin and chance() < conditions.burst_begin:
            self._in_burst = True
            return ()
        if conditions.loss and chance() < conditions.loss:
            return ()
        if conditions.rate:
            begins = max(now, self._busy_until)
            if (begins - now) * conditions.rate + size + OVERHEAD > conditions.queue:
                return ()
            self._busy_until = now = begins + (size + OVERHEAD) / conditions.rate
        if conditions.duplicate and chance() < conditions.duplicate:
            return now + self._delay(), now + self._delay()
        return (now + self._delay(),)

    def _delay(self) -> float:
        conditions = self._conditions
        delay = conditions.latency
        if conditions.jitter:
            delay += self._random.random() * conditions.jitter
        if conditions.reorder and self._random.random() < conditions.reorder:
            delay += self._random.random() * REORDERED_S
        return delay


class Network:
    """All datagrams in flight. The same seed gives the same game.

    Args:
        seed: Seed of the random generator.
        conditions: Conditions of every direction, or a function of (from, to).
    """

    def __init__(self, seed: int, conditions: Conditions | Callable[[int, int], Conditions]) -> None:
        self.random = Random(seed)
        self._conditions = conditions if callable(conditions) else lambda _from, _to: conditions
        self._directions: dict[tuple[int, int], Direction] = {}
        self._in_flight: list[tuple[float, int, int, int, bytes]] = []
        self._count = 0
        self.now = 0.0
        """Virtual seconds."""
        self.dead: set[int] = set()
        """Peers that neither send nor receive any more."""
        self.lost = 0
        """Datagrams that were lost."""
        self.on_send: Callable[[int, int, bytes], bytes | None] | None = None
        """Called with every datagram; returns the datagram to send instead, or None to drop it."""

    def direction(self, source: int, target: int) -> Direction:
        """Return one direction of one link."""
        key = source, target
        if key not in self._directions:
            self._directions[key] = Direction(self._conditions(source, target), self.random)
        return self._directions[key]

    def part(
        self,
        begin: float,
        end: float,
        near: Collection[int],
        far: Collection[int],
        *,
        one_way: bool = False,
    ) -> None:
        """Partition two sets of peers for a span of time.

        Args:
            begin: Seconds.
            end: Seconds.
            near: Peers on one side.
            far: Peers on the other.
            one_way: True if only datagrams of the near peers are lost.
        """
        for source in near:
            for target in far:
                self.direction(source, target).silences.append((begin, end))
                if not one_way:
                    self.direction(target, source).silences.append((begin, end))

    def send(self, source: int, target: int, data: bytes) -> None:
        """Send one datagram."""
        if source in self.dead or target in self.dead:
            return
        if self.on_send is not None:
            replaced = self.on_send(source, target, data)
            if replaced is None:
                self.lost += 1
                return
            data = replaced
        direction = self._directions.get((source, target)) or self.direction(source, target)
        arrivals = direction.arrivals(self.now, len(data))
        if not arrivals:
            self.lost += 1
        for at in arrivals:
            self._count += 1
            heappush(self._in_flight, (at, self._count, source, target, data))

    def next_arrival(self) -> float:
        """Return when the next datagram arrives; infinite if none is in flight."""
        return self._in_flight[0][0] if self._in_flight else inf

    def arrived(self) -> tuple[int, int, bytes] | None:
        """Take the next datagram that has arrived by now: (from, to, bytes)."""
        if self._in_flight and self._in_flight[0][0] <= self.now:
            return heappop(self._in_flight)[2:]
        return None
