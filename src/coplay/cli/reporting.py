"""`coplay report`: summarize a study on one page."""

from pathlib import Path

import click

from coplay.cli.options import data_option


@click.command(short_help="Write one page that shows how a study went.")
@click.argument("out", metavar="OUT.html", type=click.Path(path_type=Path, dir_okay=False))
@data_option
def report(out: Path, data: Path) -> None:
    r"""Write one page that shows how a study went: a single HTML file that needs neither scripts nor network.

    It shows how far people got, which games can be trusted, returns by condition and episode, round trips,
    rollbacks and stalls on each side, time-outs and drop-outs. It names no participant.

    \b
    coplay report report.html --data coplay-data
    """
    from coplay.export.report.writing import write_report
    from coplay.runtime import shown_progress

    with shown_progress() as progress:
        write_report(data, out, progress=progress)
    click.echo(f"coplay: wrote {out}")
