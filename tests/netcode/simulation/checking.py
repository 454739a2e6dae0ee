"""Checks of a game that has ended. Checks at every effect are in `peer`."""

from collections.abc import Iterable

from tests.netcode.simulation.game import SimulatedGame
from tests.netcode.simulation.peer import BrokenInvariantError, ToyPeer
from tests.netcode.simulation.scenario import (
    Corruption,
    Death,
    DelayChange,
    Goodbye,
    Reload,
    Scenario,
    Word,
)
from tests.netcode.simulation.toy_game import Script, ToyGame, held_keys, idle_hands, unique_inputs

from coplay.netcode import (
    DelayChosen,
    DesyncExplained,
    DesyncFound,
    DesyncLocated,
    Resynced,
    Running,
    SeatCut,
)

SCRIPTS = {"held": held_keys, "unique": unique_inputs, "idle": idle_hands}
REPAIR_S = 8.0
"""Long enough to locate a desync and to resync."""


def script_of(scenario: Scenario) -> Script:
    """Return the script of the scenario's players."""
    return SCRIPTS[scenario.inputs](scenario.seed, scenario.sizes)


def check(scenario: Scenario, game: SimulatedGame) -> None:
    """Check every invariant of a game that has ended.

    Raises:
        BrokenInvariantError: The netcode broke an invariant.
    """
    Examiner(scenario, game).check()


