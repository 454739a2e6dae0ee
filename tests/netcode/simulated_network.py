"""Games over a network on a virtual clock: latency, jitter, loss, bursts, duplicates, reordering.

Everything hangs on the seed, nothing on the time of day: a game that failed fails again.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from tests.netcode.toy_game import Script, ToyGame, ToyPeer, configure, held_keys

from coplay.netcode import Confirm, GameAgreed


@dataclass(frozen=True)
class Conditions:
    """One direction of a link."""

    latency: float = 0.05
    """Seconds one way."""
    jitter: float = 0.0
    """Up to this many seconds more, evenly spread."""
    loss: float = 0.0
    """Share of datagrams that vanish."""
    duplicate: float = 0.0
    """Share of datagrams that arrive twice."""
    reorder: float = 0.0
    """Share of datagrams that are overtaken: late by up to 100 ms more."""
    bursts: tuple[tuple[float, float], ...] = ()
    """Spans of time, from and to in seconds, in which everything vanishes."""


class Network:
    """Datagrams under way."""

    def __init__(self, seed: int, conditions: Conditions | Callable[[int, int], Conditions]) -> None:
        self._random = Random(seed)
        self._conditions = conditions if callable(conditions) else lambda _from, _to: conditions
        self._cache: dict[tuple[int, int], Conditions] = {}
        self.under_way: list[tuple[float, int, int, int, bytes]] = []
        self._count = 0
        self.now = 0.0
        self.dead: set[int] = set()
        self.on_send: Callable[[int, int, bytes], bytes | None] | None = None
        """Sees every datagram, and may replace it or (None) drop it."""

    def send(self, source: int, target: int, data: bytes) -> None:
        if source in self.dead or target in self.dead:
            return
        if self.on_send is not None:
            replaced = self.on_send(source, target, data)
            if replaced is None:
                return
            data = replaced
        key = (source, target)
        conditions = self._cache.get(key)
        if conditions is None:
            conditions = self._cache[key] = self._conditions(source, target)
        random = self._random
        for begin, end in conditions.bursts:
            if begin <= self.now < end:
                return
        if conditions.loss and random.random() < conditions.loss:
            return
        copies = 2 if conditions.duplicate and random.random() < conditions.duplicate else 1
        for _ in range(copies):
            delay = conditions.latency
            if conditions.jitter:
                delay += random.random() * conditions.jitter
            if conditions.reorder and random.random() < conditions.reorder:
                delay += random.random() * 0.1
            self._count += 1
            heapq.heappush(self.under_way, (self.now + delay, self._count, source, target, data))


@dataclass
class SimulatedGame:
    """A game of toy peers over a simulated network.

    Args:
        owners: Per player, its peer.
        frames: The game's length.
        conditions: Of every link, or by (from, to).
        seed: Of the network and the inputs.
    """

    owners: tuple[int, ...] = (0, 1)
    frames: int = 120
    conditions: Conditions | Callable[[int, int], Conditions] = field(default_factory=Conditions)
    seed: int = 0
    script: Script | None = None
    chance_end: bool = False
    sizes: tuple[int, ...] = ()
    config: dict[str, object] = field(default_factory=dict)
    config_of: dict[int, dict[str, object]] = field(default_factory=dict)
    clock_rates: dict[int, float] = field(default_factory=dict)
    """How fast each peer's clock runs; 1 by default."""
    starts: dict[int, float] = field(default_factory=dict)
    """When each peer's session is made; 0 by default."""

    def __post_init__(self) -> None:
        self.network = Network(self.seed, self.conditions)
        sizes = self.sizes or (1,) * len(self.owners)
        script = self.script or held_keys(self.seed, sizes)
        self.peers: dict[int, ToyPeer] = {}
        self.script = script
        self._sizes = sizes
        self._waiting = sorted((self.starts.get(peer, 0.0), peer) for peer in set(self.owners))
        self.at: list[tuple[float, Callable[[], None]]] = []
        """What the test does at which time, in order."""
        self.before_tick: Callable[[ToyPeer], None] | None = None

    def _make(self, peer: int) -> None:
        values: dict[str, object] = {"default_inputs": tuple(bytes(size) for size in self._sizes)}
        values.update(self.config)
        values.update(self.config_of.get(peer, {}))
        assert self.script is not None
        self.peers[peer] = ToyPeer(
            configure(peer, self.owners, **values),
            ToyGame(self.frames, chance_end=self.chance_end),
            self.script,
            self.network.send,
            clock_offset=1000.0 * (peer + 1),
            clock_rate=self.clock_rates.get(peer, 1.0),
            made_at=self.network.now,
        )

    def run(self, until: float = 120.0) -> "SimulatedGame":
        """Play until every living peer is done, or to `until` seconds."""
        network = self.network
        waiting = self._waiting
        while True:
            times = [until]
            if waiting:
                times.append(waiting[0][0])
            if self.at:
                times.append(self.at[0][0])
            if network.under_way:
                times.append(network.under_way[0][0])
            deadlines = {
                number: peer.deadline() for number, peer in self.peers.items() if number not in network.dead
            }
            soonest = min(deadlines.values(), default=until)
            if not waiting and not self.at and soonest == float("inf"):
                return self
            network.now = now = max(network.now, min(soonest, *times))
            if now >= until:
                return self
            while waiting and waiting[0][0] <= now:
                self._make(waiting.pop(0)[1])
            while self.at and self.at[0][0] <= now:
                self.at.pop(0)[1]()
            while network.under_way and network.under_way[0][0] <= now:
                _, _, source, target, data = heapq.heappop(network.under_way)
                if target in self.peers and target not in network.dead:
                    self.peers[target].receive(source, data, now)
            for number, deadline in deadlines.items():
                if deadline <= now + 1e-9 and number not in network.dead:
                    peer = self.peers[number]
                    if self.before_tick is not None:
                        self.before_tick(peer)
                    peer.tick(now + 1e-9)

    def kill(self, peer: int) -> None:
        """Make a peer vanish without a word."""
        self.network.dead.add(peer)

    def survivors(self) -> list[ToyPeer]:
        return [peer for number, peer in self.peers.items() if number not in self.network.dead]

    def verdicts(self) -> dict[int, GameAgreed]:
        found = {}
        for number, peer in self.peers.items():
            for event in peer.events:
                if isinstance(event, GameAgreed):
                    assert number not in found, "given once"
                    found[number] = event
        return found

    def check_identical(self, verdict: str = "identical") -> None:
        """Assert that all living peers agree, in every way that can be looked at."""
        peers = self.survivors()
        first = peers[0]
        verdicts = self.verdicts()
        for peer in peers:
            assert peer.session.phase == "closed", peer.session.stats
            agreed = verdicts[peer.config.peer]
            other = verdicts[first.config.peer]
            assert (agreed.last_frame, agreed.chain_hash) == (other.last_frame, other.chain_hash)
            assert agreed.verdict == verdict, agreed
            assert agreed.last_frame == len(peer.log) - 1
            assert peer.log == first.log
            assert peer.checksums == first.checksums
            assert peer.game.state == first.game.state
            assert peer.largest_datagram <= 1150
        if first.log:
            assert len({state.mix for state in (first.game.state,)} | {1}) == 2, "the state changes"

    @property
    def rollbacks(self) -> int:
        return sum(peer.session.stats.rollbacks for peer in self.peers.values())


def confirmed_log(peer: ToyPeer) -> list[Confirm]:
    """What a peer was told for certain, with what it was shown before."""
    return peer.confirms
