"""The configuration of a new game: the message for its pages, and its row in the store."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from coplay.messages.game import SharedGameConfig
from coplay.server.games.play_setup import PlaySetup

PROTOCOL: Final = "1"


@dataclass(frozen=True, slots=True)
class StudyIdentity:
    """The study, code and runtime that all games of a server share, and that all peers must agree on.

    Attributes:
        study: The study's name.
        version: The study's version.
        code_hash: SHA-256 of the bundle of the study's code.
        lock_hash: SHA-256 of the browser runtime's lock.
        relay_only: True if players must not learn each other's addresses.
    """

    study: str
    version: str
    code_hash: str
    lock_hash: str
    relay_only: bool = False


def new_seed() -> int:
    """Return a random seed below 2**53, the largest range that JavaScript's numbers carry exactly."""
    return secrets.randbits(53)


def game_row(
    identity: StudyIdentity,
    setup: PlaySetup,
    game_id: str,
    group_id: str | None,
    seed: int,
    members: Mapping[int, str],
) -> dict[str, Any]:
    """Return the row of a game for the table `games`, without the columns that its end adds.

    Args:
        identity: The study, its code and its runtime.
        setup: The play scene.
        game_id: The game's id.
        group_id: The id of its group; None when one person plays.
        seed: The game's seed.
        members: `player_id` → participant.
    """
    scene = setup.scene
    return {
        "game_id": game_id,
        "group_id": group_id,
        "version": identity.version,
        "scene": setup.index,
        "label": scene.label,
        "seats": [
            {"player_id": player, "participant_id": members.get(player), "owner": setup.owners[player]}
            for player in range(setup.n_players)
        ],
        "input_sizes": list(setup.input_sizes),
        "codecs": list(setup.spaces),
        "seed": seed,
        "env": setup.env_name,
        "code_hash": identity.code_hash,
        "lock_hash": identity.lock_hash,
        "fps": setup.fps,
        "input_delay": None if scene.input_delay == "auto" else scene.input_delay,
        "window": scene.max_prediction,
        "episodes": scene.episodes,
        "max_frames": scene.max_frames,
        "countdown_frames": setup.countdown_frames,
    }


def game_config(identity: StudyIdentity, setup: PlaySetup, game_id: str, seed: int) -> SharedGameConfig:
    """Return the part of a game's configuration that all its pages share.

    Args:
        identity: The study, its code and its runtime.
        setup: The play scene.
        game_id: The game's id.
        seed: The game's seed.
    """
    scene = setup.scene
    return SharedGameConfig(
        game_id=game_id,
        scene_index=setup.index,
        owners=setup.owners,
        peers=setup.humans,
        seed=seed,
        fps=setup.fps,
        input_delay=scene.input_delay,
        max_prediction=scene.max_prediction,
        episodes=scene.episodes,
        max_frames=scene.max_frames,
        countdown_frames=setup.countdown_frames,
        when_left=scene.when_someone_leaves,
        on_desync=scene.on_desync,
        digest=_digest(identity, setup, seed),
        ice_policy="relay" if identity.relay_only else "all",
        epoch=0,
    )


def _digest(identity: StudyIdentity, setup: PlaySetup, seed: int) -> dict[str, str]:
    # Peers compare these texts before frame 0, so that two pages of different versions never play together.
    scene = setup.scene
    return {
        "protocol": PROTOCOL,
        "env": setup.env_name,
        "code": identity.code_hash,
        "runtime": identity.lock_hash,
        "fps": repr(setup.fps),
        "delay": str(scene.input_delay),
        "window": str(scene.max_prediction),
        "seed": str(seed),
        "players": ",".join(map(str, setup.owners)),
        "length": f"{scene.episodes}x{scene.max_frames}+{setup.countdown_frames}",
    }
