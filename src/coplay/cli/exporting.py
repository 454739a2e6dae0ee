"""`coplay export`: from the store to what is analysed."""

from pathlib import Path

import click

from coplay.cli.options import data_option


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@data_option
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
