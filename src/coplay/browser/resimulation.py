"""Plays a recorded game again, in the Python and with the code that its browsers ran.

`coplay replay` calls `answer` under Node, one request after another. This module is part of every bundle, so
that an old game is played by the coplay of its time: the module's name, `answer`, and the protocol below must
not change. Requests and answers are JSON; bytes are base64, with numbers in little endian.

| Request `do` | Has | Answer |
|---|---|---|
| `begin` | `modules study scene_index seed episodes max_frames countdown_frames input_sizes` | description |
| `step` | `inputs`, `checksums: [frame]` | `checksums: [[frame, 16 digits]]`, `rewards flags episodes` |

The description has `agents`, `observation_spaces` (null for spaces that cannot be described), `draws` (`own`
or `environment`), and `knows`: the options of `begin` that this version understands.

| Option of `begin` | Option of `step` | Adds to the answer of `step` |
|---|---|---|
| `observe: true` | | `seen`: see `replaying.environment_listener` |
| `screens: [player]` | `draw: [frame]` | `drawn`: see `replaying.screens` |
| `imagines: true` | `imagine: [[frame, player, first, inputs]]` | `imagined`: see below |

`imagined` is the player's screen before the frame if these inputs had been played from the frame `first` on.

A request that fails is answered by `{error, hint}`. The module needs no JavaScript, and is tested in CPython.
"""

import base64
import importlib
import json
from array import array
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from coplay.browser.replaying.environment_listener import EnvironmentListener, as_columns
from coplay.browser.replaying.screens import Screens
from coplay.browser.session_setup import prepare_scene
from coplay.data.batches import STEPPED, TERMINATED, TRUNCATED
from coplay.data.spaces import describe_space
from coplay.envs import Environment, FrameRow, Game, SavedGame, wasm_stubs
from coplay.errors import CoplayError, StoreError, StudyError
from coplay.study import Study
from coplay.study.scenes import Play

PAST = 64
"""The longest time between `first` and `frame` of an imagined screen, in frames."""
_HINT = "The stored code belongs to other data, or the study depends on something that is not in its folder."


