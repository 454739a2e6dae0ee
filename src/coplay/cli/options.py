"""Options shared by several commands."""

from pathlib import Path

import click

data_option = click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=Path("coplay-data"),
    show_default=True,
    help="The data directory.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
