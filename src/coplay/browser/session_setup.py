"""Prepares a play scene, and builds the driver for a game as the server configured it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from coplay.browser.controls import Controls
from coplay.browser.driver import Bot, Driver, Host
from coplay.browser.frame_recorder import FrameRecorder
from coplay.browser.view import View
from coplay.envs import Environment, Game, load_environment
from coplay.messages.game import GameConfig, WatchConfig
from coplay.netcode import Fate, RollbackSession, SessionConfig
from coplay.study.scenes import Play

_WARM_UP_FRAMES = 12


@dataclass(frozen=True, slots=True)
class PreparedScene:
    """A play scene that is loaded before its game is known, while the participant reads."""

    scene_index: int
    """The scene's index in the study."""
    scene: Play
    """The scene."""
    environment: Environment
    """Its environment; each game resets it."""
    view: View
    """Draws the environment."""
    step_cost: float
    """Median seconds of one simulated frame with its snapshot, measured on this machine."""


def prepare_scene(scene_index: int, scene: Play) -> PreparedScene:
    """Load a scene's environment, step and draw it a few times, and measure it.

    Args:
        scene_index: The scene's index in the study.
        scene: The scene.
    """
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


def make_game(environment: Environment, config: GameConfig | WatchConfig) -> Game:
    """Create the simulation of a game that is played or watched."""
    return Game(
        environment,
        seed=config.seed,
        episodes=config.episodes,
        max_frames=config.max_frames,
        countdown_frames=config.countdown_frames,
    )


def link_epoch(incarnations: Mapping[int, int], one: int, other: int) -> int:
    """Return the epoch in two peers' datagrams; it changes whenever the process at either end is replaced.

    Args:
        incarnations: By player, how many pages held the seat before the current one.
        one: A peer.
        other: Another peer.
    """
    return (incarnations[one] + incarnations[other]) & 0xFF


def seat_fate(scene: Play, player: int) -> Fate:
    """Return the fate of a seat after the peer that supplies its inputs has left."""
    if player in scene.bots:
        return "bot" if callable(scene.bots[player]) else "default"
    if scene.when_someone_leaves == "bot":
        return "bot" if callable(scene.substitute) else "default"
    return scene.when_someone_leaves


def make_driver(prepared: PreparedScene, config: GameConfig, host: Host, now: float) -> Driver:
    """Create the driver of this peer in a game.

    Args:
        prepared: The scene.
        config: The game, as the server configured it.
        host: Sends datagrams and receives events.
        now: Monotonic seconds.
    """
    scene, environment = prepared.scene, prepared.environment
    peer, owners = config.player_id, config.owners
    prepared.view.canvas.player_id = peer
    seated = {player: Controls(scene.keys_for(player), environment.codecs[player]) for player in set(owners)}
    policies = {player: scene.bots.get(player, scene.substitute) for player in range(len(owners))}
    bots: dict[int, Bot] = {player: policy for player, policy in policies.items() if callable(policy)}
    incarnations = {int(player): count for player, count in config.incarnations.items()}
    session = RollbackSession(
        SessionConfig(
            owners=owners,
            peer=peer,
            # A person's seat begins with the action of no keys, which may differ from the codec's default.
            default_inputs=tuple(
                seated[player].default if player in seated else codec.default
                for player, codec in enumerate(environment.codecs)
            ),
            fps=config.fps,
            delay=None if config.input_delay == "auto" else int(config.input_delay),
            max_prediction=config.max_prediction,
            epochs={other: link_epoch(incarnations, peer, other) for other in incarnations if other != peer},
            rejoining=config.rejoining,
            fates=tuple(seat_fate(scene, player) for player in range(len(owners))),
            on_desync=scene.on_desync,
            digest={**config.digest, "spaces": ",".join(str(codec.size) for codec in environment.codecs)},
            step_cost=prepared.step_cost,
        ),
        now,
    )
    recorder = FrameRecorder(peer, len(owners), incarnations[peer])
    return Driver(
        make_game(environment, config), session, recorder, {peer: seated[peer]}, bots, host, time.perf_counter
    )
