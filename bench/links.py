"""Measures how long two browsers take to connect, and how much slower datagrams are through the server."""

import sqlite3
import time
from contextlib import closing
from datetime import datetime
from pathlib import Path
from statistics import mean, quantiles
from typing import Any, Final

from playtest import Chromium, ChromiumLauncher, Conditions, CoplayServer, Servers, arrive

from bench.figures import Figures, Kind, Target
from bench.games import ENDLESS
from bench.slow_way import SlowWay

SECTION: Final = "Two browsers reach each other, with the same latency to the server and to each other"
OWN_SECTION: Final = "Where a computer's own part goes: from the match, without latency, at the slower page"
RELAY_SECTION: Final = "A datagram's round trip, between two pages on this machine, in a game"
ROUND_TRIPS_MS: Final = (0, 50, 150)
LAST: Final = "one answered at both"

_SCRIPT = (Path(__file__).parent / "links.js").read_text("utf-8")
_READING_S: Final = 8.0
_PAIRS: Final = 150
_PAUSE_MS: Final = 15
# A computer's own part, and round trips: half of one brings the game, one the offer. DTLS is done two and
# a half later: the side that offers checks no path before it has the answer. SCTP takes two, a ping one.
_OWN_MS: Final = 150.0
_TRIPS: Final = 6


def measure_links(launcher: ChromiumLauncher, servers: Servers, figures: Figures) -> None:
    """Measure the time from a match to an open channel at several latencies, then both ways of datagrams."""
    server = servers.serve("volley/study.py", **ENDLESS)
    way = SlowWay(server.port)
    own_ms = 0.0
    try:
        for rtt_ms in ROUND_TRIPS_MS:
            people = [launcher.launch(f"{name}-link") for name in ("ada", "bob")]
            # Without latency, connect directly, because the slower way itself takes some time.
            _meet(people, way.url if rtt_ms else server.url, way, rtt_ms)
            times_ms, trip_ms = _times(people, server)
            target = Target("≤", _TRIPS * rtt_ms + _OWN_MS)
            for step, at_ms in times_ms.items():
                kind = Kind(
                    f"match to {step}, RTT {rtt_ms}", "ms", target, f"≤ {_TRIPS} RTT + {_OWN_MS:g} ms"
                )
                figures.add(SECTION, kind, at_ms)
            if rtt_ms == 0:
                own_ms = times_ms[LAST]
                for step, at_ms in _steps(people, server).items():
                    figures.add(OWN_SECTION, Kind(step, "ms"), at_ms)
                _compare_ways(people, figures)
            else:
                trips = (times_ms[LAST] - own_ms) / rtt_ms
                figures.add(
                    SECTION, Kind(f"round trips until then, RTT {rtt_ms}", "", None, "least: 7"), trips
                )
            figures.add(SECTION, Kind(f"a question to the server, RTT {rtt_ms}", "ms"), trip_ms)
            for person in people:
                person.close()
    finally:
        way.stop()


def _meet(people: list[Chromium], url: str, way: SlowWay, rtt_ms: float) -> None:
    way.delay_s = 0.0
    for person in people:
        person.page.add_init_script(_SCRIPT)
        arrive(person, url)
        # This affects only connections that are made from now on.
        person.emulate(Conditions(rtt_ms))
    # Like people who read the first page: browsers go on compiling for seconds after a page has loaded.
    time.sleep(_READING_S)
    # Everything is loaded, so from now on the server is delayed, too.
    way.delay_s = rtt_ms / 2000
    first, second = people
    first.click_continue()
    first.wait_for("lobby")
    second.click_continue()
    for person in people:
        person.run("while (!linkBench.answered_ms) await new Promise((resolve) => setTimeout(resolve, 20));")


def _times(people: list[Chromium], server: CoplayServer) -> tuple[dict[str, float], float]:
    """Return the milliseconds from the match to each step, and those of a round trip to the server."""
    matched_ms = _matched_ms(server)
    seen: list[dict[str, Any]] = [
        person.run("return JSON.parse(JSON.stringify(linkBench))") for person in people
    ]
    answered_ms = [each["answered_ms"] - matched_ms for each in seen]
    times_ms = {
        "channel open at both": max(each["opened_ms"] for each in seen) - matched_ms,
        "a ping answered": min(answered_ms),
        LAST: max(answered_ms),
    }
    # Only the last acknowledgements came over the slow way.
    return times_ms, min(each["acks_ms"][-1] for each in seen)


def _steps(people: list[Chromium], server: CoplayServer) -> dict[str, float]:
    """Return the milliseconds from the match to each step that both pages' connections went through."""
    matched_ms = _matched_ms(server)
    one, other = (person.run("return linkBench.steps") for person in people)
    at_ms = {step: max(one[step], other[step]) - matched_ms for step in one if step in other}
    return dict(sorted(at_ms.items(), key=lambda item: item[1]))


def _matched_ms(server: CoplayServer) -> float:
    with closing(sqlite3.connect(server.data / "coplay.sqlite")) as database:
        ((formed,),) = database.execute("SELECT max(formed_utc) FROM groups").fetchall()
    return 1000 * datetime.fromisoformat(formed).timestamp()


def _compare_ways(people: list[Chromium], figures: Figures) -> None:
    one, other = people
    for person in people:
        # Measured during play, because nothing delays a datagram before.
        person.wait_until("confirmed_frame", 60)
    found = one.run("return linkBench.both(...args)", other.stats()["player_id"], _PAIRS, _PAUSE_MS)
    shares = {}
    for way, trips_ms in found.items():
        cuts = quantiles(trips_ms, n=100)
        shares[way] = (cuts[49], cuts[98])
        figures.add(RELAY_SECTION, Kind(f"{way}, p50", "ms"), cuts[49])
        figures.add(RELAY_SECTION, Kind(f"{way}, p99", "ms"), cuts[98])
        figures.add(RELAY_SECTION, Kind(f"{way}, came back", ""), len(trips_ms) / _PAIRS)
    for name, place in (("p50", 0), ("p99", 1)):
        added = shares["relayed"][place] - shares["direct"][place]
        figures.add(RELAY_SECTION, Kind(f"the server adds, {name}", "ms"), added)
    figures.add(
        RELAY_SECTION, Kind("the server adds, mean", "ms"), mean(found["relayed"]) - mean(found["direct"])
    )
