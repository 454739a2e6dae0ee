"""Tests of the harness: emulated conditions are those requested, and both browsers can be driven."""

import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median

import pytest
from playtest import Chromium, Conditions, Firefox, Participant

PINGS = 300


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def ping_page() -> Iterator[str]:
    pages = ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(_Quiet, directory=str(Path(__file__).parent / "pages"))
    )
    threading.Thread(target=pages.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{pages.server_port}/ping.html"
    pages.shutdown()
    pages.server_close()


def _connect(first: Participant, second: Participant) -> None:
    for participant in (first, second):
        participant.run("ping.connect()")
    answer = second.run("return ping.answer(args[0])", first.run("return ping.offer()"))
    first.run("await ping.accept(args[0])", answer)
    for participant in (first, second):
        participant.run("await ping.opened()")


def _round_trips(participant: Participant, pings: int = PINGS) -> list[float]:
    return list(participant.run("return ping.measure(...args)", pings, 5, 1500))


@pytest.mark.parametrize(
    "conditions",
    [Conditions(0), Conditions(100), Conditions(200), Conditions(100, loss=0.1)],
    ids=str,
)
def test_emulated_path_has_the_requested_latency_and_loss(
    conditions: Conditions, chromium: Callable[..., Chromium], ping_page: str
) -> None:
    ada, bob = chromium("ada"), chromium("bob")
    for participant in (ada, bob):
        participant.open(ping_page)
        participant.wait_for(scene="ping", phase="playing")
        participant.emulate(conditions)
    _connect(ada, bob)
    round_trips = _round_trips(ada)
    assert conditions.rtt_ms <= median(round_trips) <= conditions.rtt_ms + 25
    came_back = len(round_trips) / PINGS
    expected = (1 - conditions.loss) ** 2
    # Four standard deviations of a binomial distribution; Chromium drops a little more than requested.
    tolerance = 4 * (expected * (1 - expected) / PINGS) ** 0.5
    assert expected - tolerance - 0.03 <= came_back <= expected + tolerance


def test_conditions_set_late_do_not_affect_an_open_connection(
    chromium: Callable[..., Chromium], ping_page: str
) -> None:
    ada, bob = chromium("ada"), chromium("bob")
    for participant in (ada, bob):
        participant.open(ping_page)
    _connect(ada, bob)
    for participant in (ada, bob):
        participant.emulate(Conditions(200))
    assert median(_round_trips(ada, 50)) < 50


def test_loss_without_latency_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 4 ms"):
        Conditions(0, loss=0.1)


def test_hidden_addresses_still_connect(chromium: Callable[..., Chromium], ping_page: str) -> None:
    ada, bob = chromium("ada", hide_addresses=True), chromium("bob", hide_addresses=True)
    for participant in (ada, bob):
        participant.open(ping_page)
    _connect(ada, bob)
    assert len(_round_trips(ada, 20)) == 20


def test_firefox_and_chromium_exchange_datagrams(
    chromium: Callable[..., Chromium], firefox: Callable[[str], Firefox], ping_page: str, tmp_path: Path
) -> None:
    ada, fox = chromium("ada"), firefox("fox")
    for participant in (ada, fox):
        participant.open(ping_page)
        participant.wait_for(scene="ping", phase="playing")
    _connect(ada, fox)
    assert len(_round_trips(fox, 50)) == 50
    fox.screenshot(tmp_path / "fox.png")
    assert (tmp_path / "fox.png").read_bytes().startswith(b"\x89PNG")
