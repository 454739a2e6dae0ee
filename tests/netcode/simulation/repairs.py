"""A toy peer's answers to effects that export, import, compare and re-simulate states."""

from tests.netcode.simulation.toy_game import State, ToyGame

from coplay.netcode import CompareState, Examine, ExportState, ImportState, RollbackSession

_FRAME_BYTES, _MIX_BYTES = 4, 8
_LEAST = _FRAME_BYTES + _MIX_BYTES + 1


def write_state(state: State, size: int) -> bytes:
    """Return a state as bytes: at least 13, and padding up to `size`."""
    data = state.frame.to_bytes(_FRAME_BYTES, "little") + state.mix.to_bytes(_MIX_BYTES, "little")
    return (data + bytes((state.over,))).ljust(size, b"\x55")


def read_state(data: bytes) -> State | None:
    """Decode a state from another peer, or return None if the bytes are not a state."""
    if len(data) < _LEAST or data[_LEAST - 1] > 1 or data[_LEAST:].strip(b"\x55"):
        return None
    frame = int.from_bytes(data[:_FRAME_BYTES], "little")
    mix = int.from_bytes(data[_FRAME_BYTES : _LEAST - 1], "little")
    return State(frame, mix, bool(data[_LEAST - 1]))


class Repairs:
    """The answers of one peer to the rarer effects.

    Args:
        session: Its session.
        game: Its simulation.
        states: Its saved states, by the frame that they are about to step.
        state_size: How many bytes a written state takes, at least.
    """

    def __init__(
        self, session: RollbackSession, game: ToyGame, states: dict[int, State], state_size: int
    ) -> None:
        self._session = session
        self._game = game
        self._states = states
        self._state_size = state_size
        self._checked: dict[int, State] = {0: game.state}
        self._examined: dict[int, State] = {}
        self.corrupt_at: int | None = None
        """Re-simulation reproduces the flipped bit before this frame."""

    def keep(self, frame: int, state: State) -> int:
        """Keep a hashed state until all peers have an equal one; return how many are kept."""
        oldest = self._session.oldest_compared
        for old in [old for old in self._checked if old < oldest]:
            del self._checked[old]
        self._checked[frame] = state
        return len(self._checked)

    def begin_with(self, frame: int, state: State) -> None:
        """Drop all states and start with the one of a snapshot."""
        self._checked = {frame: state}

    def examine(self, effect: Examine) -> None:
        """Re-simulate some frames, and hash every state."""
        self._examined = {}
        state = self._checked.get(effect.frame)
        if state is not None:
            game = ToyGame(self._game.frames, chance_end=self._game.chance_end)
            game.state = state
            for frame, inputs in enumerate(effect.inputs, start=effect.frame + 1):
                game.step(inputs)
                if frame == self.corrupt_at:
                    game.state = game.state.corrupted()
                self._examined[frame] = game.state
        checksums = [self._game.checksum(state) for state in self._examined.values()]
        self._session.examined(effect.frame, checksums)

    def export_state(self, effect: ExportState) -> None:
        """Export a state for another peer."""
        state = (self._examined if effect.examined else self._states).get(effect.frame)
        data = None if state is None else write_state(state, self._state_size)
        self._session.state_exported(effect.peer, data)

    def compare(self, effect: CompareState) -> None:
        """Report what differs."""
        mine, theirs = self._examined.get(effect.frame), read_state(effect.data)
        paths = []
        if mine is not None and theirs is not None:
            paths = [name for name in State.__slots__ if getattr(mine, name) != getattr(theirs, name)]
        self._session.state_compared(effect.frame, paths)

    def import_state(self, effect: ImportState) -> State | None:
        """Return the state to adopt; for bytes that are not a state, tell the session and return None."""
        state = read_state(effect.data)
        if state is None:
            self._session.state_refused(effect.frame)
        return state
