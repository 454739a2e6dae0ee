"""`coplay check` and `coplay robots`: testing environments and studies before people take part."""

import json
import sys
from pathlib import Path

import click

from coplay.cli.options import json_option


@click.command(short_help="Say whether an environment is safe for peers.")
@click.argument("environment", metavar="ENV")
@click.option(
    "--frames",
    type=click.IntRange(3, 100_000),
    default=300,
    show_default=True,
    help="Number of frames to play.",
)
@json_option
def check(environment: str, frames: int, as_json: bool) -> None:
    r"""Say whether an environment is safe for peer-to-peer play, and what leaks if it is not.

    ENV is a Gymnasium id, package:id, or module:factory importable from here. It is played here and in the
    browsers' Python, and rolled back at every frame. Exit code 0: safe; 1: not safe; 2: it cannot be run.

    \b
    coplay check CartPole-v1
    coplay check cogrid:Overcooked-CrampedRoom-V0
    coplay check my_game:make_env
    """
    from coplay.check.check import check as check_it
    from coplay.check.formatting import format_check
    from coplay.runtime import shown_progress

    with shown_progress() as progress:
        found = check_it(environment, frames=frames, progress=progress)
    click.echo(json.dumps(found.as_json()) if as_json else format_check(found))
    if not found.safe:
        sys.exit(1)


@click.command(short_help="Send synthetic people through a study.")
@click.argument("study", metavar="STUDY.py|URL")
@click.option(
    "-n", "count", type=click.IntRange(1, 200), default=2, show_default=True, help="Number of robots."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of their keys and pauses.")
@click.option("--browser", help="Path of Chromium; default: $CHROMIUM, or the one on the PATH.")
@click.option(
    "--limit", default="5 min", show_default=True, help="A robot that takes longer counts as stuck."
)
@click.option(
    "--data", type=click.Path(path_type=Path), help="Data directory; default: a new one in coplay-data."
)
@json_option
def robots(
    study: str, count: int, seed: int, browser: str | None, limit: str, data: Path | None, as_json: bool
) -> None:
    r"""Send synthetic people through a study: the real server, real tabs, random keys.

    A study file is served for the duration; an address is used as given. Exit code 0: all finished; 1: not
    all did; 2: it cannot be tried.

    \b
    coplay robots study.py
    coplay robots study.py -n 8 --limit "10 min" --json
    coplay robots http://127.0.0.1:8000
    """
    from rich.console import Console

    from coplay.robots.robots import send_robots
    from coplay.runtime import shown_progress
    from coplay.study.durations import seconds

    limit_s = seconds(limit, what="--limit")
    with shown_progress() as progress:
        found = send_robots(
            study, robots=count, seed=seed, browser=browser, limit_s=limit_s, data=data, progress=progress
        )
    if as_json:
        click.echo(json.dumps(found.as_json()))
    else:
        Console().print(found.table())
        for sentence in found.sentences():
            click.echo(f"coplay: {sentence}")
    if not found.all_finished:
        sys.exit(1)
