"""From a game's configuration, as the server sent it, to a driver that is ready to run."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from coplay.browser.controls import Controls
from coplay.browser.driver import Bot, Driver, Host
from coplay.browser.recorder import FrameRecorder
from coplay.browser.view import View
from coplay.envs import Environment, Game, load_environment
from coplay.netcode import Fate, RollbackSession, SessionConfig
from coplay.study.scenes import Play

_WARM_UP_FRAMES = 12


@dataclass(frozen=True, slots=True)
class PreparedScene:
    """A play scene made ready before its game is known, while the participant reads."""

    scene_index: int
    scene: Play
    environment: Environment
    view: View
    step_cost: float
    """Median seconds of one simulated frame with its snapshot, measured here."""


def prepare_scene(scene_index: int, scene: Play) -> PreparedScene:
    """Construct the scene's environment, step and draw it a few times, and measure."""
    environment = load_environment(scene.env, render=scene.draw is None)
    view = View(environment, scene.draw)
    game = Game(environment, seed=0, episodes=1)
    game.start()
    inputs = tuple(codec.default for codec in environment.codecs)
    costs = []
    for _ in range(_WARM_UP_FRAMES):
        started = time.perf_counter()
        game.step(inputs)
        game.save()
        costs.append(time.perf_counter() - started)
    view.draw()
    return PreparedScene(scene_index, scene, environment, view, sorted(costs)[len(costs) // 2])


def make_game(environment: Environment, config: Mapping[str, Any]) -> Game:
    """The simulation that `config` describes: in play, and in a replay of it."""
    return Game(
        environment,
        seed=config["seed"],
        episodes=config["episodes"],
        max_frames=config["max_frames"],
        countdown_frames=config["countdown_frames"],
    )


def link_epoch(incarnations: Mapping[int, int], one: int, other: int) -> int:
    """The number of two peers' connection: another one whenever the process at either end begins anew."""
    return (incarnations[one] + incarnations[other]) & 0xFF


def fate(scene: Play, player: int) -> Fate:
    """What becomes of a seat when the peer that writes it leaves."""
    if player in scene.bots:
        return "bot" if callable(scene.bots[player]) else "default"
    if scene.when_someone_leaves == "bot":
        return "bot" if callable(scene.substitute) else "default"
    return scene.when_someone_leaves


def make_driver(stage: PreparedScene, config: Mapping[str, Any], host: Host, now: float) -> Driver:
    """Seat this peer in the game that `config` describes.

    Args:
        stage: The prepared scene; its environment is reset by the game's own seed.
        config: The server's `game` message; fields in protocol/README.md.
        host: Sends datagrams and hears events.
        now: Monotonic seconds.
    """
    scene, environment = stage.scene, stage.environment
    peer: int = config["player_id"]
    stage.view.canvas.player_id = peer
    owners: tuple[int, ...] = tuple(config["owners"])
    seated = {player: Controls(scene.keys_for(player), environment.codecs[player]) for player in set(owners)}
    policies = {player: scene.bots.get(player, scene.substitute) for player in range(len(owners))}
    bots: dict[int, Bot] = {player: policy for player, policy in policies.items() if callable(policy)}
    incarnations = {int(player): count for player, count in config["incarnations"].items()}
    delay = config["input_delay"]
    session = RollbackSession(
        SessionConfig(
            owners=owners,
            peer=peer,
            default_inputs=tuple(
                seated[player].default if player in seated else codec.default
                for player, codec in enumerate(environment.codecs)
            ),
            fps=config["fps"],
            delay=None if delay == "auto" else int(delay),
            max_prediction=config["max_prediction"],
            epochs={other: link_epoch(incarnations, peer, other) for other in incarnations if other != peer},
            rejoining=config["rejoining"],
            fates=tuple(fate(scene, player) for player in range(len(owners))),
            on_desync=scene.on_desync,
            digest={**config["digest"], "spaces": ",".join(str(codec.size) for codec in environment.codecs)},
            step_cost=stage.step_cost,
        ),
        now,
    )
    recorder = FrameRecorder(peer, len(owners), incarnations[peer])
    return Driver(
        make_game(environment, config), session, recorder, {peer: seated[peer]}, bots, host, time.perf_counter
    )
