"""`python -m bench [--runs N] [--only SECTION …] [--json FILE]`."""

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from playtest import ChromiumLauncher, Servers

from bench.channels import measure_channels
from bench.export import measure_export
from bench.figures import Figures
from bench.games import measure_four, measure_netcode, measure_overcooked
from bench.ingest import measure_ingest
from bench.links import measure_links
from bench.rollbacks import measure_rollbacks
from bench.sessions import measure_sessions
from bench.signals import measure_signals
from bench.starts import measure_match, measure_start
from bench.stock import StockServer
from bench.walks import measure_walks

SECTIONS = (
    "netcode",
    "match",
    "overcooked",
    "start",
    "ingest",
    "signals",
    "walk",
    "export",
    "four",
    "sessions",
    "rollbacks",
    "links",
    "channels",
)


def main() -> None:
    """Run the benches, print their figures, and write them to a file with `--json`."""
    options = _options()
    figures = Figures()
    # Printed with the figures, because other work of this machine affects them.
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        launcher = ChromiumLauncher(Path(folder) / "profiles")
        new_folder = _folders(Path(folder))
        servers = Servers(new_folder)
        stock = StockServer(new_folder("stock"))
        measures: dict[str, Callable[[int], None]] = {
            "netcode": lambda _: measure_netcode(launcher, servers, figures, options.seconds),
            "match": lambda _: measure_match(launcher, servers, figures),
            "overcooked": lambda _: measure_overcooked(launcher, servers, figures, options.seconds),
            "start": lambda run: measure_start(launcher, servers, stock, figures, run),
            "walk": lambda _: measure_walks(figures),
            "ingest": lambda _: measure_ingest(figures, new_folder, options.seconds),
            "signals": lambda _: measure_signals(figures, new_folder),
            "export": lambda _: measure_export(figures, new_folder),
            "four": lambda _: measure_four(launcher, servers, figures, options.seconds),
            "sessions": lambda run: measure_sessions(figures, run),
            "rollbacks": lambda _: measure_rollbacks(figures),
            "links": lambda _: measure_links(launcher, servers, figures),
            "channels": lambda _: measure_channels(launcher, figures, options.seconds),
        }
        try:
            for run in range(options.runs):
                for section in options.only:
                    print(f"run {run + 1} of {options.runs}: {section}", file=sys.stderr)
                    measures[section](run)
        finally:
            launcher.stop()
            servers.stop()
            stock.stop()
    machine = f"{platform.machine()}, {os.cpu_count()} cores, load {load:.1f} before the first run"
    print(f"{machine}; {options.runs} runs of {options.seconds:g} s")
    figures.print()
    if options.json is not None:
        options.json.write_text(json.dumps(figures.as_json(), indent=1, ensure_ascii=False), "utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures coplay in real browsers.")
    parser.add_argument(
        "--runs", type=int, default=3, help="each figure is the median over these (default 3)"
    )
    parser.add_argument("--seconds", type=float, default=20, help="of play in each measurement (default 20)")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=SECTIONS, help="only these sections")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    return parser.parse_args()


def _folders(root: Path) -> Callable[[str], Path]:
    def new_folder(name: str) -> Path:
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=root))

    return new_folder


if __name__ == "__main__":
    main()
