"""The command line, `coplay COMMAND`. Each file holds a group of commands."""

import click

from coplay.cli.exporting import export
from coplay.cli.failing import Commands
from coplay.cli.privacy import datasheet, forget
from coplay.cli.replaying import replay, scrub
from coplay.cli.reporting import report
from coplay.cli.serving import demo, doctor, new, run
from coplay.cli.trying import check, robots

__all__ = ["main"]


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="coplay")
def main() -> None:
    r"""Real-time experiments in the browser, from any Gymnasium or PettingZoo environment.

    \b
    See it:            coplay demo
    Begin your own:    coplay new my_study
    Check yours:       coplay check CartPole-v1
    Rehearse it:       coplay robots study.py
    Run a study:       coplay run study.py
    Take the data:     coplay export out --data coplay-data
    See how it went:   coplay report report.html --data coplay-data
    Look at a game:    coplay scrub GAME_ID --data coplay-data
    Prove it right:    coplay replay GAME_ID --data coplay-data
    Erase a person:    coplay forget PARTICIPANT --data coplay-data
    Something wrong?   coplay doctor

    `coplay COMMAND --help` explains each command.
    """


for command in (demo, new, run, check, robots, export, report, replay, scrub, forget, datasheet, doctor):
    main.add_command(command)
