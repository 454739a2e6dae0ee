"""How long it takes until one can play: from a link, and from a match; and what memory it takes."""

from pathlib import Path

from playtest import Chromium, ChromiumLauncher, Conditions, Servers

from bench.figures import Figures, Kind, Target
from bench.games import Table

MATCH_TO_FRAME = Kind(
    "match to first frame, runtime loaded", "ms", Target("≤", 400.0), "MUG: 4400 from the second click"
)
MATCH_TO_PLAYING = Kind("second click to both playing, on the page", "ms")

COLD = Kind("from navigation to playable, nothing cached", "s", None, "MUG: 10.8")
BARE = Kind("bare loadPyodide() and numpy, nothing cached", "s", None, "the same files from the same server")
COLD_RATIO = Kind("ratio, nothing cached", "×", Target("≤", 1.2), "MUG: 1.9")
WARM = Kind("from navigation to playable, files cached", "s")
BARE_WARM = Kind("bare loadPyodide() and numpy, files cached", "s")
WARM_RATIO = Kind("ratio, files cached", "×")
MEMORY = Kind("memory of the page's processes while playing", "MB")
BARE_MEMORY = Kind("memory of the bare page's processes", "MB")

SECTION = "Starting: Volley alone against the bot"

# What MUG's figures are compared with too: the interpreter and numpy, nothing else. It runs on a page of the
# study's own server, so it gets the same files, with the same headers, over the same connection.
_BARE = """
  const participation = await (await fetch("/api/participants", {
    method: "POST", headers: {"Content-Type": "application/json"}, body: "{}",
  })).json();
  const base = new URL(participation.runtime.base, location.href).href;
  const started = performance.now();
  const { loadPyodide } = await import(base + "pyodide.mjs");
  const lockFileURL = base + "pyodide-lock.json";
  const pyodide = await loadPyodide({ indexURL: base, lockFileURL, packages: ["numpy"] });
  pyodide.runPython("import numpy");
  window.kept = pyodide;
  return (performance.now() - started) / 1000;
"""


def measure_match(launcher: ChromiumLauncher, servers: Servers, figures: Figures) -> None:
    """From a match to the first frame, on loopback."""
    section = "Two people meet, loopback"
    table = Table(launcher, servers, "volley/study.py", Conditions(0))
    figures.add(section, MATCH_TO_PLAYING, 1000 * table.second_click_to_playing_s)
    for person in table.people:
        figures.add(section, MATCH_TO_FRAME, person.wait_until("first_frame_ms", 1)["first_frame_ms"])
    table.close()


def measure_start(launcher: ChromiumLauncher, servers: Servers, figures: Figures, run: int) -> None:
    """From a link to a game, in a new profile and again in the same one, beside a bare page."""
    url = servers.serve("volley/solo.py", episodes=50, countdown=0).url
    profiles = (f"player-{run}", f"bare-{run}")
    # Which goes first alternates, so that a warm disk favours neither.
    order = profiles if run % 2 == 0 else profiles[::-1]
    for whole, bare, ratio in ((COLD, BARE, COLD_RATIO), (WARM, BARE_WARM, WARM_RATIO)):
        seconds: dict[str, float] = {}
        for profile in order:
            browser = launcher.launch(profile)
            if profile.startswith("player"):
                seconds[profile] = _time_to_play(browser, url)
                figures.add("Memory", MEMORY, memory_mb(browser))
            else:
                browser.open(f"{url}/healthz")
                seconds[profile] = float(browser.run(_BARE))
                figures.add("Memory", BARE_MEMORY, memory_mb(browser))
            browser.close()
        figures.add(SECTION, whole, seconds[profiles[0]])
        figures.add(SECTION, bare, seconds[profiles[1]])
        figures.add(SECTION, ratio, seconds[profiles[0]] / seconds[profiles[1]])


def _time_to_play(browser: Chromium, url: str) -> float:
    """Seconds from the start of the navigation to the first frame, by someone who clicks at once."""
    browser.open(url)
    browser.wait_for("instructions")
    browser.click_continue()
    playing_at = browser.wait_for("play", "playing", timeout_s=120)
    return playing_at - float(browser.run("return performance.timeOrigin / 1000"))


def memory_mb(browser: Chromium) -> float:
    """Memory of the renderer processes, each shared page counted by its share (PSS)."""
    kilobytes = 0
    for process_id, kind in browser.process_ids().items():
        if kind == "renderer":
            rollup = Path(f"/proc/{process_id}/smaps_rollup").read_text("utf-8")
            kilobytes += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return kilobytes / 1024
