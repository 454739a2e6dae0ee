"""A simulated network on a virtual clock, and toy peers that check every promise of the netcode on it.

How to use it: README.md in this folder.
"""

from tests.netcode.simulation.footprint import footprint
from tests.netcode.simulation.game import SimulatedGame
from tests.netcode.simulation.network import Conditions, Network
from tests.netcode.simulation.peer import BrokenInvariantError, ToyPeer, configure
from tests.netcode.simulation.toy_game import (
    Script,
    State,
    ToyGame,
    held_keys,
    idle_hands,
    unique_inputs,
)

__all__ = [
    "BrokenInvariantError",
    "Conditions",
    "Network",
    "Script",
    "SimulatedGame",
    "State",
    "ToyGame",
    "ToyPeer",
    "configure",
    "footprint",
    "held_keys",
    "idle_hands",
    "unique_inputs",
]
