"""The command line: `coplay COMMAND`, each with `--help`."""

import json
import logging
import shutil
import sys
import webbrowser
from pathlib import Path
from typing import Any, NoReturn

import click

from coplay.errors import CoplayError, UsageError

DEFAULT_PORT = 8000
_data_option = click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=Path("coplay-data"),
    show_default=True,
    help="The data directory.",
)
_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")


class _Commands(click.Group):
    """Shows errors as one plain line and a hint."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except CoplayError as error:
            _fail(error.message, error.hint)
        except (click.ClickException, click.exceptions.Exit, click.Abort, KeyboardInterrupt):
            raise
        except Exception as error:
            log = _log_error(error)
            _fail(
                f"something unexpected went wrong ({type(error).__name__}: {error})",
                f"The details are in {log}.",
            )


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="coplay")
def main() -> None:
    """Real-time experiments in the browser, from any Gymnasium or PettingZoo environment.

    \b
    See it:            coplay demo
    Begin your own:    coplay new my_study
    Run a study:       coplay run study.py
    Check yours:       coplay check CartPole-v1
    Take the data:     coplay export out --data coplay-data
    Prove it right:    coplay replay GAME_ID --data coplay-data
    Something amiss?   coplay doctor
    """


@main.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port to listen on; default 8000, or the next free one."
)
@click.option("--no-open", is_flag=True, help="Do not open a browser.")
@_data_option
def demo(port: int | None, no_open: bool, data: Path) -> None:
    """Play Volley against yourself, in two windows side by side.

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
        host_study(study, listening, data, lambda: _ready(listening, "/demo", not no_open))


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
def new(folder: Path) -> None:
    """Begin a study of your own: a small one that runs, to change as you like.

    \b
    coplay new my_study
    coplay run my_study/study.py
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            f"{folder} exists and is not an empty folder", "Name a new one: nothing is overwritten."
        )
    shutil.copytree(
        _example("starter"), folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
    )
    click.echo(f"coplay: {folder} has study.py, its environment meet_env.py, and welcome.md")
    click.echo(f"  next: coplay run {folder / 'study.py'}, and open the address in two windows")


@main.command()
@click.argument("study", type=click.Path(path_type=Path))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for all.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, show_default=True, help="0: any free one."
)
@_data_option
def run(study: Path, host: str, port: int, data: Path) -> None:
    """Serve a study. Participants open the address that is printed; Ctrl-C ends it.

    \b
    coplay run study.py
    coplay run study.py --host 0.0.0.0 --port 80 --data /srv/my-study
    """
    from coplay.server.hosting import host_study
    from coplay.server.running import listen

    with listen(host, port) as listening:
        host_study(study, listening, data, lambda: _ready(listening, "/", False))


@main.command()
@click.argument("out", type=click.Path(path_type=Path))
@_data_option
@click.option("--overwrite", is_flag=True, help="Replace the tables of an earlier export in OUT.")
@click.option(
    "--recruitment", is_flag=True, help="Also what the recruiter's links carried (identifies people)."
)
def export(out: Path, data: Path, overwrite: bool, recruitment: bool) -> None:
    """Write the data as Parquet tables into the folder OUT. The study may be running meanwhile.

    --recruitment adds the ids that a recruiter's links carried. They identify people.

    \b
    coplay export out --data coplay-data
    python -c "import pandas; print(pandas.read_parquet('out/games.parquet'))"
    """
    from coplay.data.export import export_tables
    from coplay.runtime import shown_progress

    with shown_progress() as progress:
        rows = export_tables(
            data,
            out,
            overwrite=overwrite,
            recruitment=recruitment,
            progress=lambda fraction: progress("Writing the tables", fraction),
        )
    for table, count in rows.items():
        click.echo(f"{count:>9}  {table}")
    click.echo(f"coplay: wrote {out}")


@main.command()
@click.argument("environment", metavar="ENV")
@click.option("--frames", type=click.IntRange(3, 100_000), default=300, show_default=True, help="To play.")
@_json_option
def check(environment: str, frames: int, as_json: bool) -> None:
    """Say whether an environment is safe for peer-to-peer play, and what leaks if it is not.

    ENV is a Gymnasium id, package:id, or module:factory importable from here. It is played here and in the
    browsers' Python, and rolled back at every frame. Exit code 0: safe; 1: not safe; 2: it cannot be run.

    \b
    coplay check CartPole-v1
    coplay check cogrid:Overcooked-CrampedRoom-V0
    coplay check my_game:make_env
    """
    from coplay.headless.check import check as check_it
    from coplay.headless.wording import worded
    from coplay.runtime import shown_progress

    with shown_progress() as progress:
        found = check_it(environment, frames=frames, progress=progress)
    click.echo(json.dumps(found.as_json()) if as_json else worded(found))
    if not found.safe:
        sys.exit(1)


@main.command()
@click.argument("game_id")
@_data_option
@_json_option
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


@main.command()
@click.argument("study", metavar="STUDY.py|URL")
@click.option("-n", "count", type=click.IntRange(1, 200), default=2, show_default=True, help="How many.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of their keys and pauses.")
@click.option("--browser", help="Path of Chromium; default $CHROMIUM, or one on the PATH.")
@click.option("--limit", default="5 min", show_default=True, help="Whoever takes longer is stuck.")
@click.option(
    "--data", type=click.Path(path_type=Path), help="The data directory; default a new one in coplay-data."
)
@_json_option
def robots(
    study: str, count: int, seed: int, browser: str | None, limit: str, data: Path | None, as_json: bool
) -> None:
    """Send synthetic people through a study: the real server, real tabs, random keys.

    A study file is served meanwhile; an address is used as it is. Exit code 0: all finished; 1: not all did;
    2: it cannot be tried.

    \b
    coplay robots study.py
    coplay robots study.py -n 8 --limit "10 min" --json
    coplay robots http://127.0.0.1:8000
    """
    from rich.console import Console

    from coplay.headless.robots import send_robots
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


@main.command()
def doctor() -> None:
    """Say what is here and what is missing; exit code 0 if `coplay demo` can run."""
    from coplay.server.doctor import examine

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
    # Others wait for this line, perhaps through a pipe.
    click.echo(f"coplay: serving {address}")
    sys.stdout.flush()
    if open_browser:
        webbrowser.open(address + path)


def _example(name: str) -> Path:
    package = Path(__file__).parent
    for examples in (package / "_examples", package.parent.parent / "examples"):
        if (folder := examples / name).is_dir():
            return folder
    raise CoplayError(f"the example {name} is not installed", "Reinstall coplay.")


def _log_error(error: BaseException) -> Path:
    file = Path("coplay-error.log").resolve()
    handler = logging.FileHandler(file)
    record = logging.LogRecord(
        "coplay", logging.ERROR, __file__, 0, "unexpected", None, (type(error), error, error.__traceback__)
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    handler.emit(record)
    handler.close()
    return file


def _fail(message: str, hint: str) -> NoReturn:
    click.echo(f"coplay: {message}", err=True)
    if hint:
        click.echo(f"  hint: {hint}", err=True)
    sys.exit(2)