class Resimulation:
    """One game, played by its recorded inputs.

    Args:
        study: The study that the game belongs to.
        order: The request `begin`.

    Raises:
        CoplayError: The study has no such game.
    """

    def __init__(self, study: Study, order: Mapping[str, Any]) -> None:
        index = order["scene_index"]
        scene = study.scenes[index] if 0 <= index < len(study.scenes) else None
        if not isinstance(scene, Play):
            raise StudyError(f"Scene {index} of the study is not a play scene.", _HINT)
        # Prepared as in a browser, picture included: the first drawing may change an environment's state.
        prepared = prepare_scene(index, scene)
        sizes = [codec.size for codec in prepared.environment.codecs]
        if sizes != order["input_sizes"]:
            raise StudyError(
                f"The game's inputs have {order['input_sizes']} bytes, the study's have {sizes}.", _HINT
            )
        ends = [sum(sizes[: player + 1]) for player in range(len(sizes))]
        self._columns = [slice(end - size, end) for end, size in zip(ends, sizes, strict=True)]
        self._width = sum(sizes)
        self._frame = 0
        self._scene, self._environment = scene, prepared.environment
        self._game = Game(
            prepared.environment,
            seed=order["seed"],
            episodes=order["episodes"],
            max_frames=order["max_frames"],
            countdown_frames=order["countdown_frames"],
        )
        self._listener = EnvironmentListener(prepared.environment) if order.get("observe") else None
        self._screens = Screens(scene, prepared.environment, order.get("screens", []))
        self._keeps_past = bool(order.get("imagines"))
        self._past: dict[int, tuple[int, SavedGame]] = {}
        self._game.start()

    def description(self) -> dict[str, Any]:
        """Return the answer to `begin`."""
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
        """Play some frames, and return the answer to `step`.

        Args:
            inputs: Per frame, every player's input in order.
            wanted: The frames before which a checksum is taken; the frame after the last one is allowed.
            draw: The frames before which the screens are drawn; likewise.
            imagine: (frame, player, first, inputs) of screens that showed predicted inputs; `first` is at
                most `PAST` frames before `frame`.
        """
        game, frames, pictures = self._game, set(wanted), set(draw)
        rewards, flags, episodes = array("d"), bytearray(), array("H")
        checksums: list[tuple[int, str]] = []
        drawn: list[dict[str, Any]] = []
        imagined: list[dict[str, Any]] = []
        guesses: dict[int, list[tuple[int, int, bytes]]] = defaultdict(list)
        for frame, player, first, guess in imagine:
            guesses[frame].append((player, first, guess))

        def examine() -> None:
            if self._frame in frames:
                checksums.append((self._frame, f"{game.checksum():016x}"))
            if self._frame in pictures:
                drawn.extend(self._screens.draw(game, self._frame))
            if self._keeps_past:
                self._past[self._frame % PAST] = (self._frame, game.save())
            for player, first, guess in guesses.pop(self._frame, ()):
                imagined.extend(self._imagine(player, first, guess))

        for offset in range(0, len(inputs), self._width):
            examine()
            frame_inputs = inputs[offset : offset + self._width]
            if self._listener is not None:
                self._listener.frame = self._frame
            row = game.step(self._split(frame_inputs))
            rewards.extend(row.rewards)
            flags.extend(_flags_of(row))
            episodes.append(row.episode)
            self._frame += 1
        # The state after the last frame belongs to this request as well as to the next.
        examine()
        reply = {
            "checksums": checksums,
            "rewards": _text(rewards.tobytes()),
            "flags": _text(flags),
            "episodes": _text(episodes.tobytes()),
            "drawn": drawn,
            "imagined": imagined,
        }
        if self._listener is not None:
            reply["seen"] = as_columns(self._listener.take(), len(self._columns))
        return reply

    def _split(self, inputs: bytes) -> tuple[bytes, ...]:
        return tuple([inputs[column] for column in self._columns])

    def _imagine(self, player: int, first: int, inputs: bytes) -> list[dict[str, Any]]:
        """Draw a player's screen as it would be if the last frames had been played by these inputs."""
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


def _flags_of(row: FrameRow) -> Iterator[int]:
    stepped = STEPPED if row.stepped else 0
    for terminated, truncated in zip(row.terminated, row.truncated, strict=True):
        yield stepped | (TERMINATED if terminated else 0) | (TRUNCATED if truncated else 0)


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
    """Answer one request; see this module's header."""
    try:
        return json.dumps(_done(json.loads(request_json)))
    except CoplayError as error:
        return json.dumps({"error": error.message, "hint": error.hint})
    except Exception as error:  # noqa: BLE001 (the study's own code may raise anything)
        return json.dumps({"error": f"The game stopped with {type(error).__name__}: {error}", "hint": _HINT})


def _done(request: Mapping[str, Any]) -> dict[str, Any]:
    global _current
    if request["do"] == "begin":
        wasm_stubs.install()  # before the study imports its environment
        _current = Resimulation(_find_study(request["modules"], request["study"]), request)
        return _current.description()
    if request["do"] == "step" and _current is not None:
        inputs = base64.b64decode(request["inputs"])
        imagine = [
            (frame, player, first, base64.b64decode(text))
            for frame, player, first, text in request.get("imagine", ())
        ]
        return _current.step(inputs, request["checksums"], request.get("draw", ()), imagine)
    raise StudyError(f"The request {request['do']!r} is unknown, or came before `begin`.", _HINT)


def _find_study(modules: Sequence[str], name: str) -> Study:
    """Return the study of this name from the first module that defines it."""
    for module in modules:
        study = getattr(importlib.import_module(module), "study", None)
        if isinstance(study, Study) and study.name == name:
            return study
    raise StudyError(f"The stored code has no study named {name}.", _HINT)


def _text(data: bytes | bytearray) -> str:
    return base64.b64encode(data).decode("ascii")
