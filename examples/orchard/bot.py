"""Bots for Orchard: one that spares some apples so that others grow back, and one that takes all."""

from orchard_env import APPLE, NEXT, SPOTS, STAY, Orchard

SPARED = 2


def pick(env: Orchard, player_id: int, spared: int = SPARED) -> int:
    """Choose an action from nothing but the state of the game.

    The bot walks the shortest way, around trees and other players, to the nearest apple that has enough
    others nearby, and waits if it can reach none.

    Args:
        env: The game.
        player_id: The player that the bot plays for, from 0.
        spared: The bot leaves apples that have fewer others than this within two cells, so that it never
            exhausts the orchard; 0 to take everything.

    Returns:
        One of Orchard's five actions, 0 to 4.
    """
    if env.walking[player_id]:
        return env.held[player_id]
    field, near = env.field, env.near
    if not any(field[spot] == APPLE and near[spot] >= spared for spot in SPOTS):
        return STAY
    start = env.place[player_id]
    # Breadth first: every cell is reached by a shortest way, and remembers that way's first step. Each bot
    # tries the directions in another order, so that bots that meet do not stay together.
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
    """Choose like `pick`, but spare no apples, which exhausts a commons."""
    return pick(env, player_id, spared=0)
