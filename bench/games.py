"""Measures running games from `stats()`; each player has a Chromium process."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from playtest import Chromium, ChromiumLauncher, Conditions, Servers, arrive

from bench.figures import Figures, Kind, Target, difference

# No countdown, and enough episodes that no game ends during a measurement.
ENDLESS = {"episodes": 50, "countdown": 0}

NETCODE_MS = Kind("netcode, one tick, p50", "ms")
NETCODE_TAIL_MS = Kind("netcode, one tick, p99", "ms", Target("≤", 1.0), "MUG, a whole step: 154–221")
STEP_MS = Kind("environment step and snapshot, p50", "ms")
DRAW_MS = Kind("display list, p50", "ms")
MESSAGES = Kind("messages per tick and peer", "", Target("≤", 1.05), "ggrs: 2")
PAYLOAD = Kind("payload of a message, mean", "B", Target("≤", 32.0), "MUG: 58; ggrs: about 65 + 10")
ROLLBACKS = Kind("rollbacks per 100 frames", "", None, "Fortress, with other inputs: 71")
RESIMULATED = Kind("re-simulated frames per 100", "")
STALLS = Kind("stalled frames per minute", "", None, "Fortress: 15 stalls")
DELAY = Kind("input delay chosen", "frames")
RTT = Kind("round trip, as the session measures it", "ms")


class Table:
    """Browsers in one game, which goes on until they are closed.

    Args:
        launcher: Starts the browsers.
        servers: Serves the study.
        example: The study's file under `examples/`, such as `"volley/study.py"`.
        conditions: Latency and loss between any two browsers.
        names: The participants' names.
        viewport: Width and height of each page, in CSS pixels.
        changes: Changed arguments of the play scene.

    Attributes:
        people: The participants, in the order of `names`.
        last_click_to_playing_s: Seconds from the last participant's click until all of them play.
    """

    def __init__(
        self,
        launcher: ChromiumLauncher,
        servers: Servers,
        example: str,
        conditions: Conditions,
        names: Sequence[str] = ("ada", "bob"),
        viewport: tuple[int, int] = (1000, 800),
        **changes: Any,
    ) -> None:
        server = servers.serve(example, **ENDLESS, **changes)
        self.people: list[Chromium] = [launcher.launch(name, viewport=viewport) for name in names]
        for person in self.people:
            arrive(person, server.url)
            # Only connections made from here on are shaped; the runtime has been fetched at full speed.
            person.emulate(conditions)
        *early, last = self.people
        for person in early:
            person.click_continue()
            person.wait_for("lobby")
        clicked = time.time()
        last.click_continue()
        self.last_click_to_playing_s = (
            max(person.wait_for("play", "playing") for person in self.people) - clicked
        )

    def measure(self, seconds: float) -> list[tuple[float, dict[str, Any], dict[str, Any]]]:
        """Let everybody press keys, and read everybody's figures twice.

        Args:
            seconds: Time between the two readings.

        Returns:
            For each person: seconds between the readings, the first reading, the second reading.
        """
        for seed, person in enumerate(self.people):
            person.play(seed)
            # The first frames are not typical: caches are cold, and the link is still being measured.
            person.wait_until("confirmed_frame", 60)
        before = [_read(person) for person in self.people]
        # The duration of the measurement, not a wait for an event.
        time.sleep(seconds)
        after = [_read(person) for person in self.people]
        return [(now[0] - then[0], then[1], now[1]) for then, now in zip(before, after, strict=True)]

    def close(self) -> None:
        """Close all browsers in the middle of the game."""
        for person in self.people:
            person.close()


def measure_netcode(launcher: ChromiumLauncher, servers: Servers, figures: Figures, seconds: float) -> None:
    """Measure Volley at 60 frames a second, with a round trip of 100 ms and 5 % loss."""
    section = "Volley, 60 Hz, 2 players, 100 ms RTT, 5 % loss"
    table = Table(launcher, servers, "volley/study.py", Conditions(100, loss=0.05))
    for elapsed, before, after in table.measure(seconds):
        _add_play(figures, section, 60, elapsed, before, after)
    table.close()


def measure_four(launcher: ChromiumLauncher, servers: Servers, figures: Figures, seconds: float) -> None:
    """Measure Orchard with four people at 30 frames a second, 100 ms round trip and 5 % loss."""
    section = "Orchard, 30 Hz, 4 players, 100 ms RTT, 5 % loss"
    names = ("ada", "bob", "cyd", "dan")
    # Small pages: without a graphics card, painting large ones would take all the time of a small machine.
    table = Table(launcher, servers, "orchard/study.py", Conditions(100, loss=0.05), names, (320, 260))
    for elapsed, before, after in table.measure(seconds):
        _add_play(figures, section, 30, elapsed, before, after)
    table.close()


def _add_play(
    figures: Figures,
    section: str,
    fps: float,
    elapsed: float,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> None:
    """Add the figures of one person between two readings."""
    ticks = difference(before, after, "frame")
    packets = difference(before, after, "packets_sent")
    others = len(after["rtt_ms"])

    def add(kind: Kind, value: float | None) -> None:
        # The reference values of other projects are for two players.
        figures.add(section, kind if others == 1 else replace(kind, reference=""), value)

    for kind, figure in (
        (NETCODE_MS, "netcode_tick_ms_p50"),
        (NETCODE_TAIL_MS, "netcode_tick_ms_p99"),
        (STEP_MS, "step_ms_p50"),
        (DRAW_MS, "draw_ms_p50"),
    ):
        add(kind, after.get(figure))
    add(MESSAGES, packets / ticks / others)
    add(PAYLOAD, difference(before, after, "bytes_sent") / packets)
    confirmed = difference(before, after, "confirmed_frame")
    for name, count in (("frames per second", ticks), ("frames confirmed per second", confirmed)):
        figures.add(section, Kind(name, "", Target("≥", fps - 1), f"{fps:g} asked"), count / elapsed)
    add(ROLLBACKS, 100 * difference(before, after, "rollbacks") / ticks)
    add(RESIMULATED, 100 * difference(before, after, "resimulated_frames") / ticks)
    add(STALLS, 60 * difference(before, after, "stalled_frames") / elapsed)
    add(DELAY, after.get("input_delay"))
    add(RTT, max(after["rtt_ms"].values()))


FRAME_RATES = {
    0: Kind("frames per second, RTT 0", "", Target("≥", 28.0), "30 asked; MUG 0.1.3: 29"),
    200: Kind("frames per second, RTT 200 ms", "", Target("≥", 28.0), "30 asked; MUG 0.1.3: 25"),
}


def measure_overcooked(
    launcher: ChromiumLauncher, servers: Servers, figures: Figures, seconds: float
) -> None:
    """Measure Overcooked at 30 frames a second: an environment whose step takes much of a frame."""
    section = "Overcooked, 30 Hz, 2 players, both on this machine"
    for rtt_ms, kind in FRAME_RATES.items():
        table = Table(launcher, servers, "overcooked/study.py", Conditions(rtt_ms))
        for elapsed, before, after in table.measure(seconds):
            ticks = difference(before, after, "frame")
            figures.add(section, kind, ticks / elapsed)
            figures.add(
                section,
                Kind(f"environment step and snapshot, p50, RTT {rtt_ms}", "ms"),
                after.get("step_ms_p50"),
            )
            figures.add(
                section,
                Kind(f"re-simulated frames per 100, RTT {rtt_ms}"),
                100 * difference(before, after, "resimulated_frames") / ticks,
            )
            figures.add(
                section, Kind(f"input delay chosen, RTT {rtt_ms}", "frames"), after.get("input_delay")
            )
        table.close()


def _read(person: Chromium) -> tuple[float, dict[str, Any]]:
    # Read right after a refresh: stats() is refreshed five times a second, and is up to 0.2 s old otherwise.
    seen = person.run(
        "const before = window.coplay.stats().frame;"
        "while (window.coplay.stats().frame === before)"
        " await new Promise((resolve) => setTimeout(resolve, 2));"
        "return [performance.now() / 1000, window.coplay.stats()]"
    )
    return float(seen[0]), seen[1]
