"""Times a snapshot, its checksum and `copy.deepcopy` of the same state, in the Python that runs this file.

It runs in CPython and in the browsers' Python, so it imports only `coplay.envs`.
"""

import copy
import json
import random
import time
import types
from typing import Any

from coplay.envs import Game, load_environment

_WARM_UP = 8
_TIMES = 8
_clock = time.perf_counter


def answer(request_json: str) -> str:
    """Play a game, and time the snapshot and checksum of each frame's state.

    Args:
        request_json: `{environment, frames, rounds}`.

    Returns:
        JSON: microseconds `snapshot checksum restore deepcopy deepcopy_all`, each the median over the frames
        of the least over the rounds, interleaved. `deepcopy` is of the environment with its wrappers and the
        last observations; `deepcopy_all` also of what closures and watched globals hold, which it leaves out.
    """
    return json.dumps(_timed(**json.loads(request_json)))


def _timed(environment: str, frames: int, rounds: int) -> dict[str, float]:
    game = Game(load_environment(environment), seed=1, episodes=1000)
    game.start()
    source = random.Random(1)
    samples: dict[str, list[float]] = {}
    for frame in range(_WARM_UP + frames):
        game.step(tuple([codec.sample(source) for codec in game.environment.codecs]))
        if frame >= _WARM_UP:
            for name, least in _of_this_state(game, rounds).items():
                samples.setdefault(name, []).append(least)
    return {name: 1e6 * sorted(taken)[len(taken) // 2] for name, taken in samples.items()}


def _of_this_state(game: Game, rounds: int) -> dict[str, float]:
    walk = game._walk
    snapshot = walk.take()
    saved = game.save()
    shown = (game.environment.env, game.environment.live)
    everything = (*shown, *_out_of_reach(snapshot))
    parts: dict[str, Any] = {
        "snapshot": walk.take,
        "checksum": lambda: game.checksum(saved),
        "restore": lambda: walk.restore(snapshot),
        "deepcopy": lambda: copy.deepcopy(shown),
        "deepcopy_all": lambda: copy.deepcopy(everything),
    }
    least = dict.fromkeys(parts, 1e9)
    for _ in range(rounds):
        for name, part in parts.items():
            # Short calls are timed several at a time, because reading the clock takes as long as one. Deep
            # copies are timed singly, or the collection of their garbage would be included.
            times = 1 if name.startswith("deepcopy") else _TIMES
            began = _clock()
            for _ in range(times):
                part()
            least[name] = min(least[name], (_clock() - began) / times)
    return least


def _out_of_reach(snapshot: Any) -> list[Any]:
    """Return what the walk saves but a deep copy shares: the contents of cells and namespaces."""
    found: list[Any] = []
    for kind, _holder, contents in snapshot.records:
        if kind.name == "cell" and not isinstance(contents, types.ModuleType):
            found.append(contents)
        elif kind.name == "namespace":
            found += contents
    return found
