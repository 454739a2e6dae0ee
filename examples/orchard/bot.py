"""A player for Orchard that takes the nearest apple, always: what brings a commons down."""

from orchard_env import APPLE, NEXT, STAY, Orchard


def pick(env: Orchard, player_id: int) -> int:
    """Choose an action from the state of the game and from nothing else.

    It walks the shortest way to the nearest apple, around trees and other players, and waits where there is
    none to be reached.

    Args:
        env: The game.
        player_id: Which player it plays for, from 0.

    Returns:
        One of Orchard's five actions.
    """
    if env.walking[player_id]:
        return env.held[player_id]
    if not env.apples:
        return STAY
    start = env.place[player_id]
    field, taken = env.field, set(env.place)
    # Breadth first: every cell is reached by a shortest way, and remembers that way's first step. Bots try the
    # directions in different orders, so that those who meet part again.
    order = [1 + (player_id + turn) % 4 for turn in range(4)]
    seen = taken
    edge = []
    for action in order:
        cell = NEXT[start][action]
        if cell not in seen:
            seen.add(cell)
            edge.append((cell, action))
    for cell, first in edge:  # grows while it is read
        if field[cell] == APPLE:
            return first
        following = NEXT[cell]
        for action in order:
            beyond = following[action]
            if beyond not in seen:
                seen.add(beyond)
                edge.append((beyond, first))
    return STAY
