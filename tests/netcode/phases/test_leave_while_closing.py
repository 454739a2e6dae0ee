"""A peer that leaves in the closing phase reports one verdict only."""

import pytest
from tests.netcode.simulation import Conditions, SimulatedGame

from coplay.netcode import GameAgreed


@pytest.mark.parametrize("seed", range(5))
def test_goodbye_while_closing_gives_no_second_verdict(seed: int) -> None:
    game = SimulatedGame(frames=60, conditions=Conditions(latency=0.1, loss=0.1), seed=seed)
    game.run(until=0.5)
    peer = game.peers[0]
    while peer.session.phase == "running":
        game.run(until=game.network.now + 0.01)
    assert peer.session.phase == "closing"
    peer.leave(game.network.now)
    game.run()
    assert len(peer.of(GameAgreed)) == 1
