"""`coplay replay`: recorded games, played again."""

import json
import sys
from pathlib import Path

import click

from coplay.cli.options import data_option, json_option


@click.command()
@click.argument("game_id")
@data_option
@json_option
def replay(game_id: str, data: Path, as_json: bool) -> None:
    """Play a recorded game again and compare it with all that was stored.

    It is played in the very runtime and code that its browsers ran, under Node. Exit code 0: every checksum,
    reward and flag is equal; 1: something differs; 2: it cannot be replayed.

    \b
    coplay replay 0123456789abcdef0123 --data coplay-data
    """
    from coplay.headless.replay import replay_game
    from coplay.runtime import shown_progress

    with shown_progress() as progress:
        found = replay_game(data, game_id, progress=progress)
    if as_json:
        click.echo(json.dumps(found.as_json()))
    elif found.equal:
        click.echo(
            f"coplay: {found.frames} frames replayed, {found.checksums} checksums equal "
            f"(verdict {found.verdict})"
        )
    else:
        click.echo(f"coplay: {found.difference}; what was replayed before is equal (verdict {found.verdict})")
    if not found.equal:
        sys.exit(1)
