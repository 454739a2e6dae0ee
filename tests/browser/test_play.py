"""Two people in two browser processes, with channel latency and loss, finish and record the same game."""

from collections.abc import Callable
from pathlib import Path
from statistics import mean, median
from typing import Any

import pytest
from playtest import Chromium, Conditions, Servers, assert_agreed, finish, meet

VOLLEY = {"max_frames": 600, "countdown": 0}
OVERCOOKED = {"episodes": 1, "max_frames": 300, "countdown": 0}


def _case(example: str, conditions: Conditions, *marks: pytest.MarkDecorator, **changes: object) -> Any:
    """Return one row of the matrix: an example, and the conditions of the path."""
    fixed = VOLLEY if example == "volley" else OVERCOOKED
    # A fixed input delay, because six delayed frames could hide 200 ms at 30 fps, without any rollbacks.
    delay = {"input_delay": 1} if conditions.rtt_ms else {}
    given = (f"{example}/study.py", {**fixed, **delay, **changes}, conditions)
    return pytest.param(*given, marks=marks, id=f"{example}-{conditions}")


CASES = [
    _case("volley", Conditions(0), episodes=2, max_frames=300),
    _case("volley", Conditions(100), pytest.mark.long),
    _case("volley", Conditions(200), pytest.mark.long),
    _case("volley", Conditions(100, loss=0.1)),
    _case("volley", Conditions(200, loss=0.1), pytest.mark.long),
    _case("overcooked", Conditions(0)),
    _case("overcooked", Conditions(100), pytest.mark.long),
    _case("overcooked", Conditions(200), pytest.mark.long),
    _case("overcooked", Conditions(200, loss=0.1)),
]

# Ticks that waiting adds to the path's latency: datagrams are sent and read between ticks, at both ends.
SLACK_TICKS = 3.6


def tick_ms(stats: dict[str, Any], fps: float) -> float:
    """Return the mean duration of a tick in ms: a frame's time, or longer if the machine cannot keep up."""
    steps = (stats["frame"] + stats["resimulated_frames"]) / stats["frame"]
    return float(max(1000 / fps, steps * stats["step_ms_p50"]))


@pytest.mark.parametrize(("example", "changes", "conditions"), CASES)
def test_two_people_finish_with_the_same_game(
    example: str,
    changes: dict[str, object],
    conditions: Conditions,
    chromium: Callable[..., Chromium],
    servers: Servers,
    tmp_path: Path,
) -> None:
    server = servers.serve(example, **changes)
    # One run uses the browsers' default, which hides local addresses.
    ada, bob = (chromium(name, hide_addresses=conditions.rtt_ms == 0) for name in ("ada", "bob"))
    meet(ada, bob, server.url, conditions)
    for seed, participant in enumerate((ada, bob), 1):
        participant.play(seed)
        participant.wait_for_link("direct")
    finish(ada, bob)

    frames = int(str(changes["max_frames"])) * int(str(changes.get("episodes", 1)))
    export = assert_agreed(server, [ada, bob], tmp_path, least_frames=frames // 2)
    (game,) = export.rows("games", game_id=ada.stats()["game_id"])
    slack_ms = SLACK_TICKS * max(tick_ms(each.stats(), game["fps"]) for each in (ada, bob))
    for participant in (ada, bob):
        stats = participant.stats()
        seconds = export.rows("net", game_id=stats["game_id"], player_id=stats["player_id"])
        # A busy machine may fall back on the server for a moment, but most of the game uses the path.
        assert mean(row["link"] == "direct" for row in seconds) > 0.5
        measured_ms = [row["rtt_ms"] for row in seconds if row["rtt_ms"] is not None]
        # Never faster than requested; slower only while this machine is busy, which is not every second.
        assert min(measured_ms) >= 0
        assert median(measured_ms) >= conditions.rtt_ms - 10
        assert min(measured_ms) <= conditions.rtt_ms + slack_ms
        # The browser's own checks do not wait for ticks, so they are closer to the path's latency.
        checked_ms = [row["browser_rtt_ms"] for row in seconds if row["browser_rtt_ms"] is not None]
        assert len(checked_ms) >= len(seconds) // 2
        assert conditions.rtt_ms - 10 <= min(checked_ms) <= conditions.rtt_ms + 30
        # Headers of UDP, DTLS and SCTP are more than half of a datagram of this size.
        sent = sum(row["bytes_sent"] for row in seconds)
        assert sum(row["path_bytes_sent"] or 0 for row in seconds) > 1.5 * sent
        assert {row["buffered_amount"] for row in seconds if row["buffered_amount"] is not None} >= {0}
        assert stats["paths"].keys() == stats["buffered_amount"].keys() == stats["rtt_ms"].keys()
        assert all(path["bytes_received"] > stats["bytes_sent"] // 2 for path in stats["paths"].values())
        if conditions.rtt_ms >= 100:
            assert stats["rollbacks"] > 0
            assert stats["resimulated_frames"] >= stats["rollbacks"]
        assert participant.problems == []
        assert participant.policy_violations() == []


def test_firefox_and_chromium_finish_with_the_same_game(
    chromium: Callable[..., Chromium], firefox: Callable[[str], object], servers: Servers, tmp_path: Path
) -> None:
    server = servers.serve("volley/study.py", **VOLLEY)
    ada, fox = chromium("ada"), firefox("fox")
    meet(ada, fox, server.url)
    ada.play(seed=5)
    fox.play(seed=6)
    fox.wait_for_link("direct")
    finish(ada, fox)
    assert_agreed(server, [ada, fox], tmp_path, least_frames=300)
