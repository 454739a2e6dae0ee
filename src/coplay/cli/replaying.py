"""`coplay replay` and `coplay scrub`: replaying recorded games."""

import json
import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

import click

from coplay.cli.options import data_option, json_option
from coplay.errors import UsageError

if TYPE_CHECKING:
    from coplay.replay.replay import ReplayResult


@click.command(short_help="Play a recorded game again, and prove or film it.")
@click.argument("game_id")
@data_option
@click.option(
    "--cpython",
    is_flag=True,
    help="Try this machine's CPython first, which is faster. If anything differs, the game's own runtime "
    "decides.",
)
@click.option("--gif", metavar="FILE", type=click.Path(path_type=Path), help="Also film it into this file.")
@click.option("--mp4", metavar="FILE", type=click.Path(path_type=Path), help="Also film it into this file.")
@click.option("--episode", type=click.IntRange(0), help="Film this episode only, from 0.")
@click.option(
    "--player", type=click.IntRange(0), default=0, show_default=True, help="Film this player's screen."
)
@json_option
def replay(
    game_id: str,
    data: Path,
    cpython: bool,
    gif: Path | None,
    mp4: Path | None,
    episode: int | None,
    player: int,
    as_json: bool,
) -> None:
    r"""Play a recorded game again and compare it with everything stored.

    GAME_ID is in the column game_id of the table `games` that `coplay export` writes. The game is played
    under Node, in the same runtime and code that its browsers ran. Exit code 0: every checksum, reward and
    flag is equal, except for differences that a repaired desync explains (they are listed); 1: something
    differs; 2: the game cannot be replayed.

    \b
    coplay replay 0123456789abcdef0123 --data coplay-data
    coplay replay 0123456789abcdef0123 --cpython
    coplay replay 0123456789abcdef0123 --gif game.gif --episode 2 --player 1
    """
    from coplay.export.films.film import film_game
    from coplay.replay.replay import replay_game
    from coplay.runtime import shown_progress

    films = {"gif": gif, "mp4": mp4}
    if cpython and any(films.values()):
        raise UsageError("--cpython compares and does not film", "Leave it out, or film without it.")
    with shown_progress() as progress:
        if any(films.values()):
            found = film_game(data, game_id, **films, episode=episode, player=player, progress=progress)
        else:
            found = replay_game(data, game_id, progress=progress, cpython=cpython)
    for path in filter(None, films.values()):
        click.echo(f"coplay: wrote {path}", err=as_json)
    if as_json:
        click.echo(json.dumps(found.as_json()))
    else:
        _tell(found)
    if not found.equal:
        sys.exit(1)


def _tell(found: "ReplayResult") -> None:
    if found.cpython:
        click.echo(f"coplay: CPython could not settle it: {found.cpython}")
    for excused in found.excused:
        click.echo(f"coplay: {excused}")
    if found.equal:
        click.echo(
            f"coplay: {found.frames} frames replayed, {found.checksums} checksums equal "
            f"(verdict {found.verdict}; played in {found.played_in})"
        )
    else:
        but = ", but for what is said above" if found.excused else ""
        click.echo(
            f"coplay: {found.difference}; what was replayed before is equal{but} (verdict {found.verdict})"
        )


@click.command(short_help="Go through a recorded game frame by frame.")
@click.argument("game_id")
@data_option
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Port to listen on; default any free one."
)
@click.option("--no-open", is_flag=True, help="Do not open a browser.")
def scrub(game_id: str, data: Path, port: int, no_open: bool) -> None:
    r"""Go through a recorded game frame by frame, in a page on this machine.

    GAME_ID is in the column game_id of the table `games` that `coplay export` writes.

    For each player, the page shows what they saw at the time, with predicted inputs of the others, and what
    turned out to be true; below, everybody's inputs with corrections marked, and round-trip times. Ctrl-C
    ends it.

    \b
    coplay scrub 0123456789abcdef0123 --data coplay-data
    """
    from contextlib import ExitStack

    from coplay.export.scrub.serving import scrub_game
    from coplay.runtime import shown_progress

    def ready(port: int) -> None:
        address = f"http://127.0.0.1:{port}"
        click.echo(f"coplay: serving {address}")
        sys.stdout.flush()
        if not no_open:
            webbrowser.open(address)

    with ExitStack() as bars:
        progress = bars.enter_context(shown_progress())
        scrub_game(data, game_id, port, progress=progress, ready=ready, done=bars.close)
