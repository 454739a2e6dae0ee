"""`coplay demo`, `new`, `run` and `doctor`: creating and serving studies."""

import shutil
import sys
import webbrowser
from pathlib import Path
from typing import Any

import click

from coplay.cli.options import data_option
from coplay.errors import CoplayError, UsageError

DEFAULT_PORT = 8000


@click.command(short_help="Play Volley against yourself.")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port to listen on; default 8000, or the next free one."
)
@click.option("--no-open", is_flag=True, help="Do not open a browser.")
@data_option
def demo(port: int | None, no_open: bool, data: Path) -> None:
    r"""Play Volley against yourself, in two windows side by side.

    \b
    coplay demo
    coplay demo --port 9000 --no-open
    """
    from coplay.server.hosting import host_study
    from coplay.server.running import PortInUseError, listen

    study = _example("volley") / "study.py"
    host = "127.0.0.1"
    if port is not None:
        listening = listen(host, port)
    else:
        for port in range(DEFAULT_PORT, DEFAULT_PORT + 20):
            try:
                listening = listen(host, port)
                break
            except PortInUseError:
                continue
        else:
            listening = listen(host, 0)
    with listening:
        host_study(study, listening, data, lambda _: _ready(listening, "/demo", not no_open))


@click.command(short_help="Begin a study of your own.")
@click.argument("folder", type=click.Path(path_type=Path))
def new(folder: Path) -> None:
    r"""Begin a study of your own: a small one that runs, to change as you like.

    FOLDER is created, with study.py, an environment, and a text for the first page.

    \b
    coplay new my_study
    coplay run my_study/study.py
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            f"{folder} exists and is not an empty folder", "Name a new folder; nothing is overwritten."
        )
    shutil.copytree(
        _example("starter"), folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
    )
    click.echo(f"coplay: {folder} has study.py, its environment meet_env.py, and welcome.md")
    click.echo(f"  next: coplay run {folder / 'study.py'}, and open the address in two windows")


@click.command()
@click.argument("study", type=click.Path(path_type=Path))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for all.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    help="0 for any free one.",
)
@data_option
@click.option("--stun", multiple=True, metavar="URL", help="STUN server: stun:HOST:PORT. Or set COPLAY_STUN.")
@click.option("--turn", multiple=True, metavar="URL", help="TURN server: turn:HOST:PORT. Or set COPLAY_TURN.")
def run(study: Path, host: str, port: int, data: Path, stun: tuple[str, ...], turn: tuple[str, ...]) -> None:
    r"""Serve a study. Participants open the address that is printed; Ctrl-C ends it.

    STUDY is the Python file that defines it; `coplay new` writes one to start from. Keep it in a folder of
    its own: participants' browsers load all code in that folder.

    A second address shows you the games while they are played. Keep it secret: anyone who has it can watch.

    Players on one network need no STUN or TURN. For others, name a coturn server that has use-auth-secret,
    and set COPLAY_TURN_SECRET to its static-auth-secret.

    \b
    coplay run study.py
    coplay run study.py --host 0.0.0.0 --port 80 --data /srv/my-study
    coplay run study.py --stun stun:turn.example.org:3478 --turn turn:turn.example.org:3478
    """
    from coplay.server.hosting import host_study, ice_servers
    from coplay.server.running import address_of, listen

    ice = ice_servers(stun, turn)
    with listen(host, port) as listening:

        def ready(watch_key: str) -> None:
            _ready(listening, "/", False)
            click.echo(f"coplay: watch the games at {address_of(listening)}/watch#{watch_key}")
            sys.stdout.flush()

        host_study(study, listening, data, ready, ice)


@click.command(short_help="Say what is installed and what is missing.")
def doctor() -> None:
    r"""Say what is installed and what is missing, and what to do about it.

    Exit code 0: `coplay demo` can run; 1: it cannot.

    \b
    coplay doctor
    """
    from coplay.cli.machine_check import examine

    findings = examine()
    for finding in findings:
        click.echo(f"{'ok     ' if finding.good else 'missing'}  {finding.what}: {finding.detail}")
        if not finding.good and finding.hint:
            click.echo(f"           {finding.hint}")
    if any(finding.needed and not finding.good for finding in findings):
        sys.exit(1)


def _ready(listening: Any, path: str, open_browser: bool) -> None:
    from coplay.server.running import address_of

    address = address_of(listening)
    # Scripts wait for this line, perhaps through a pipe, so it is flushed.
    click.echo(f"coplay: serving {address}")
    sys.stdout.flush()
    if open_browser:
        webbrowser.open(address + path)


def _example(name: str) -> Path:
    package = Path(__file__).parent.parent
    for examples in (package / "_examples", package.parent.parent / "examples"):
        if (folder := examples / name).is_dir():
            return folder
    raise CoplayError(f"the example {name} is not installed", "Reinstall coplay.")
