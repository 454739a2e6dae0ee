"""Measures the time from a link to play and from a match to play, and the memory of the browser."""

from collections.abc import Callable
from pathlib import Path

from playtest import Chromium, ChromiumLauncher, Conditions, Servers

from bench.figures import Figures, Kind, Target
from bench.games import Table
from bench.stock import StockServer

MATCH_TO_FRAME = Kind(
    "match to first frame, runtime loaded", "ms", Target("≤", 400.0), "MUG 0.1.3: 700, without its countdown"
)
MATCH_TO_PLAYING = Kind("second click to both playing, on the page", "ms")

SECTION = "From a link to a game: Volley alone against the bot"
RATIO_TARGET = Target("≤", 1.2)

# Only the interpreter and numpy. On a page of the study's server it loads the same files, with the same
# headers.
_BARE = """
  let base = args[0];
  if (base === null) {
    const participation = await (await fetch("/api/participants", {
      method: "POST", headers: {"Content-Type": "application/json"}, body: "{}",
    })).json();
    base = participation.runtime.base;
  }
  const indexURL = new URL(base, location.href).href;
  const started = performance.now();
  const { loadPyodide } = await import(indexURL + "pyodide.mjs");
  const lockFileURL = indexURL + "pyodide-lock.json";
  const pyodide = await loadPyodide({ indexURL, lockFileURL, packages: ["numpy"] });
  pyodide.runPython("import numpy");
  window.kept = pyodide;
  return (performance.now() - started) / 1000;
"""


def measure_match(launcher: ChromiumLauncher, servers: Servers, figures: Figures) -> None:
    """Measure the time from a match to the first frame, on loopback."""
    section = "Two people meet, loopback"
    table = Table(launcher, servers, "volley/study.py", Conditions(0))
    figures.add(section, MATCH_TO_PLAYING, 1000 * table.last_click_to_playing_s)
    for person in table.people:
        figures.add(section, MATCH_TO_FRAME, person.wait_until("first_frame_ms", 1)["first_frame_ms"])
    table.close()


def measure_start(
    launcher: ChromiumLauncher, servers: Servers, stock: StockServer, figures: Figures, run: int
) -> None:
    """Measure the time from a link to a game, in a new and a used profile, and that of two bare pages."""
    url = servers.serve("volley/solo.py", episodes=50, countdown=0).url
    pages: dict[str, Callable[[Chromium], float]] = {
        "navigation to playable": lambda browser: _time_to_play(browser, url),
        "bare page, the same files": lambda browser: _time_bare(browser, f"{url}/healthz", None),
        "bare page, Pyodide as published": lambda browser: _time_bare(browser, stock.url, "."),
    }
    for cached in ("nothing cached", "files cached"):
        seconds: dict[str, float] = {}
        for name in _rotated(list(pages), run):
            browser = launcher.launch(f"{name} {run}")
            seconds[name] = pages[name](browser)
            figures.add("Memory of the pages' processes", Kind(name, "MB"), memory_mb(browser))
            browser.close()
        whole, *bare = pages
        for name in pages:
            reference = "MUG 0.1.3: 8.8–10.3" if name == whole and cached == "nothing cached" else ""
            figures.add(SECTION, Kind(f"{name}, {cached}", "s", None, reference), seconds[name])
        for name in bare:
            reference = "MUG: 1.9" if name == bare[-1] else ""
            kind = Kind(f"ratio to {name}, {cached}", "×", RATIO_TARGET, reference)
            figures.add(SECTION, kind, seconds[whole] / seconds[name])


def _rotated(names: list[str], run: int) -> list[str]:
    # The order changes from run to run, so that neither a warm disk nor a hot processor favours one.
    start = run % len(names)
    return names[start:] + names[:start]


def _time_bare(browser: Chromium, url: str, base: str | None) -> float:
    browser.open(url)
    return float(browser.run(_BARE, base))


def _time_to_play(browser: Chromium, url: str) -> float:
    """Return the seconds from the start of navigation to the first frame, clicking without delay."""
    browser.open(url)
    browser.wait_for("instructions")
    browser.click_continue()
    playing_at = browser.wait_for("play", "playing", timeout_s=120)
    return playing_at - float(browser.run("return performance.timeOrigin / 1000"))


def memory_mb(browser: Chromium) -> float:
    """Return the memory of the renderer processes in MB, with shared pages counted proportionally (PSS)."""
    kilobytes = 0
    for process_id, kind in browser.process_ids().items():
        if kind == "renderer":
            rollup = Path(f"/proc/{process_id}/smaps_rollup").read_text("utf-8")
            kilobytes += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return kilobytes / 1024
