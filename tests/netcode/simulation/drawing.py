"""Random scenarios: the same seed always gives the same scenario."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

from tests.netcode.simulation.network import OVERHEAD, Conditions
from tests.netcode.simulation.scenario import (
    ClockJump,
    Corruption,
    Death,
    DelayChange,
    Fault,
    Freeze,
    Goodbye,
    Link,
    Partition,
    Reload,
    Scenario,
    Word,
)

PEERS = (2,) * 8 + (3,) * 6 + (4,) * 4 + (5, 5, 6, 7, 8)
HEAD = 24 + OVERHEAD
"""Bytes of a datagram in addition to its inputs, with the headers of the layers below."""
LONGEST_TROUBLE_S = 7.0
"""Less than a peer waits in the closing phase for one that is silent, so that the verdict is always known."""


def draw(seed: int, kind: str = "") -> Scenario:
    """Return the scenario of a seed.

    Args:
        seed: Any number; successive ones go through all kinds.
        kind: One of `KINDS`, or empty for the seed's own.
    """
    kind = kind or list(KINDS)[seed % len(KINDS)]
    random = Random(seed)
    scenario = KINDS[kind](random, _plain(random, kind, seed))
    return scenario.but(links=tuple(_wide_enough(link, scenario) for link in scenario.links))


def _wide_enough(link: Link, scenario: Scenario) -> Link:
    """Give a link enough rate to carry every input once."""
    rate = link.conditions.rate
    if not rate or scenario.inputs != "unique":
        return link
    seats = zip(scenario.owners, scenario.sizes, strict=True)
    needed = scenario.fps * (HEAD + sum(size for owner, size in seats if owner == link.source))
    return replace(link, conditions=replace(link.conditions, rate=max(rate, needed)))


def _plain(random: Random, kind: str, seed: int) -> Scenario:
    peers = random.choice(PEERS)
    owners = tuple(range(peers))
    while len(owners) < 8 and random.random() < 0.15:
        owners += (random.randrange(peers),)
    frames = random.randint(40, 240) if peers <= 4 else random.randint(40, 120)
    return Scenario(
        kind=kind,
        seed=seed,
        owners=owners,
        frames=frames,
        chance_end=random.random() < 0.3,
        sizes=tuple(random.choice((1, 1, 1, 2, 5, 64)) for _ in owners),
        inputs=random.choice(("held", "held", "held", "unique", "idle")),
        fps=random.choice((20.0, 30.0, 60.0, 60.0, 60.0, 120.0)),
        delay=random.choice((None, None, 0, 0, 1, 3, 6)),
        max_prediction=random.choice((1, 2, 4, 8, 8, 8, 8, 12, 20)),
        checksum_interval=random.choice((1, 7, 30, 30)),
        prediction=random.choice(("repeat", "repeat", "repeat", "default")),
        links=_links(random, peers, lambda: _near(random)),
    )


def _links(random: Random, peers: int, conditions: Callable[[], Conditions]) -> tuple[Link, ...]:
    uniform = conditions() if random.random() < 0.3 else None
    return tuple(
        Link(source, target, uniform or conditions())
        for source in range(peers)
        for target in range(peers)
        if source != target
    )


def _near(random: Random) -> Conditions:
    return Conditions(
        latency=round(random.uniform(0.001, 0.06), 4),
        jitter=random.choice((0.0, 0.005, 0.02)),
        loss=random.choice((0.0, 0.0, 0.02)),
    )


def _lossy(random: Random) -> Conditions:
    return Conditions(
        latency=round(random.uniform(0.001, 0.1), 4),
        jitter=random.choice((0.0, 0.01, 0.05)),
        loss=round(random.uniform(0.02, 0.3), 3),
        duplicate=random.choice((0.0, 0.1)),
        reorder=random.choice((0.0, 0.1, 0.3)),
    )


def _far(random: Random) -> Conditions:
    return Conditions(
        latency=round(random.uniform(0.08, 0.2), 4),
        jitter=random.choice((0.0, 0.02, 0.06)),
        loss=random.choice((0.0, 0.02, 0.1)),
        reorder=random.choice((0.0, 0.05)),
    )


def _bursty(random: Random) -> Conditions:
    return Conditions(
        latency=round(random.uniform(0.005, 0.1), 4),
        jitter=random.choice((0.0, 0.02)),
        loss=random.choice((0.0, 0.05)),
        burst_begin=random.choice((0.0, 0.01, 0.03)),
        burst_end=random.choice((0.05, 0.2)),
    )


def _narrow(random: Random) -> Conditions:
    return Conditions(
        latency=round(random.uniform(0.005, 0.06), 4),
        rate=float(random.randint(4_000, 20_000)),
        queue=random.choice((2_500, 8_000)),
        loss=random.choice((0.0, 0.02)),
    )


def _length(scenario: Scenario) -> float:
    """Return the length of the game in seconds if nothing delays it."""
    return 0.5 + scenario.frames / scenario.fps


def _spans(random: Random, scenario: Scenario, most: int) -> list[tuple[float, float]]:
    """Return spans of trouble, whose lengths together are limited."""
    left, spans = LONGEST_TROUBLE_S, []
    for _ in range(random.randint(1, most)):
        begin = round(random.uniform(0.0, _length(scenario)), 3)
        lasts = round(min(left, random.choice((0.05, 0.3, 1.0, 3.0)) * random.uniform(0.5, 1.5)), 3)
        left -= lasts
        spans.append((begin, round(begin + lasts, 3)))
    return spans


def _calm(_random: Random, scenario: Scenario) -> Scenario:
    return scenario


def _linked(conditions: Callable[[Random], Conditions]) -> Callable[[Random, Scenario], Scenario]:
    return lambda random, scenario: scenario.but(
        links=_links(random, scenario.peers, lambda: conditions(random))
    )


def _silent_links(random: Random, scenario: Scenario) -> Scenario:
    """Spans in which single directions or whole groups lose everything; and bursts of loss."""
    scenario = _linked(_bursty)(random, scenario)
    return scenario.but(faults=_partitions(random, scenario))


def _partitions(random: Random, scenario: Scenario) -> tuple[Fault, ...]:
    faults = []
    for begin, end in _spans(random, scenario, 4):
        order = random.sample(range(scenario.peers), scenario.peers)
        cut = random.randint(1, scenario.peers - 1)
        near, far = tuple(sorted(order[:cut])), tuple(sorted(order[cut:]))
        if random.random() < 0.4:
            near, far = near[:1], far[:1]
        faults.append(Partition(begin, end, near, far, one_way=random.random() < 0.5))
    return tuple(faults)


def _clocks(random: Random, scenario: Scenario) -> Scenario:
    jumps = tuple(
        ClockJump(
            random.randrange(scenario.peers),
            round(random.uniform(0.0, _length(scenario)), 3),
            random.choice((0.02, 0.2, 0.6, 3.0, 60.0, 3600.0)) * random.choice((1, -1)),
        )
        for _ in range(random.randint(1, 6))
    )
    rates = tuple(round(random.uniform(0.98, 1.02), 4) for _ in range(scenario.peers))
    return scenario.but(faults=jumps, clock_rates=rates)


def _sleepers(random: Random, scenario: Scenario) -> Scenario:
    freezes = tuple(
        Freeze(random.randrange(scenario.peers), begin, end) for begin, end in _spans(random, scenario, 3)
    )
    return scenario.but(
        faults=freezes,
        lateness=tuple(random.choice((0.0, 0.004, 0.03)) for _ in range(scenario.peers)),
        starts=tuple(random.choice((0.0, round(random.uniform(0, 3), 2))) for _ in range(scenario.peers)),
    )


def _delays(random: Random, scenario: Scenario) -> Scenario:
    changes = tuple(
        DelayChange(
            random.randrange(scenario.peers),
            round(random.uniform(0.5, _length(scenario)), 3),
            random.randint(0, scenario.delay if scenario.delay is not None else 8),
        )
        for _ in range(random.randint(1, 5))
    )
    return _linked(random.choice((_near, _lossy, _far)))(random, scenario).but(faults=changes)


def _leaves(random: Random, scenario: Scenario) -> Scenario:
    """Some peers vanish, together or one after the other; the others are told late and in any order."""
    scenario = _linked(random.choice((_near, _lossy, _far)))(random, scenario)
    return scenario.but(faults=_deaths(random, scenario, certain=True))


def _going_on(random: Random, scenario: Scenario) -> Scenario:
    """As `_leavers`, but the seats of peers that left get the default input or another writer."""
    scenario = _with_fates(random, _linked(random.choice((_near, _lossy, _far)))(random, scenario))
    scenario = scenario.but(frames=scenario.frames + random.choice((0, 120)))
    return scenario.but(faults=_deaths(random, scenario, certain=random.random() < 0.7))


def _with_fates(random: Random, scenario: Scenario) -> Scenario:
    players = range(len(scenario.owners))
    fates = random.choice(
        (
            tuple("default" for _ in players),
            tuple("bot" for _ in players),
            tuple(random.choice(("default", "bot")) for _ in players),
            tuple(random.choice(("default", "bot", "bot", "end")) for _ in players),
        )
    )
    return scenario.but(fates=fates)


def _deaths(random: Random, scenario: Scenario, *, certain: bool) -> tuple[Fault, ...]:
    peers = range(scenario.peers)
    leavers = random.sample(peers, random.randint(1, scenario.peers - 1))
    staying = [peer for peer in peers if peer not in leavers]
    first = random.uniform(0.0, _length(scenario) + 0.5)
    faults: list[Fault] = []
    for left in leavers:
        at = round(first + random.random() * random.choice((0.0, 0.3, 1.0)), 3)
        faults.append(Death(left, at))
        told = [peer for peer in peers if peer != left]
        if not scenario.fates and first > 2.0 and random.random() < 0.3:
            # Where a leave ends a running game, it is enough that one peer is told of it.
            told = [random.choice(staying)]
        for peer in told:
            heard = round(at + random.random() * random.choice((0.01, 0.5, 1.5)), 3)
            faults.append(Word(peer, heard, left, certain))
    return tuple(faults)


def _torn(random: Random, scenario: Scenario) -> Scenario:
    """A network partition, after which each side is told that the other is gone."""
    scenario = _linked(random.choice((_near, _lossy)))(random, scenario)
    if random.random() < 0.7:
        scenario = _with_fates(random, scenario)
    order = random.sample(range(scenario.peers), scenario.peers)
    cut = random.randint(1, scenario.peers - 1)
    near, far = tuple(sorted(order[:cut])), tuple(sorted(order[cut:]))
    begin = round(random.uniform(0.0, _length(scenario)), 3)
    end = round(begin + random.choice((0.2, 1.0, 3.0, 1000.0)), 3)
    faults: list[Fault] = [Partition(begin, end, near, far, one_way=random.random() < 0.2)]
    for one, other in ((near, far), (far, near)):
        for peer in one:
            for left in other:
                heard = round(begin + random.random() * random.choice((0.1, 1.0, 2.0)), 3)
                faults.append(Word(peer, heard, left, certain=False))
    return scenario.but(faults=tuple(faults))


def _goodbyes(random: Random, scenario: Scenario) -> Scenario:
    scenario = _linked(random.choice((_near, _lossy)))(random, scenario)
    if random.random() < 0.5:
        scenario = _with_fates(random, scenario)
    first = random.uniform(0.0, _length(scenario))
    leavers = random.sample(range(scenario.peers), random.randint(1, scenario.peers - 1))
    faults: list[Fault] = []
    for left in leavers:
        at = round(first + random.random() * random.choice((0.0, 0.2, 1.0)), 3)
        faults.append(Goodbye(left, at))
        # A goodbye may get lost; the server's word does not.
        faults += [
            Word(peer, round(at + random.uniform(0.2, 1.0), 3), left)
            for peer in range(scenario.peers)
            if peer != left
        ]
    return scenario.but(faults=tuple(faults))


def _reloads(random: Random, scenario: Scenario) -> Scenario:
    """Processes restart, one after the other or together; at least one peer plays through."""
    scenario = _linked(random.choice((_near, _near, _lossy, _far)))(random, scenario)
    return scenario.but(
        frames=scenario.frames + 60,
        state_size=random.choice((0, 0, 3_000, 20_000)),
        faults=_reloading(random, scenario, random.sample(range(scenario.peers), scenario.peers)[1:]),
    )


def _reloading(random: Random, scenario: Scenario, peers: list[int]) -> tuple[Fault, ...]:
    faults: list[Fault] = []
    at = random.uniform(0.0, _length(scenario))
    for peer in peers[: random.choice((1, 1, 2, 3))]:
        for _ in range(random.choice((1, 1, 1, 2))):
            begin = round(at, 3)
            end = round(begin + random.choice((0.0, 0.3, 1.0, 3.0)), 3)
            faults.append(Reload(peer, begin, end, word_s=random.choice((0.0, 0.0, 0.02))))
            at = end + random.choice((0.05, 0.5, 2.0))
        if random.random() < 0.3:
            # The next one goes while this one is on its way back.
            at = begin + random.random()
    return tuple(faults)


def _comings_and_goings(random: Random, scenario: Scenario) -> Scenario:
    """Some peers leave for good, others restart before, meanwhile or afterwards."""
    if scenario.peers < 3:
        scenario = scenario.but(
            owners=(*scenario.owners, 2),
            sizes=(*scenario.sizes, 1),
            links=_links(random, 3, lambda: _near(random)),
        )
    scenario = _with_fates(random, _linked(random.choice((_near, _lossy)))(random, scenario))
    scenario = scenario.but(frames=scenario.frames + 100)
    order = random.sample(range(scenario.peers), scenario.peers)
    left, others = order[0], order[1:]
    at = round(random.uniform(0.0, _length(scenario)), 3)
    faults: list[Fault] = [Death(left, at)]
    faults += [
        Word(peer, round(at + random.random() * random.choice((0.01, 0.5, 1.5)), 3), left) for peer in others
    ]
    # A page that comes back is told who is gone, as all are.
    reloads = _reloading(random, scenario, others[1:])
    faults += reloads
    for reload in reloads:
        assert isinstance(reload, Reload)
        faults.append(Word(reload.peer, round(max(at, reload.end) + 0.3, 3), left))
    return scenario.but(faults=tuple(faults))


def _repaired(random: Random, scenario: Scenario) -> Scenario:
    """A state gets corrupted, and the game goes on with that of the lowest peer."""
    scenario = _corrupted(random, scenario)
    return scenario.but(
        frames=scenario.frames + int(scenario.fps * random.choice((1, 5, 10))),
        on_desync="resync",
        state_size=random.choice((0, 0, 3_000)),
    )


def _corrupted(random: Random, scenario: Scenario) -> Scenario:
    peer, frame = random.randrange(scenario.peers), random.randint(1, scenario.frames)
    scenario = _linked(random.choice((_near, _lossy)))(random, scenario)
    return scenario.but(chance_end=False, faults=(Corruption(peer, frame),))


def _everything(random: Random, scenario: Scenario) -> Scenario:
    links = _links(
        random, scenario.peers, lambda: random.choice((_near, _lossy, _far, _bursty, _narrow))(random)
    )
    scenario = scenario.but(links=links)
    clocks, sleepers = _clocks(random, scenario), _sleepers(random, scenario)
    troubles = list(_partitions(random, scenario) + sleepers.faults)
    return scenario.but(
        faults=tuple(random.sample(troubles, min(2, len(troubles)))) + clocks.faults,
        clock_rates=clocks.clock_rates,
        lateness=sleepers.lateness,
        starts=sleepers.starts,
    )


KINDS: dict[str, Callable[[Random, Scenario], Scenario]] = {
    "calm": _calm,
    "lossy": _linked(_lossy),
    "far": _linked(_far),
    "narrow": _linked(_narrow),
    "silent links": _silent_links,
    "clocks": _clocks,
    "sleepers": _sleepers,
    "delays": _delays,
    "leaves": _leaves,
    "going on": _going_on,
    "torn": _torn,
    "goodbyes": _goodbyes,
    "reloads": _reloads,
    "comings": _comings_and_goings,
    "corrupted": _corrupted,
    "repaired": _repaired,
    "everything": _everything,
}
