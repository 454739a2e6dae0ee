"""`coplay export`: write the data for analysis."""

from pathlib import Path

import click

from coplay.cli.options import data_option


@click.command(short_help="Write the data as tables, or as data sets.")
@click.argument("out", type=click.Path(path_type=Path))
@data_option
@click.option(
    "--format",
    "formats",
    type=click.Choice(["parquet", "csv", "both"]),
    default="parquet",
    show_default=True,
    help="Format of the tables. In CSV, nested values are JSON.",
)
@click.option(
    "--observations", is_flag=True, help="Replay every game to add the players' observations. Slow."
)
@click.option(
    "--with-recruiter-ids",
    "recruiter_ids",
    is_flag=True,
    help="Include the parameters of recruiters' links. They identify people.",
)
@click.option("--minari", is_flag=True, help="Write Minari data sets for offline learning, and no tables.")
@click.option("--overwrite", is_flag=True, help="Replace the export in OUT, whatever it holds.")
def export(
    out: Path,
    data: Path,
    formats: str,
    observations: bool,
    recruiter_ids: bool,
    minari: bool,
    overwrite: bool,
) -> None:
    r"""Write the data as tables into the folder OUT. The study may be running meanwhile.

    A second export into the same folder adds what is new, and refuses to change what is there. codebook.csv
    explains every column. `coplay.load("out")` gives all tables as DataFrames.

    \b
    coplay export out --data coplay-data
    coplay export out --data coplay-data --format both --observations
    coplay export datasets --data coplay-data --minari
    python -c "import coplay; print(coplay.load('out').games)"
    """
    if minari:
        _export_minari(data, out, overwrite)
    else:
        _export_tables(data, out, formats, observations, recruiter_ids, overwrite)
    click.echo(f"coplay: wrote {out}")


def _export_tables(
    data: Path, out: Path, formats: str, observations: bool, recruiter_ids: bool, overwrite: bool
) -> None:
    from coplay.export.tables.exporting import export_tables
    from coplay.runtime import shown_progress

    with shown_progress() as progress:
        done = export_tables(
            data,
            out,
            formats=formats,  # type: ignore[arg-type]  # one of the choices above
            overwrite=overwrite,
            recruiter_ids=recruiter_ids,
            observations=observations,
            progress=progress,
        )
    for table, count in done.rows.items():
        more = done.new_rows[table]
        added = f"  {more} new" if 0 < more < count else ""
        click.echo(f"{count:>9}  {table}{added}")
    for game_id, why in done.unobserved.items():
        click.echo(f"coplay: game {game_id} has no observations, or not all: {why}")


def _export_minari(data: Path, out: Path, overwrite: bool) -> None:
    from coplay.export.minari_datasets import export_minari
    from coplay.runtime import shown_progress

    with shown_progress() as progress:
        done = export_minari(data, out, overwrite=overwrite, progress=progress)
    for name, count in done.episodes.items():
        click.echo(f"{count:>6} episodes  {name}")
    for game_id, why in done.left_out.items():
        click.echo(f"coplay: game {game_id} is in no data set: {why}")
