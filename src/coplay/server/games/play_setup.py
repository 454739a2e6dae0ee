"""Builds the environment of each play scene once, to learn its seats, spaces and frame rate."""

import sys
from dataclasses import dataclass
from typing import Any

from coplay.data.spaces import describe_space
from coplay.envs import Environment, load_environment
from coplay.errors import CoplayError, StudyError
from coplay.study.keys import Keys
from coplay.study.scenes import MAX_PLAYERS, Play
from coplay.study.study import Study, check_group, group_size_at

DEFAULT_FPS = 30.0


@dataclass(frozen=True, slots=True)
class PlaySetup:
    """A play scene together with what its environment determines.

    Attributes:
        index: The scene's index in the study.
        scene: The scene.
        n_players: How many seats there are.
        humans: The seats of people, ascending.
        owners: For each seat, the person's seat that supplies its inputs: a person's own, or for a bot's seat
            that of the person whose page hosts the bot.
        fps: Frames a second.
        input_sizes: Bytes of each seat's input.
        spaces: Each seat's action space as JSON.
        env_name: The environment's name in the data.
        key_names: The keys that the page takes from the browser, as in `KeyboardEvent.key`.
    """

    index: int
    scene: Play
    n_players: int
    humans: tuple[int, ...]
    owners: tuple[int, ...]
    fps: float
    input_sizes: tuple[int, ...]
    spaces: tuple[dict[str, Any], ...]
    env_name: str
    key_names: tuple[str, ...]

    @property
    def countdown_frames(self) -> int:
        """How many frames of countdown come before each episode."""
        return round(self.scene.countdown_s * self.fps)


def build_play_setups(study: Study) -> dict[int, PlaySetup]:
    """Build the setups of a study's play scenes.

    Args:
        study: The study.

    Returns:
        Scene index → setup.

    Raises:
        CoplayError: An environment cannot be run, or does not fit its scene.
    """
    play_setups: dict[int, PlaySetup] = {}
    for index, scene in enumerate(study.scenes):
        if isinstance(scene, Play):
            try:
                play_setups[index] = _build(study, index, scene)
            except CoplayError as error:
                raise type(error)(f"scene {index}: {error.message}", error.hint) from error
    return play_setups


def _build(study: Study, index: int, scene: Play) -> PlaySetup:
    environment = load_environment(scene.env, render=scene.draw is None)
    if scene.draw is None:
        _check_picture(environment)
    n_players = environment.n_players
    if n_players > MAX_PLAYERS:
        raise StudyError(f"the environment has {n_players} players", f"A game has at most {MAX_PLAYERS}.")
    seatless = sorted(set(scene.bots) - set(range(n_players)))
    if seatless:
        raise StudyError(
            f"there is a bot for player {seatless[0]}, who does not exist",
            f"The environment has the players 0 to {n_players - 1}.",
        )
    humans = tuple(player for player in range(n_players) if player not in scene.bots)
    if not humans:
        raise StudyError("every seat belongs to a bot", "Leave at least one seat to a person.")
    if scene.players is not None and scene.players != len(humans):
        raise StudyError(
            f"players={scene.players}, but the environment has {n_players} seats and {len(scene.bots)} bots",
            f"Give a bot to every other seat, or leave players={scene.players} out.",
        )
    check_group(index, len(humans), group_size_at(study, index))
    # Bots are shared out among the people, so that no page computes all of them.
    hosts = {bot: humans[place % len(humans)] for place, bot in enumerate(sorted(scene.bots))}
    names = {name for player in humans for name in _checked_keys(environment, scene, player).names}
    return PlaySetup(
        index=index,
        scene=scene,
        n_players=n_players,
        humans=humans,
        owners=tuple(hosts.get(player, player) for player in range(n_players)),
        fps=float(scene.fps or environment.render_fps or DEFAULT_FPS),
        input_sizes=tuple(codec.size for codec in environment.codecs),
        spaces=tuple(describe_space(codec.space) for codec in environment.codecs),
        env_name=_name_of(scene.env),
        key_names=tuple(sorted(names)),
    )


def _check_picture(environment: Environment) -> None:
    """Check that an environment draws itself without pygame, before a participant meets a blank page."""
    hint = "Give the scene a draw function: draw=my_drawing, a function (env, canvas)."
    environment.reset(0)
    try:
        environment.render()
    except Exception as error:
        raise StudyError(f"the environment cannot draw itself ({error})", hint) from error
    if "pygame" in sys.modules:
        raise StudyError("the environment draws with pygame, which the browsers' Python lacks", hint)


def _checked_keys(environment: Environment, scene: Play, player: int) -> Keys:
    """Return a player's keys, after a check that the environment accepts each of their actions."""
    keys = scene.keys_for(player)
    for action in (keys.noop, *keys.mapping.values()):
        environment.codecs[player].encode(action)
    return keys


def _name_of(env: Any) -> str:
    if isinstance(env, str):
        return env
    if callable(env):
        return f"{getattr(env, '__module__', '')}:{getattr(env, '__qualname__', type(env).__name__)}"
    spec = getattr(env, "spec", None)
    return str(getattr(env, "id", "") or getattr(spec, "id", "") or type(env).__name__)
