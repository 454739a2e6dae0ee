"""A peer whose process begins anew comes back into its seats, and nobody's history changes."""

import pytest
from tests.netcode.simulation import Conditions, SimulatedGame

from coplay.netcode import Rejoined


@pytest.mark.parametrize("loss", [0.0, 0.2])
@pytest.mark.parametrize("away", [0.0, 0.7])
@pytest.mark.parametrize("owners", [(0, 1), (0, 1, 2), (0, 1, 2, 1)], ids=str)
def test_returning_peer_plays_on_from_what_the_others_hold(
    owners: tuple[int, ...], away: float, loss: float
) -> None:
    for number in set(owners):
        game = SimulatedGame(
            owners=owners, frames=300, conditions=Conditions(latency=0.04, loss=loss), seed=3
        )
        game.plan((1.5, lambda game=game, number=number: game.kill(number)))
        game.plan((1.5 + away, lambda game=game, number=number: game.reload(number)))
        game.run()
        game.check_identical()
        (back,) = game.peers[number].of(Rejoined)
        assert 40 < back.frame < 110
        assert game.network.now < 12
