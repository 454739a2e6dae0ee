"""Plays a scenario, and holds all that its peers did against what must be."""

from collections import Counter
from dataclasses import dataclass, field

from tests.netcode.simulation.game import SimulatedGame
from tests.netcode.simulation.network import Conditions
from tests.netcode.simulation.peer import BrokenInvariantError, ToyPeer
from tests.netcode.simulation.scenario import (
    ClockJump,
    Corruption,
    Death,
    DelayChange,
    Freeze,
    Goodbye,
    Partition,
    Scenario,
    Word,
)
from tests.netcode.simulation.toy_game import Script, ToyGame, held_keys, idle_hands, unique_inputs

from coplay.netcode import DelayChosen, DesyncFound

PATIENCE_S = 600.0
"""By then every game has long come to its end."""
SCRIPTS = {"held": held_keys, "unique": unique_inputs, "idle": idle_hands}


@dataclass(slots=True)
class Outcome:
    """What one game came to, or many together."""

    games: int = 0
    peers: int = 0
    frames: int = 0
    """Frames confirmed, over all peers."""
    seconds: float = 0.0
    """Virtual time of the games, once per game."""
    stalled: int = 0
    """Frame times in which play waited, over all peers."""
    datagrams: int = 0
    bytes: int = 0
    footprint: int = 0
    """The most that any session held at its end."""
    depths: Counter[int] = field(default_factory=Counter)
    """How many rollbacks went back by so many frames."""
    verdicts: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Outcome") -> None:
        """Count another one in."""
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
        """How many there were."""
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
    """Return the scenario's game, ready to run, with all that will befall it planned."""
    by_link = {(link.source, link.target): link.conditions for link in scenario.links}

    def conditions(source: int, target: int) -> Conditions:
        return by_link.get((source, target), scenario.conditions)

    game = SimulatedGame(
        owners=scenario.owners,
        frames=scenario.frames,
        conditions=conditions,
        seed=scenario.seed,
        script=_script(scenario),
        chance_end=scenario.chance_end,
        sizes=scenario.sizes,
        config={
            "fps": scenario.fps,
            "delay": scenario.delay,
            "max_prediction": scenario.max_prediction,
            "checksum_interval": scenario.checksum_interval,
            "prediction": scenario.prediction,
        },
        clock_rates=dict(enumerate(scenario.clock_rates)),
        lateness=dict(enumerate(scenario.lateness)),
        starts=dict(enumerate(scenario.starts)),
    )
    for fault in scenario.faults:
        _plan(game, fault)
    return game


def _script(scenario: Scenario) -> Script:
    return SCRIPTS[scenario.inputs](scenario.seed, scenario.sizes)


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
            game.plan((fault.at, lambda: game.tell_left(fault.peer, fault.left)))
        case DelayChange():
            game.plan((fault.at, lambda: game.peer(fault.peer, lambda peer: peer.change_delay(fault.delay))))
        case Corruption():
            game.corruptions[fault.peer] = fault.frame
        case _:
            raise ValueError(f"Unknown fault {fault}.")


