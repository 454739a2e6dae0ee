"""`coplay forget` and `coplay datasheet`: erasing personal data, and documenting it."""

import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from coplay.cli.options import data_option
from coplay.errors import UsageError

if TYPE_CHECKING:
    from coplay.data.forgetting import Forgotten

_DAYS = {"day": 1, "week": 7, "month": 30.44, "year": 365.25}


@click.command(short_help="Erase a person's data.")
@click.argument("participant", required=False)
@data_option
@click.option("--older-than", help='Erase everyone without activity for this long: "2 years", "90 days".')
@click.option("--dry-run", is_flag=True, help="Only show what would be removed.")
def forget(participant: str | None, data: Path, older_than: str | None, dry_run: bool) -> None:
    r"""Erase a person, and say what was removed. This cannot be undone.

    PARTICIPANT is the column participant_id of the table `participants` that `coplay export` writes. Their
    row, answers, events, recruiter ids and their browser's copies of games are removed. A game that others
    played too is kept, with a blank seat. Earlier exports are not touched.

    \b
    coplay forget p-0123456789abcdef --data coplay-data --dry-run
    coplay forget p-0123456789abcdef --data coplay-data
    coplay forget --older-than "2 years" --data coplay-data
    """
    from coplay.data import forgetting

    if (participant is None) == (older_than is None):
        raise UsageError("name one participant, or --older-than", "See `coplay forget --help`.")
    if participant is not None:
        found = forgetting.forget(data, participant, dry_run=dry_run)
    else:
        found = forgetting.forget_older_than(data, _age(older_than or ""), dry_run=dry_run)
    _tell(found, dry_run)


def _tell(found: "Forgotten", dry_run: bool) -> None:
    verb = "would be removed" if dry_run else "removed"
    if not found.participants:
        click.echo("coplay: nobody is that old; nothing was removed")
        return
    for table, count in found.rows.items():
        click.echo(f"{count:>7}  {table}")
    click.echo(f"coplay: {', '.join(found.participants)}: these rows {verb}")
    for game_id in found.games_removed:
        click.echo(f"coplay: game {game_id} {verb}: nobody else played it")
    for game_id in found.games_with_blank_seats:
        click.echo(f"coplay: game {game_id} stays with those who played it, with a blank seat")
    if found.traces:
        click.echo(f"coplay: {found.traces}")
    if not dry_run:
        click.echo(
            "coplay: exports and backups that were made before still have these data: delete them, too"
        )


def _age(text: str) -> timedelta:
    read = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(day|week|month|year)s?\s*", text)
    if read is None:
        raise UsageError(f"--older-than is {text!r}", 'Write for example "2 years", "6 months" or "90 days".')
    try:
        return timedelta(days=float(read[1]) * _DAYS[read[2]])
    except OverflowError as error:
        raise UsageError(f"--older-than is {text!r}", "That is longer than there are dates.") from error


@click.command(short_help="Write a data sheet for an ethics board.")
@click.argument("out", metavar="OUT.md", type=click.Path(path_type=Path, dir_okay=False))
@data_option
@click.option("--retention", default="", help='How long the data are kept: "2 years".')
def datasheet(out: Path, data: Path, retention: str) -> None:
    r"""Write a data sheet for an ethics board: what is stored of people, where, how long, how it is erased.

    It is made from the data and the schema.

    \b
    coplay datasheet datasheet.md --data coplay-data --retention "2 years"
    """
    from coplay.export.datasheet import write_datasheet

    write_datasheet(data, out, retention=retention)
    click.echo(f"coplay: wrote {out}")
