"""The state transfer probe: whether a game's state can be sent to a peer that comes back after a reload."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from coplay.check.probes.rollbacks import Inputs, new_game
from coplay.envs import Environment
from coplay.errors import StateTransferError

_COMPARED_FRAMES: Final = 40


def transfer_state(
    environment: Environment, inputs: Inputs, trace: Sequence[int], found: dict[str, Any]
) -> Iterator[float]:
    """Export the state in the middle of a game, import it into another game, and compare how both continue.

    Args:
        environment: The environment to play.
        inputs: The inputs of each frame.
        trace: The checksum before every frame.
        found: Receives `transfer`: `{bytes, error, frame, differing}`. `error` says why the state cannot be
            sent; `frame` is the first one after which the two games differ, or None.
    """
    transfer = found["transfer"] = {"bytes": None, "error": None, "frame": None, "differing": []}
    middle = len(inputs) // 2
    game = new_game(environment, len(inputs))
    game.start()
    for frame, given in enumerate(inputs[:middle]):
        game.step(given)
        yield frame / len(inputs)
    saved = game.save()
    try:
        data = game.export_state()
        transfer["bytes"] = len(data)
        other = new_game(environment, len(inputs))
        other.start()
        other.import_state(data)
    except StateTransferError as error:
        transfer["error"] = error.message
        return
    if other.checksum() != trace[middle]:
        transfer |= {"frame": middle, "differing": other.diff(saved, other.save())[:20]}
        return
    for frame, given in enumerate(inputs[middle : middle + _COMPARED_FRAMES], start=middle + 1):
        other.step(given)
        if other.checksum() != trace[frame]:
            transfer["frame"] = frame
            return
        yield frame / len(inputs)