def play(scenario: Scenario) -> Outcome:
    """Play a scenario to its end.

    Raises:
        BrokenInvariantError: The netcode broke a promise.
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


def check(scenario: Scenario, game: SimulatedGame) -> None:
    """Hold a game that has ended against what must be.

    Raises:
        BrokenInvariantError: The netcode broke a promise.
    """
    survivors = game.survivors()
    for peer in survivors:
        if peer.session.phase != "closed":
            raise BrokenInvariantError("every game ends", (peer.config.peer, peer.session.stats))
    _check_verdicts(scenario, game, survivors)
    _check_logs(scenario, game, survivors)
    for peer in game.peers.values():
        stats = peer.session.stats
        if stats.rollbacks != peer.depths.total():
            raise BrokenInvariantError("statistics count what happened", stats)
    if scenario.of(Corruption):
        _check_desyncs(scenario, survivors)
    _check_that_it_proves_something(scenario, game)


def _check_verdicts(scenario: Scenario, game: SimulatedGame, survivors: list[ToyPeer]) -> None:
    verdicts = game.verdicts()
    found = {verdicts[peer.config.peer].verdict for peer in survivors}
    leaves = scenario.of(Death) or scenario.of(Goodbye) or scenario.of(Word)
    if scenario.of(Corruption):
        allowed = {"divergent"}
    elif leaves:
        allowed = {"truncated", "identical", "unverified"}
    else:
        allowed = {"identical"}
    if not found <= allowed:
        raise BrokenInvariantError("verdicts", verdicts)
    for peer in survivors:
        if verdicts[peer.config.peer].last_frame != len(peer.log) - 1:
            raise BrokenInvariantError("verdicts name the last frame", verdicts)
    if not scenario.of(Goodbye) and not _torn(scenario) and len(found) > 1:
        raise BrokenInvariantError("one verdict", verdicts)
    hashes = {verdicts[peer.config.peer].chain_hash for peer in survivors}
    if found == {"identical"} and len(hashes) > 1:
        raise BrokenInvariantError("one hash", verdicts)


def _torn(scenario: Scenario) -> bool:
    """Whether somebody was told that a living peer is gone."""
    dead = {death.peer for death in scenario.of(Death)}
    return any(word.left not in dead for word in scenario.of(Word))


def _check_logs(scenario: Scenario, game: SimulatedGame, survivors: list[ToyPeer]) -> None:
    peers = list(game.peers.values())
    longest = max(peers, key=lambda peer: len(peer.log))
    for peer in peers:
        if peer.log != longest.log[: len(peer.log)]:
            frame = next(at for at, inputs in enumerate(peer.log) if inputs != longest.log[at])
            raise BrokenInvariantError("no two histories", (peer.config.peer, longest.config.peer, frame))
    gone = {goodbye.peer for goodbye in scenario.of(Goodbye)}
    if not _torn(scenario):
        lengths = {peer.config.peer: len(peer.log) for peer in survivors if peer.config.peer not in gone}
        if len(set(lengths.values())) > 1:
            raise BrokenInvariantError("one last frame", lengths)
    if not scenario.of(DelayChange) and not scenario.of(Corruption):
        _check_truth(scenario, longest)
    _check_states(scenario, peers, longest)


def _check_truth(scenario: Scenario, longest: ToyPeer) -> None:
    """The log is what the players pressed, whatever the network did."""
    chosen = longest.of(DelayChosen)
    if not longest.log or not chosen:
        return
    script, delay = _script(scenario), chosen[0].delay
    nothing = [bytes(size) for size in scenario.sizes]
    players = range(len(scenario.owners))
    for frame, inputs in enumerate(longest.log):
        for player in players:
            pressed = script(player, frame - delay) if frame >= delay else nothing[player]
            if inputs[player] != pressed:
                raise BrokenInvariantError("the log is what was pressed", (frame, player, inputs, pressed))


def _check_states(scenario: Scenario, peers: list[ToyPeer], longest: ToyPeer) -> None:
    """Playing the log once, straight through, leads to the states that all peers hold."""
    corrupted = {corruption.peer for corruption in scenario.of(Corruption)}
    game = ToyGame(scenario.frames, chance_end=scenario.chance_end)
    states = [game.state]
    for inputs in longest.log:
        game.step(inputs)
        states.append(game.state)
    if len({state.mix for state in states}) != len(states):
        raise BrokenInvariantError("the state changes", "this scenario proves nothing")
    for peer in peers:
        if peer.config.peer in corrupted:
            continue
        gone = any(goodbye.peer == peer.config.peer for goodbye in scenario.of(Goodbye))
        for frame, value in peer.checksums.items():
            if value != game.checksum(states[frame]):
                raise BrokenInvariantError("states follow from the log", (peer.config.peer, frame))
        ended = peer.session.phase == "closed" and peer.states and not gone
        if ended and peer.game.state != states[len(peer.log)]:
            raise BrokenInvariantError("the end is the last state", peer.config.peer)
    complete = states[-1].over
    if not complete and not (scenario.of(Death) or scenario.of(Goodbye) or scenario.of(Word)):
        raise BrokenInvariantError("games end when they are over", len(longest.log))


def _check_desyncs(scenario: Scenario, survivors: list[ToyPeer]) -> None:
    """A difference is found at both ends, at the first frame that was compared after it came about."""
    (corruption,) = scenario.of(Corruption)
    interval = scenario.checksum_interval
    for peer in survivors:
        found = peer.of(DesyncFound)
        others = [event for event in found if corruption.peer in (event.peer, peer.config.peer)]
        if len(others) != len(found) or not others:
            raise BrokenInvariantError("desyncs are found where they are", (peer.config.peer, found))
        last = len(peer.log)
        first = min(-(-corruption.frame // interval) * interval, last)
        if any(event.frame != first for event in found):
            raise BrokenInvariantError("desyncs are found at once", (found, first))


def _check_that_it_proves_something(scenario: Scenario, game: SimulatedGame) -> None:
    """Where links take longer than the delay hides, and inputs change, somebody rolled back."""
    delay = max((event.delay for peer in game.peers.values() for event in peer.of(DelayChosen)), default=0)
    directions = [link.conditions for link in scenario.links] or [scenario.conditions]
    shortest = min(conditions.latency for conditions in directions)
    frames = min((len(peer.log) for peer in game.peers.values()), default=0)
    busy = scenario.inputs == "unique" or (scenario.inputs == "held" and frames >= 40)
    late = scenario.peers > 1 and frames >= 20 and shortest > (delay + 2) / scenario.fps
    if late and busy and not any(peer.depths for peer in game.peers.values()):
        raise BrokenInvariantError("late inputs roll back", "nobody did")
