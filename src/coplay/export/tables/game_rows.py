"""The rows of one game in each table, derived from its log and batches."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from coplay.data.batches import STEPPED, TERMINATED, TRUNCATED, FrameBatch
from coplay.data.games.actions import ActionDecoder
from coplay.data.games.game_log import GameLog
from coplay.envs.taming import derive_seed
from coplay.export.reading import StoredGame

Columns = Mapping[str, Any]

_COUNTS = (
    "rollbacks",
    "resimulated_frames",
    "stalled_frames",
    "packets_sent",
    "bytes_sent",
)
_PATH_COUNTS = ("path_bytes_sent", "path_bytes_received", "buffered_amount")


def game_row(stored: StoredGame, log: GameLog) -> dict[str, Any]:
    """Return the game's row of the table `games`."""
    row = dict(stored.row)
    delays = {report.get("delay") for report in stored.reports if _whole(report.get("delay")) is not None}
    row["input_delay"] = delays.pop() if len(delays) == 1 else None
    row["logs"] = [
        {"player_id": peer, "frames": int(copy.has.sum()), "sha256": copy.sha256()}
        for peer, copy in log.peers.items()
    ]
    cuts = row.get("cuts") or {}
    row["cuts"] = [{"player_id": int(player), **cut} for player, found in cuts.items() for cut in found]
    return row


def input_columns(stored: StoredGame, log: GameLog, actions: ActionDecoder, player: int) -> Columns:
    """Return the columns of a player's rows of the table `inputs`.

    Args:
        stored: The game.
        log: The log of the game.
        actions: Decodes inputs into the actions of all games.
        player: The player.
    """
    frames = log.has.nonzero()[0]
    inputs = log.inputs_of(player)
    owner = stored.owner(player)
    guessed, lasted = log.guesses(player, owner)
    return {
        "game_id": [stored.game_id] * len(frames),
        "frame": frames,
        "player_id": [player] * len(frames),
        "action": actions.decode(stored.row["codecs"][player], inputs),
        "input": inputs,
        "confirmed_at_ms": log.confirmed_at_ms(owner),
        "shown_as_predicted": guessed,
        "corrected_after_frames": lasted,
    }


def stepped_frames(log: GameLog) -> Any:
    """Return the frames in which the environment was stepped."""
    return (log.has & np.any(log.flags & STEPPED, axis=1)).nonzero()[0]


def step_columns(stored: StoredGame, log: GameLog, player: int, inputs: Columns) -> Columns:
    """Return the columns of a player's rows of the table `steps`.

    Args:
        stored: The game.
        log: The log of the game.
        player: The player.
        inputs: What `input_columns` returned for the same player.
    """
    steps = stepped_frames(log)
    used = np.isin(inputs["frame"], steps)
    return {
        "game_id": [stored.game_id] * len(steps),
        "episode": log.episodes[steps],
        "frame": steps,
        "player_id": [player] * len(steps),
        "action": [action for action, wanted in zip(inputs["action"], used, strict=True) if wanted],
        "reward": log.rewards[steps, player],
        "terminated": (log.flags[steps, player] & TERMINATED).astype(bool),
        "truncated": (log.flags[steps, player] & TRUNCATED).astype(bool),
    }


def episode_rows(stored: StoredGame, log: GameLog) -> Iterator[dict[str, Any]]:
    """Yield the game's rows of the table `episodes`."""
    steps = stepped_frames(log)
    for episode in sorted({int(number) for number in log.episodes[steps]}):
        own = steps[log.episodes[steps] == episode]
        last = log.flags[own[-1]]
        ended = "terminated" if np.any(last & TERMINATED) else "truncated"
        if not np.any(last & (TERMINATED | TRUNCATED)):
            ended = "unfinished"
        yield {
            "game_id": stored.game_id,
            "episode": episode,
            "seed": episode_seed(stored.row["seed"], episode),
            "first_frame": int(own[0]),
            "last_frame": int(own[-1]),
            "ended_how": ended,
            "returns": log.rewards[own].sum(axis=0).tolist(),
        }


def episode_seed(seed: int, episode: int) -> int:
    """Return the seed that the environment's reset was given in an episode."""
    return derive_seed(seed, "episode", episode) & 0x7FFFFFFF


def browser_events(stored: StoredGame, batches: Sequence[FrameBatch]) -> Iterator[dict[str, Any]]:
    """Yield the events that browsers recorded in this game, as rows of the table `events`."""
    for batch in batches:
        for event in batch.events:
            yield {
                "study": stored.row["study"],
                "participant_id": stored.people.get(batch.peer),
                "game_id": stored.game_id,
                "player_id": batch.peer,
                "source": "browser",
                "utc": _text(event.get("utc")),
                "ms": _number(event.get("t_ms")),
                "kind": _kind(event.get("kind")),
                "detail": json.dumps(event.get("detail", {})),
            }


def net_rows(stored: StoredGame, batches: Sequence[FrameBatch]) -> Iterator[dict[str, Any]]:
    """Yield the game's rows of the table `net`."""
    for batch in batches:
        for row in batch.net:
            yield from _links_of(stored, batch.peer, row)


def _links_of(stored: StoredGame, player: int, row: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    common = {
        "game_id": stored.game_id,
        "participant_id": stored.people.get(player),
        "player_id": player,
        "utc": _text(row.get("utc")),
        "ms": _number(row.get("t_ms")),
        **{name: _whole(row.get(name)) for name in _COUNTS},
    }
    peers = row.get("peers")
    links = peers if isinstance(peers, dict) and peers else {str(row.get("peer", "")): row}
    for peer, link in links.items():
        if isinstance(link, dict):
            yield {
                **common,
                "peer": int(peer) if peer.isdecimal() else None,
                **{
                    name: _number(link.get(name))
                    for name in ("rtt_ms", "jitter_ms", "loss", "browser_rtt_ms")
                },
                **{name: _whole(link.get(name)) for name in _PATH_COUNTS},
                "link": _text(link.get("link", row.get("link"))),
            }


def _kind(value: object) -> str | None:
    """Return a kind of event in snake case; browsers name the netcode's events by their classes."""
    text = _text(value)
    return None if text is None else re.sub(r"(?<=[a-z])(?=[A-Z])", "_", text).lower()


# Figures and events from browsers are untrusted: a value of another type becomes a missing value.


def _text(value: object) -> str | None:
    return value[:1000] if isinstance(value, str) else None


def _number(value: object) -> float | None:
    usable = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**62
    return float(value) if usable else None  # type: ignore[arg-type]


def _whole(value: object) -> int | None:
    number = _number(value)
    return None if number is None else int(number)
