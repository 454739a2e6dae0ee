"""Plays a recorded game again, in the Python and the code that its browsers ran.

`coplay replay` calls `answer` under Node, one request after another. It is part of every bundle, so a game of
long ago is played by the coplay of its time. Requests and answers are JSON; bytes are base64, numbers in them
little endian.

| Request `do` | Has | Answer |
|---|---|---|
| `begin` | `modules study scene_index seed episodes max_frames countdown_frames input_sizes` | what plays |
| `step` | `inputs`, `checksums: [frame]` | `checksums: [[frame, 16 digits]]`, `rewards flags episodes` |

What plays is `agents`, `observation_spaces` (null for those that cannot be described), `draws` (`own` or
`environment`), and `knows`: what else `begin` may ask for. With `observe: true` each step's answer has `seen`
(see `watching`). With `screens: [player]`, and `draw: [frame]` in `step`, `drawn` (see `showing`). With
`imagines: true`, and `imagine: [[frame, player, first, inputs]]` in `step`, `imagined`: the player's
screen before the frame, had the frames from `first` on been played by these inputs instead.

A request that fails is answered by `{error, hint}`. Free of JavaScript, so that it is tested in CPython.
"""

import base64
import importlib
import json
from array import array
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from coplay.browser.replaying.environment_listener import EnvironmentListener, as_columns
from coplay.browser.replaying.screens import Screens
from coplay.browser.session_setup import make_game, prepare_scene
from coplay.data.batches import STEPPED, TERMINATED, TRUNCATED
from coplay.data.spaces import describe_space
from coplay.envs import Environment, SavedGame, wasm_stubs
from coplay.errors import CoplayError, StoreError, StudyError
from coplay.study import Study
from coplay.study.scenes import Play

PAST = 64
"""How many frames back what was shown by guesses may begin."""
_HINT = "The stored code belongs to other data, or the study depends on something that is not in its folder."


class Resimulation:
    """One game, played by its recorded inputs.

    Args:
        study: The study that it belongs to.
        order: The request `begin`.

    Raises:
        CoplayError: The study has no such game.
    """

    def __init__(self, study: Study, order: Mapping[str, Any]) -> None:
        index = order["scene_index"]
        scene = study.scenes[index] if 0 <= index < len(study.scenes) else None
        if not isinstance(scene, Play):
            raise StudyError(f"Scene {index} of the study is no play scene.", _HINT)
        # Prepared as in a browser, picture and all: what that leaves behind was there in the game, too.
        stage = prepare_scene(index, scene)
        sizes = [codec.size for codec in stage.environment.codecs]
        if sizes != order["input_sizes"]:
            raise StudyError(
                f"The inputs of the game are of {order['input_sizes']} bytes, not {sizes}.", _HINT
            )
        ends = [sum(sizes[: player + 1]) for player in range(len(sizes))]
        self._columns = [slice(end - size, end) for end, size in zip(ends, sizes, strict=True)]
        self._width = sum(sizes)
        self._frame = 0
        self._scene, self._environment = scene, stage.environment
        self._game = make_game(stage.environment, order)
        self._watcher = EnvironmentListener(stage.environment) if order.get("observe") else None
        self._screens = Screens(scene, stage.environment, order.get("screens", []))
        self._keeps_past = bool(order.get("imagines"))
        self._past: dict[int, tuple[int, SavedGame]] = {}
        self._game.start()

    def described(self) -> dict[str, Any]:
        """Who acts, what they see, and who draws it."""
        environment = self._environment
        return {
            "agents": [str(agent) for agent in environment.agents],
            "observation_spaces": _observation_spaces(environment),
            "knows": ["observe", "screens", "imagines"],
            "draws": "environment" if self._scene.draw is None else "own",
        }

    def step(
        self,
        inputs: bytes,
        wanted: Sequence[int],
        draw: Sequence[int] = (),
        imagine: Sequence[tuple[int, int, int, bytes]] = (),
    ) -> dict[str, Any]:
        """Play some frames.

        Args:
            inputs: Per frame, every player's input in order.
            wanted: The frames before which a checksum is asked for; also the one after the last.
            draw: The frames before which the screens are drawn; likewise.
            imagine: (frame, player, first, inputs) of what a screen showed by guesses; `first` is at most
                `PAST` frames ago.
        """
        game, frames, pictures = self._game, set(wanted), set(draw)
        rewards, flags, episodes = array("d"), bytearray(), array("H")
        checksums: list[tuple[int, str]] = []
        drawn: list[dict[str, Any]] = []
        imagined: list[dict[str, Any]] = []
        guesses: dict[int, list[tuple[int, int, bytes]]] = defaultdict(list)
        for frame, player, first, guess in imagine:
            guesses[frame].append((player, first, guess))

        def look() -> None:
            if self._frame in frames:
                checksums.append((self._frame, f"{game.checksum():016x}"))
            if self._frame in pictures:
                drawn.extend(self._screens.draw(game, self._frame))
            if self._keeps_past:
                self._past[self._frame % PAST] = (self._frame, game.save())
            for player, first, guess in guesses.pop(self._frame, ()):
                imagined.extend(self._imagine(player, first, guess))

        for offset in range(0, len(inputs), self._width):
            look()
            own = inputs[offset : offset + self._width]
            if self._watcher is not None:
                self._watcher.frame = self._frame
            row = game.step(self._split(own))
            stepped = STEPPED if row.stepped else 0
            rewards.extend(row.rewards)
            for terminated, truncated in zip(row.terminated, row.truncated, strict=True):
                flags.append(stepped | (TERMINATED if terminated else 0) | (TRUNCATED if truncated else 0))
            episodes.append(row.episode)
            self._frame += 1
        # The frame after the last of these is looked at here, or else when it is played.
        look()
        reply = {
            "checksums": checksums,
            "rewards": _text(rewards.tobytes()),
            "flags": _text(flags),
            "episodes": _text(episodes.tobytes()),
            "drawn": drawn,
            "imagined": imagined,
        }
        if self._watcher is not None:
            reply["seen"] = as_columns(self._watcher.take(), len(self._columns))
        return reply

    def _split(self, inputs: bytes) -> tuple[bytes, ...]:
        return tuple([inputs[column] for column in self._columns])

    def _imagine(self, player: int, first: int, inputs: bytes) -> list[dict[str, Any]]:
        """What a player's screen showed, were the last frames played by these inputs."""
        kept, past = self._past.get(first % PAST, (-1, None))
        if kept != first or past is None:
            return []
        game, now = self._game, self._game.save()
        game.load(past)
        for offset in range(0, len(inputs), self._width):
            game.step(self._split(inputs[offset : offset + self._width]))
        drawn = self._screens.draw(game, self._frame, [player])
        game.load(now)
        return drawn


