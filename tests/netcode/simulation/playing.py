"""Plays scenarios and counts their outcomes."""

from collections import Counter
from dataclasses import dataclass, field

from tests.netcode.simulation.checking import check, script_of
from tests.netcode.simulation.game import SimulatedGame
from tests.netcode.simulation.network import Conditions
from tests.netcode.simulation.scenario import (
    ClockJump,
    Corruption,
    Death,
    DelayChange,
    Freeze,
    Goodbye,
    Partition,
    Reload,
    Scenario,
    Word,
)

PATIENCE_S = 150.0
"""By then every game must have ended."""


@dataclass(slots=True)
class Outcome:
    """The outcome of one game, or of many together."""

    games: int = 0
    peers: int = 0
    frames: int = 0
    """Frames confirmed, over all peers."""
    seconds: float = 0.0
    """Virtual time of the games, once per game."""
    stalled: int = 0
    """Stalled frame times, over all peers."""
    datagrams: int = 0
    bytes: int = 0
    footprint: int = 0
    """The largest footprint of a session."""
    depths: Counter[int] = field(default_factory=Counter)
    """Number of rollbacks by their depth in frames."""
    verdicts: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Outcome") -> None:
        """Add another outcome."""
        self.games += other.games
        self.peers += other.peers
        self.frames += other.frames
        self.seconds += other.seconds
        self.stalled += other.stalled
        self.datagrams += other.datagrams
        self.bytes += other.bytes
        self.footprint = max(self.footprint, other.footprint)
        self.depths.update(other.depths)
        self.verdicts.update(other.verdicts)

    @property
    def rollbacks(self) -> int:
        """Number of rollbacks."""
        return self.depths.total()

    def depth(self, share: float) -> int:
        """Return the depth that this share of the rollbacks did not exceed; 0 without any."""
        left = share * self.rollbacks
        for depth, count in sorted(self.depths.items()):
            left -= count
            if left <= 0:
                return depth
        return 0


def stage(scenario: Scenario) -> SimulatedGame:
    """Return the game of a scenario, ready to run, with its faults planned."""
    by_link = {(link.source, link.target): link.conditions for link in scenario.links}

    def conditions(source: int, target: int) -> Conditions:
        return by_link.get((source, target), scenario.conditions)

    game = SimulatedGame(
        owners=scenario.owners,
        frames=scenario.frames,
        conditions=conditions,
        seed=scenario.seed,
        script=script_of(scenario),
        chance_end=scenario.chance_end,
        sizes=scenario.sizes,
        config={
            "fps": scenario.fps,
            "delay": scenario.delay,
            "max_prediction": scenario.max_prediction,
            "checksum_interval": scenario.checksum_interval,
            "prediction": scenario.prediction,
            "fates": scenario.fates,
            "on_desync": scenario.on_desync,
        },
        clock_rates=dict(enumerate(scenario.clock_rates)),
        lateness=dict(enumerate(scenario.lateness)),
        starts=dict(enumerate(scenario.starts)),
        state_size=scenario.state_size,
    )
    for fault in scenario.faults:
        _plan(game, fault)
    return game


def _plan(game: SimulatedGame, fault: object) -> None:
    match fault:
        case Partition():
            game.network.part(fault.begin, fault.end, fault.near, fault.far, one_way=fault.one_way)
        case ClockJump():
            game.plan((fault.at, lambda: game.peer(fault.peer, lambda peer: peer.jump(fault.seconds))))
        case Freeze():
            game.plan(
                (
                    fault.begin,
                    lambda: game.peer(fault.peer, lambda peer: peer.freeze(fault.begin, fault.end)),
                )
            )
        case Death():
            game.plan((fault.at, lambda: game.kill(fault.peer)))
        case Goodbye():
            game.plan((fault.at, lambda: game.peer(fault.peer, lambda peer: peer.leave(game.network.now))))
        case Word():
            game.plan((fault.at, lambda: game.tell_left(fault.peer, fault.left, certain=fault.certain)))
        case Reload():
            game.plan((fault.begin, lambda: game.kill(fault.peer)))
            game.plan((fault.end, lambda: game.reload(fault.peer, fault.word_s)))
        case DelayChange():
            game.plan((fault.at, lambda: game.peer(fault.peer, lambda peer: peer.change_delay(fault.delay))))
        case Corruption():
            game.corruptions[fault.peer] = fault.frame
        case _:
            raise ValueError(f"Unknown fault {fault}.")


def play(scenario: Scenario) -> Outcome:
    """Play a scenario to its end.

    Raises:
        BrokenInvariantError: The netcode broke an invariant.
    """
    game = stage(scenario).run(until=PATIENCE_S)
    check(scenario, game)
    outcome = Outcome(games=1, seconds=game.network.now)
    verdicts = game.verdicts()
    for number, peer in game.peers.items():
        stats = peer.session.stats
        outcome.peers += 1
        outcome.frames += len(peer.log)
        outcome.stalled += stats.stalled_frames
        outcome.datagrams += peer.datagrams
        outcome.bytes += peer.datagram_bytes
        outcome.depths.update(peer.depths)
        outcome.footprint = max(outcome.footprint, peer.check_footprint())
        outcome.verdicts[verdicts[number].verdict if number in verdicts else "none"] += 1
    return outcome
