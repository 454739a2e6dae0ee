"""Performs the rare effects of a session that send, load and examine states."""

from coplay.envs import Game, SavedGame
from coplay.errors import StateTransferError
from coplay.netcode import CompareState, Examine, ExportState, ImportState, RollbackSession


class StateExchange:
    """The states that a peer exports, imports, and compares with those of others.

    Args:
        game: The simulation.
        session: The netcode of this peer.
        states: The driver's saved states, by the frame that they are about to step; imported ones are added.
    """

    def __init__(self, game: Game, session: RollbackSession, states: dict[int, SavedGame]) -> None:
        self._game = game
        self._session = session
        self._states = states
        self._checked: dict[int, SavedGame] = {}
        self._examined: dict[int, SavedGame] = {}

    def keep(self, frame: int, saved: SavedGame) -> None:
        """Keep a state that an examination may start from, until it is known to be equal at all peers.

        Args:
            frame: The frame that the state is about to step: 0, or one whose state was hashed.
            saved: The state.
        """
        self._checked[frame] = saved
        oldest = self._session.oldest_compared
        for old in [old for old in self._checked if old < oldest]:
            del self._checked[old]

    def export_state(self, effect: ExportState) -> None:
        """Encode a state for another peer."""
        saved = (self._examined if effect.examined else self._states).get(effect.frame)
        try:
            data = None if saved is None else self._game.export_state(saved)
        except StateTransferError:
            data = None
        self._session.state_exported(effect.peer, data)

    def import_state(self, effect: ImportState) -> bool:
        """Load another peer's state; return True if it could be decoded."""
        game, frame = self._game, effect.frame
        try:
            game.import_state(effect.data)
        except StateTransferError:
            self._session.state_refused(frame)
            return False
        self._states[frame] = saved = game.save()
        self.keep(frame, saved)
        self._session.state_imported(frame, over=game.over)
        return True

    def examine(self, effect: Examine) -> None:
        """Step some frames again from a kept state, and hash every state."""
        game, current = self._game, self._game.save()
        self._examined = {}
        first = self._checked.get(effect.frame)
        if first is not None:
            game.load(first)
            for frame, inputs in enumerate(effect.inputs, start=effect.frame + 1):
                game.step(inputs)
                self._examined[frame] = game.save()
            game.load(current)
        self._session.examined(effect.frame, [game.checksum(saved) for saved in self._examined.values()])

    def compare(self, effect: CompareState) -> None:
        """Find the attributes that differ between a state of the last examination and another peer's."""
        game, current = self._game, self._game.save()
        mine, paths = self._examined.get(effect.frame), list[str]()
        if mine is not None:
            try:
                game.import_state(effect.data)
                paths = game.diff(mine, game.save())
            except StateTransferError:
                pass  # a state that cannot be decoded cannot be compared
            game.load(current)
        self._session.state_compared(effect.frame, paths)
