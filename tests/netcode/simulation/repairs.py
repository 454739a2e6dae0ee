"""What a toy peer does when states are exchanged or looked at again."""

from tests.netcode.simulation.toy_game import State, ToyGame

from coplay.netcode import CompareState, Examine, ExportState, ImportState, RollbackSession

_FRAME_BYTES, _MIX_BYTES = 4, 8
_LEAST = _FRAME_BYTES + _MIX_BYTES + 1


def write_state(state: State, size: int) -> bytes:
    """Return a state as bytes: at least 13, and padding up to `size`."""
    data = state.frame.to_bytes(_FRAME_BYTES, "little") + state.mix.to_bytes(_MIX_BYTES, "little")
    return (data + bytes((state.over,))).ljust(size, b"\x55")


def read_state(data: bytes) -> State | None:
    """Read what another peer wrote; None when it is no state."""
    if len(data) < _LEAST or data[_LEAST - 1] > 1 or data[_LEAST:].strip(b"\x55"):
        return None
    frame = int.from_bytes(data[:_FRAME_BYTES], "little")
    mix = int.from_bytes(data[_FRAME_BYTES : _LEAST - 1], "little")
    return State(frame, mix, bool(data[_LEAST - 1]))


class Repairs:
    """The rarer duties of one peer.

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
        """Stepping again shows the same flipped bit before this frame."""

    def keep(self, frame: int, state: State) -> int:
        """Keep a state that was hashed, until all peers have the same; return how many are kept."""
        oldest = self._session.oldest_compared
        for old in [old for old in self._checked if old < oldest]:
            del self._checked[old]
        self._checked[frame] = state
        return len(self._checked)

    def begin_with(self, frame: int, state: State) -> None:
        """Forget all; a game that was not seen from its beginning begins here."""
        self._checked = {frame: state}

    def examine(self, effect: Examine) -> None:
        """Step some frames again, and hash every state."""
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
        """Write a state for another peer."""
        state = (self._examined if effect.examined else self._states).get(effect.frame)
        data = None if state is None else write_state(state, self._state_size)
        self._session.state_exported(effect.peer, data)

    def compare(self, effect: CompareState) -> None:
        """Name what differs."""
        mine, theirs = self._examined.get(effect.frame), read_state(effect.data)
        paths = []
        if mine is not None and theirs is not None:
            paths = [name for name in State.__slots__ if getattr(mine, name) != getattr(theirs, name)]
        self._session.state_compared(effect.frame, paths)

    def import_state(self, effect: ImportState) -> State | None:
        """Return the state to take over; None, and the session was told, when the bytes are none."""
        state = read_state(effect.data)
        if state is None:
            self._session.state_refused(effect.frame)
        return state
