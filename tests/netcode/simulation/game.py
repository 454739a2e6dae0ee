"""Games of toy peers over a network on a virtual clock."""

from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from math import inf

from tests.netcode.simulation.network import Conditions, Network
from tests.netcode.simulation.peer import BrokenInvariantError, ToyPeer, configure
from tests.netcode.simulation.toy_game import Script, ToyGame, held_keys

from coplay.netcode import GameAgreed


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
    lateness: dict[int, float] = field(default_factory=dict)
    """How late each peer's timer fires at most, in seconds; 0 by default."""
    starts: dict[int, float] = field(default_factory=dict)
    """When each peer's session is made; 0 by default."""
    state_size: int = 0
    """How many bytes a state takes that another peer is given, at least."""

    def __post_init__(self) -> None:
        self.network = Network(self.seed, self.conditions)
        self._sizes = self.sizes or (1,) * len(self.owners)
        self.script = self.script or held_keys(self.seed, self._sizes)
        self.peers: dict[int, ToyPeer] = {}
        self._waiting = sorted((self.starts.get(peer, 0.0), peer) for peer in set(self.owners))
        self._agenda: list[tuple[float, int, Callable[[], object]]] = []
        self._planned = 0
        self.before_tick: Callable[[ToyPeer], None] | None = None
        self.corruptions: dict[int, int] = {}
        """By peer, the frame before which a bit of its state flips."""
        self.incarnations: dict[int, int] = {}
        """By peer, how often its process restarted."""
        self.former: list[ToyPeer] = []
        """The processes that were replaced."""

    def plan(self, *actions: tuple[float, Callable[[], object]]) -> None:
        """Plan actions, each at a time in seconds."""
        for at, act in actions:
            self._planned += 1
            heappush(self._agenda, (at, self._planned, act))

    def run(self, until: float = 120.0) -> "SimulatedGame":
        """Play until every living peer is done, or until `until` seconds."""
        network, waiting, agenda, dead = self.network, self._waiting, self._agenda, self.network.dead
        while True:
            living = [peer for number, peer in self.peers.items() if number not in dead]
            soonest = min([peer.wake_at for peer in living], default=inf)
            if soonest == inf and not waiting and not agenda:
                return self
            arrival = network.next_arrival()
            if arrival < soonest:
                soonest = arrival
            if agenda and agenda[0][0] < soonest:
                soonest = agenda[0][0]
            if waiting and waiting[0][0] < soonest:
                soonest = waiting[0][0]
            if soonest >= until:
                network.now = max(network.now, until)
                return self
            if soonest > network.now:
                network.now = soonest
            now = network.now
            while waiting and waiting[0][0] <= now:
                self._make(waiting.pop(0)[1])
            while agenda and agenda[0][0] <= now:
                heappop(agenda)[2]()
            while (arrived := network.arrived()) is not None:
                source, target, data = arrived
                if target in self.peers and target not in dead:
                    self.peers[target].receive(source, data, now)
            for peer in living:
                if peer.wake_at <= now and peer.config.peer not in dead:
                    if self.before_tick is not None:
                        self.before_tick(peer)
                    peer.tick(now)

    def kill(self, peer: int) -> None:
        """Make a peer vanish without a goodbye."""
        self.network.dead.add(peer)

    def peer(self, number: int, act: Callable[[ToyPeer], None]) -> None:
        """Apply an action to a peer, unless it is dead or not there yet."""
        if number in self.peers and number not in self.network.dead:
            act(self.peers[number])

    def tell_left(self, peer: int, left: int, *, certain: bool = True) -> None:
        """Report to `peer`, as the server, that `left` is gone."""
        self.peer(peer, lambda told: told.tell_left(left, self.network.now, certain=certain))

    def reload(self, number: int, word_s: float = 0.0) -> None:
        """Restart a peer's process, unless its game has ended, and report it to the others.

        Args:
            number: The peer.
            word_s: Seconds between the reports to the other peers.
        """
        others = [peer for peer in self.survivors() if peer.config.peer != number]
        if number not in self.peers or all(peer.session.phase == "closed" for peer in others):
            return
        self.kill(number)
        incarnation = self.incarnations[number] = self.incarnations.get(number, 0) + 1
        self.former.append(self.peers[number])
        self.network.dead.discard(number)
        self._make(number)

        def tell(peer: ToyPeer) -> None:
            other = peer.config.peer
            if self.peers.get(other) is peer and self.incarnations[number] == incarnation:
                self.peer(
                    other,
                    lambda told: told.tell_returned(number, self._epoch(number, other), self.network.now),
                )

        for index, peer in enumerate(others):
            if word_s:
                self.plan((self.network.now + index * word_s, lambda peer=peer: tell(peer)))
            else:
                tell(peer)

    def _epoch(self, one: int, other: int) -> int:
        return (self.incarnations.get(one, 0) + self.incarnations.get(other, 0)) & 0xFF

    def survivors(self) -> list[ToyPeer]:
        """Return the peers that were not killed."""
        return [peer for number, peer in self.peers.items() if number not in self.network.dead]

    def verdicts(self) -> dict[int, GameAgreed]:
        """Return the verdicts of all peers that have one."""
        found = {}
        for number, peer in self.peers.items():
            agreed = peer.of(GameAgreed)
            if len(agreed) > 1:
                raise BrokenInvariantError("one verdict is given once", agreed)
            if agreed:
                found[number] = agreed[0]
        return found

    def check_identical(self, verdict: str = "identical") -> None:
        """Assert that all living peers agree on the verdict, the log, the checksums and the state."""
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
        if first.log:
            assert first.game.state.mix != 1, "the state changes"

    @property
    def rollbacks(self) -> int:
        """Return the number of rollbacks at all peers."""
        return sum(peer.session.stats.rollbacks for peer in self.peers.values())

    def _make(self, number: int) -> None:
        values: dict[str, object] = {"default_inputs": tuple(bytes(size) for size in self._sizes)}
        values.update(self.config)
        values.update(self.config_of.get(number, {}))
        if self.incarnations:
            values["epochs"] = {other: self._epoch(number, other) for other in set(self.owners) - {number}}
            values["rejoining"] = self.incarnations.get(number, 0) > 0
        assert self.script is not None
        self.peers[number] = ToyPeer(
            configure(number, self.owners, **values),
            ToyGame(self.frames, chance_end=self.chance_end),
            self.script,
            self.network.send,
            now=self.network.now,
            clock_offset=1000.0 * (number + 1),
            clock_rate=self.clock_rates.get(number, 1.0),
            lateness=self.lateness.get(number, 0.0),
            state_size=self.state_size,
            chance=self.network.random.random,
        )
        if number in self.corruptions and not self.incarnations.get(number):
            self.peers[number].corrupt(self.corruptions[number])
