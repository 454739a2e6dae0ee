"""The demo: both sides on one page, with sliders that make the network worse."""

from collections.abc import Callable

from playtest import Chromium, Servers


def test_demo_plays_on_both_sides_and_sliders_worsen_the_network(
    chromium: Callable[..., Chromium], servers: Servers
) -> None:
    server = servers.demo()
    ada = chromium("ada")
    ada.open(f"{server.url}/demo")
    sides = [ada.frame("left", 0), ada.frame("right", 1)]
    for side in sides:
        side.wait_for("instructions")
    ada.page.get_by_role("button", name="Start both").click()
    for side in sides:
        side.wait_for("play", "playing", timeout_s=90)
    for seed, side in enumerate(sides):
        side.play(seed)
        side.wait_until("confirmed_frame", 60)
    assert all(max(side.stats()["rtt_ms"].values()) < 100 for side in sides)

    # Each slider affects what its side sends, so two of them make up the round trip.
    before = [side.stats()["rollbacks"] for side in sides]
    for position in (0, 1):
        ada.page.get_by_role("slider", name="Added latency").nth(position).fill("100")
    for side, rollbacks in zip(sides, before, strict=True):
        assert side.wait_until("rtt_ms", 150)
        assert side.wait_until("rollbacks", rollbacks + 5)
    assert ada.problems == []