def _observation_spaces(environment: Environment) -> list[dict[str, Any] | None]:
    env = environment.env
    several = hasattr(env, "possible_agents")
    found: list[dict[str, Any] | None] = []
    for agent in environment.agents:
        try:
            space = env.observation_space(agent) if several else env.observation_space
            found.append(describe_space(space))
        except (AttributeError, KeyError, NotImplementedError, StoreError):
            found.append(None)
    return found


_current: Resimulation | None = None


def answer(request_json: str) -> str:
    """Do what one request asks; see this module's header."""
    try:
        return json.dumps(_done(json.loads(request_json)))
    except CoplayError as error:
        return json.dumps({"error": error.message, "hint": error.hint})
    except Exception as error:
        return json.dumps({"error": f"The game stopped with {type(error).__name__}: {error}", "hint": _HINT})


def _done(request: Mapping[str, Any]) -> dict[str, Any]:
    global _current
    if request["do"] == "begin":
        wasm_stubs.install()  # before the study imports its environment
        _current = Resimulation(_find_study(request["modules"], request["study"]), request)
        return _current.described()
    if request["do"] == "step" and _current is not None:
        inputs = base64.b64decode(request["inputs"])
        imagine = [
            (frame, player, first, base64.b64decode(text))
            for frame, player, first, text in request.get("imagine", ())
        ]
        return _current.step(inputs, request["checksums"], request.get("draw", ()), imagine)
    raise StudyError(f"The request {request['do']!r} is not known, or comes before `begin`.", _HINT)


def _find_study(modules: Sequence[str], name: str) -> Study:
    """The study of this name in the first of `modules` that has it."""
    for module in modules:
        study = getattr(importlib.import_module(module), "study", None)
        if isinstance(study, Study) and study.name == name:
            return study
    raise StudyError(f"The stored code holds no study {name}.", _HINT)


def _text(data: bytes | bytearray) -> str:
    return base64.b64encode(data).decode("ascii")
