"""Players for Orchard: one that leaves some apples to grow back from, and one that leaves none."""

from orchard_env import APPLE, NEXT, SPOTS, STAY, Orchard

SPARED = 2


def pick(env: Orchard, player_id: int, spared: int = SPARED) -> int:
    """Choose an action from the state of the game and from nothing else.

    It walks the shortest way, around trees and other players, to the nearest apple that has enough others
    nearby, and waits where there is none to be reached.

    Args:
        env: The game.
        player_id: Which player it plays for, from 0.
        spared: It leaves apples that have fewer others within two cells. So nobody who plays on with it finds
            the orchard bare on its account; 0 makes it take everything.

    Returns:
        One of Orchard's five actions.
    """
    if env.walking[player_id]:
        return env.held[player_id]
    field, near = env.field, env.near
    if not any(field[spot] == APPLE and near[spot] >= spared for spot in SPOTS):
        return STAY
    start = env.place[player_id]
    # Breadth first: every cell is reached by a shortest way, and remembers that way's first step. Bots try
    # the directions in different orders, so that those who meet part again.
    order = [1 + (player_id + turn) % 4 for turn in range(4)]
    seen = set(env.place)
    edge = []
    for action in order:
        cell = NEXT[start][action]
        if cell not in seen:
            seen.add(cell)
            edge.append((cell, action))
    for cell, first in edge:  # grows while it is read
        if field[cell] == APPLE and near[cell] >= spared:
            return first
        following = NEXT[cell]
        for action in order:
            beyond = following[action]
            if beyond not in seen:
                seen.add(beyond)
                edge.append((beyond, first))
    return STAY


def grab(env: Orchard, player_id: int) -> int:
    """Choose as `pick` does, and leave nothing: what brings a commons down."""
    return pick(env, player_id, spared=0)
