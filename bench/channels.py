"""Measures the age of the newest datagram on a lossy path, by how the channel treats lost datagrams."""

from itertools import chain
from pathlib import Path
from statistics import quantiles
from typing import Any, Final

from playtest import ChromiumLauncher
from playtest.lossy_path import LossyPath

from bench.figures import Figures, Kind, Target

SECTION: Final = "Age of the newest datagram that has come: 50 a second, 40 bytes, 200 ms round trip"
# The channel that the game uses: web/src/links/PeerLink.ts.
OWN: Final = "maxPacketLifeTime: 100"
CHANNELS: Final[dict[str, dict[str, int]]] = {
    OWN: {"maxPacketLifeTime": 100},
    "maxRetransmits: 0": {"maxRetransmits": 0},
    "maxRetransmits: 1": {"maxRetransmits": 1},
}
LOSSES: Final = (0.05, 0.15, 0.3)

_ONE_WAY_MS: Final = 100
_FLOW: Final = {"pairs": 4, "hz": 50, "bytes": 40}
_SCRIPT: Final = (Path(__file__).parent / "channels.js").read_text("utf-8")


def measure_channels(launcher: ChromiumLauncher, figures: Figures, seconds: float) -> None:
    """Measure each channel over each path, with four pairs of connections in one page."""
    for loss in LOSSES:
        for name, options in CHANNELS.items():
            ages_ms = _ages_ms(launcher, loss, options, seconds)
            target = Target("≤", 4 * _ONE_WAY_MS) if name == OWN else None
            shares = quantiles(ages_ms, n=100)
            figures.add(SECTION, Kind(f"{name}, {loss:.0%} lost, p50", "ms"), shares[49])
            figures.add(SECTION, Kind(f"{name}, {loss:.0%} lost, p99", "ms", target), shares[98])
            figures.add(SECTION, Kind(f"{name}, {loss:.0%} lost, worst", "ms"), max(ages_ms))


def _ages_ms(launcher: ChromiumLauncher, loss: float, options: dict[str, int], seconds: float) -> list[float]:
    """Return the age of the newest datagram, sampled every ten milliseconds in each direction."""
    person = launcher.launch("channels")
    path = LossyPath(_ONE_WAY_MS, jitter_ms=10, loss=loss)
    try:
        path.join(person)
        person.page.goto("about:blank")
        given: list[Any] = [options, {**_FLOW, "seconds": seconds}]
        ages_ms: list[list[float]] = person.page.evaluate(f"(given) => ({_SCRIPT})(...given)", given)
    finally:
        person.close()
        path.close()
    return list(chain.from_iterable(ages_ms))