class Examiner:
    """The checks of one game.

    Args:
        scenario: The scenario that was played.
        game: The game after its end.
    """

    def __init__(self, scenario: Scenario, game: SimulatedGame) -> None:
        self._scenario = scenario
        self._game = game
        self._survivors = game.survivors()
        self._peers = list(game.peers.values())
        self._longest = max(self._peers, key=lambda peer: len(peer.log))
        dead = {death.peer for death in scenario.of(Death)}
        words = scenario.of(Word)
        self._torn = any(word.left not in dead for word in words)
        """True if a living peer was reported as gone."""
        self._unsure = any(not word.certain for word in words)
        self._corruptions = scenario.of(Corruption)
        self._goodbyes = {goodbye.peer for goodbye in scenario.of(Goodbye)}
        self._someone_left = bool(dead or words or self._goodbyes)

    def check(self) -> None:
        """Run all checks."""
        for peer in self._survivors:
            if peer.session.phase != "closed":
                raise BrokenInvariantError("every game ends", (peer.config.peer, peer.session.stats))
        self._check_verdicts()
        self._check_histories()
        self._check_cuts()
        if not self._scenario.of(DelayChange):
            self._check_truth()
        self._check_states()
        self._check_length()
        for peer in self._peers:
            if peer.session.stats.rollbacks != peer.depths.total():
                raise BrokenInvariantError("statistics count what happened", peer.session.stats)
        for corruption in self._corruptions:
            self._check_desyncs(corruption)
        self._check_that_it_proves_something()

    def _check_verdicts(self) -> None:
        verdicts = self._game.verdicts()
        found = {verdicts[peer.config.peer].verdict for peer in self._survivors}
        if self._corruptions:
            allowed = {"divergent"}
        elif self._someone_left:
            allowed = {"truncated", "identical", "unverified"}
        else:
            allowed = {"identical"}
        if not found <= allowed:
            raise BrokenInvariantError("verdicts", verdicts)
        for peer in self._survivors:
            if verdicts[peer.config.peer].last_frame != len(peer.log) - 1:
                raise BrokenInvariantError("verdicts name the last frame", verdicts)
        # If the game started at some peers only, the verdicts of the others differ rightly.
        found = {verdicts[peer.config.peer].verdict for peer in self._survivors if self._played(peer)}
        if not self._goodbyes and not self._torn and not self._unsure and len(found) > 1:
            raise BrokenInvariantError("one verdict", verdicts)
        hashes = {
            verdicts[peer.config.peer].chain_hash
            for peer in self._survivors
            if verdicts[peer.config.peer].verdict == "identical"
        }
        if len(hashes) > 1:
            raise BrokenInvariantError("one hash", verdicts)

    def _played(self, peer: ToyPeer) -> bool:
        """Return True if the game started at a peer, before its restart or after."""
        processes = [other for other in self._game.former if other.config.peer == peer.config.peer]
        return any(process.of(Running) for process in [*processes, peer])

    def _check_histories(self) -> None:
        longest = self._longest
        for peer in [*self._peers, *self._game.former]:
            if peer.log != longest.log[: len(peer.log)]:
                frame = next(at for at, inputs in enumerate(peer.log) if inputs != longest.log[at])
                who = peer.config.peer, longest.config.peer
                raise BrokenInvariantError("no two histories", (who, frame))
        if self._torn or self._unsure or (self._corruptions and self._scenario.on_desync == "end"):
            return
        staying = [
            peer
            for peer in self._survivors
            if peer.config.peer not in self._goodbyes and (self._played(peer) or not self._someone_left)
        ]
        lengths = {peer.config.peer: len(peer.log) for peer in staying}
        if len(set(lengths.values())) > 1:
            raise BrokenInvariantError("one last frame", lengths)

    def _check_cuts(self) -> None:
        """All peers that settled a seat settled it at the same frame."""
        fates = self._scenario.fates
        if (self._torn or self._unsure) and "end" in (fates or ("end",)):
            return
        cuts: dict[int, SeatCut] = {}
        for peer in self._peers:
            for cut in peer.of(SeatCut):
                if cuts.setdefault(cut.player, cut) != cut:
                    raise BrokenInvariantError("one cut", (cut, cuts[cut.player]))

    def _check_truth(self) -> None:
        """The log is what the players pressed, whatever the network did."""
        scenario, log = self._scenario, self._longest.log
        chosen = [event.delay for peer in self._peers for event in peer.of(DelayChosen)]
        if not log or not chosen:
            return
        cuts = {cut.player: cut for peer in self._peers for cut in peer.of(SeatCut)}
        former: dict[int, int] = {}
        for peer in self._game.former:
            former.setdefault(peer.config.peer, len(peer.log))
        script, delay = script_of(scenario), chosen[0]
        for player, size in enumerate(scenario.sizes):
            nothing = bytes(size)
            cut = cuts.get(player)
            own_through = cut.last_frame if cut is not None else len(log)
            # The last inputs of a process that ended may be lost; then the input before is repeated.
            sure_before = former.get(scenario.owners[player], len(log))
            before = nothing
            for frame, inputs in enumerate(log):
                value = inputs[player]
                pressed = script(player, frame - delay) if frame >= delay else nothing
                if frame <= own_through:
                    right = value == pressed or (frame >= sure_before and value == before)
                elif cut is not None and cut.fate == "default":
                    right = value == nothing
                else:
                    # Until another peer writes the seat, the last input is repeated.
                    right = value in (pressed, before)
                if not right:
                    what = (frame, player, value, pressed)
                    raise BrokenInvariantError("the log is what was pressed", what)
                before = value

    def _check_states(self) -> None:
        """Playing the log once, straight through, leads to the states that all peers hold."""
        game = ToyGame(self._scenario.frames, chance_end=self._scenario.chance_end)
        states = [game.state]
        for inputs in self._longest.log:
            game.step(inputs)
            states.append(game.state)
        if len({state.mix for state in states}) != len(states):
            raise BrokenInvariantError("the state changes", "this scenario proves nothing")
        for peer in self._peers:
            corrupted = [corruption.frame for corruption in self._corruptions]
            if peer.config.peer not in self._corrupted_peers():
                corrupted = []
            elif peer.resynced and 0 not in self._corrupted_at_first():
                corrupted = [*corrupted, -peer.resynced[-1]]
            for frame, value in peer.checksums.items():
                if not _is_corrupted(frame, corrupted) and value != game.checksum(states[frame]):
                    raise BrokenInvariantError("states follow from the log", (peer.config.peer, frame))
            if peer.session.phase != "closed" or not peer.states or peer.config.peer in self._goodbyes:
                continue
            if not _is_corrupted(len(peer.log), corrupted) and peer.game.state != states[len(peer.log)]:
                raise BrokenInvariantError("the end is the last state", peer.config.peer)

    def _corrupted_at_first(self) -> set[int]:
        return {corruption.peer for corruption in self._corruptions}

    def _corrupted_peers(self) -> set[int]:
        """The peers that held a wrong state, at least for a while."""
        peers = self._corrupted_at_first()
        if 0 in peers and self._scenario.on_desync == "resync":
            # Right or wrong, the others adopt the state of the lowest peer.
            return set(self._scenario.owners)
        return peers

    def _check_length(self) -> None:
        """Nothing ends early without a reason."""
        longest = self._longest
        ended = bool(longest.log) and longest.game.state.over
        fates = self._scenario.fates or ("end",) * len(self._scenario.owners)
        if self._corruptions and self._scenario.on_desync == "end":
            return
        if not self._someone_left:
            if not ended:
                raise BrokenInvariantError("games end when they are over", len(longest.log))
            return
        gone = {death.peer for death in self._scenario.of(Death)} | self._goodbyes
        goes_on = all(
            fate != "end" for fate, owner in zip(fates, self._scenario.owners, strict=True) if owner in gone
        )
        if self._torn or self._unsure or not goes_on or self._goodbyes:
            return
        if any(peer.of(Running) for peer in self._survivors) and not ended:
            began = [peer.config.peer for peer in self._survivors if peer.of(Running)]
            raise BrokenInvariantError("play goes on after a leave", (began, len(longest.log)))

    def _check_desyncs(self, corruption: Corruption) -> None:
        """A desync is found by both peers, at the first comparison after it happened."""
        interval = self._scenario.checksum_interval
        for peer in self._survivors:
            found = peer.of(DesyncFound)
            among = [event for event in found if corruption.peer in (event.peer, peer.config.peer)]
            # Peers that adopt the lowest peer's state one after the other differ meanwhile.
            others_may = corruption.peer == 0 and self._scenario.on_desync == "resync"
            if not among or (len(among) != len(found) and not others_may):
                raise BrokenInvariantError("desyncs are found where they are", (peer.config.peer, found))
            first = min(-(-corruption.frame // interval) * interval, len(peer.log))
            if any(event.frame != first for event in among[:1]):
                raise BrokenInvariantError("desyncs are found immediately", (found, first))
            for located in peer.of(DesyncLocated):
                if corruption.peer not in (located.peer, peer.config.peer):
                    continue
                right = corruption.frame if located.reproduced else first
                if located.frame != right:
                    raise BrokenInvariantError("desyncs are located", (located, corruption))
            for explained in peer.of(DesyncExplained):
                if explained.paths not in ((), ("mix",)):
                    raise BrokenInvariantError("desyncs are explained", explained)
        if self._scenario.on_desync == "resync":
            self._check_resync(corruption)

    def _check_resync(self, corruption: Corruption) -> None:
        """Peers that differ from the lowest one adopt its state, after which all states are equal."""
        peers = {peer.config.peer: peer for peer in self._survivors}
        takers = [peer for number, peer in peers.items() if number > 0]
        if corruption.peer > 0:
            takers = [peers[corruption.peer]]
        time_left = (len(self._longest.log) - corruption.frame) / self._scenario.fps
        for peer in self._survivors:
            taken = peer.of(Resynced)
            if peer not in takers and taken:
                raise BrokenInvariantError("only peers that differ resync", (peer.config.peer, taken))
            if peer in takers and not taken and time_left > REPAIR_S:
                raise BrokenInvariantError("desyncs are repaired", (peer.config.peer, time_left))
        if all(peer.resynced for peer in takers):
            states = {peer.config.peer: peer.game.state for peer in self._survivors}
            if len(set(states.values())) > 1:
                raise BrokenInvariantError("states are equal after a resync", states)

    def _check_that_it_proves_something(self) -> None:
        """If latency exceeds the delay and inputs change, some peer rolled back."""
        scenario, peers = self._scenario, self._peers
        delay = max((event.delay for peer in peers for event in peer.of(DelayChosen)), default=0)
        directions = [link.conditions for link in scenario.links] or [scenario.conditions]
        shortest = min(conditions.latency for conditions in directions)
        frames = min(len(peer.log) for peer in peers)
        busy = scenario.inputs == "unique" or (scenario.inputs == "held" and frames >= 40)
        late = scenario.peers > 1 and frames >= 20 and shortest > (delay + 2) / scenario.fps
        played_on = not scenario.of(Reload)
        if late and busy and played_on and not any(peer.depths for peer in peers):
            raise BrokenInvariantError("late inputs roll back", "nobody did")


def _is_corrupted(frame: int, bounds: Iterable[int]) -> bool:
    """Return True for a frame in a span of wrong states: from positive bounds on, up to negative ones."""
    begins = [bound for bound in bounds if bound > 0]
    ends = [-bound for bound in bounds if bound <= 0]
    return any(frame >= begin for begin in begins) and all(frame <= end for end in ends)
