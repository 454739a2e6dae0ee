import pytest
from tests.netcode.simulation import State, ToyGame

from coplay.errors import SessionMisuseError
from coplay.netcode import Checksum, LoadState, SaveState, StateDiffers, Step, SyncTest


class Leaky(ToyGame):
    """Keeps a count outside of the state that is saved, from some frame on."""

    def __init__(self, frames: int, leaks_from: int) -> None:
        super().__init__(frames)
        self.leaks_from = leaks_from
        self.steps = 0

    def step(self, inputs: tuple[bytes, ...]) -> None:
        self.steps += 1
        super().step(inputs)
        if self.state.frame > self.leaks_from:
            self.state = State(self.state.frame, self.state.mix + self.steps)


def play(game: ToyGame, distance: int, frames: int) -> tuple[list[StateDiffers], int]:
    test, states, loads, found = SyncTest(distance), {}, 0, []
    for frame in range(frames):
        test.advance((bytes((frame,)), b"x"))
        for effect in test.effects():
            match effect:
                case LoadState(at):
                    game.state = states[at]
                    loads += 1
                case SaveState(at):
                    states[at] = game.state
                    test.state_saved(at, over=game.state.over)
                case Step(_, inputs):
                    game.step(inputs)
                case Checksum(at):
                    test.checksum_computed(at, game.checksum(states[at]))
        found += test.differences()
    assert test.over == game.state.over
    return found, loads


@pytest.mark.parametrize("distance", [1, 2, 7])
def test_deterministic_simulation_has_no_mismatch(distance: int) -> None:
    found, loads = play(ToyGame(40), distance, 50)
    assert found == []
    assert loads == 50 - distance + 1


@pytest.mark.parametrize("distance", [1, 2, 7])
def test_hidden_state_is_found_at_its_first_frame(distance: int) -> None:
    found, _ = play(Leaky(100, leaks_from=20), distance, 50)
    assert found[0].frame == 21
    assert found[0].first != found[0].again


def test_distance_of_zero_raises() -> None:
    with pytest.raises(SessionMisuseError):
        SyncTest(0)
