"""A researcher watches a running game of two people from the middle on."""

import re
from collections.abc import Callable
from pathlib import Path

from playtest import Chromium, CoplayServer, finish, meet, short_study


def test_late_spectator_sees_the_game_to_its_end(chromium: Callable[..., Chromium], tmp_path: Path) -> None:
    study = short_study("volley/study.py", tmp_path / "server" / "study", countdown=0, max_frames=600)
    server = CoplayServer(("run", str(study)), tmp_path / "server")
    server.wait_until_serving()
    try:
        ada, bob, eve = chromium("ada"), chromium("bob"), chromium("eve")
        meet(ada, bob, server.url)
        for seed, person in enumerate((ada, bob)):
            person.play(seed)
        ada.wait_until("confirmed_frame", 150)
        (link,) = re.findall(r"watch the games at (\S+)", server.log())
        eve.open(link)
        eve.click("watch")
        eve.run(
            "while (!(Number(document.body.dataset.frame) > 100))"
            " await new Promise((go) => setTimeout(go, 50))"
        )
        eve.screenshot(tmp_path / "watching.png")
        finish(ada, bob)
        frames = ada.stats()["confirmed_frame"] + 1
        eve.run(
            "while (document.body.dataset.phase !== 'ended') await new Promise((go) => setTimeout(go, 100))"
        )
        assert eve.run("return Number(document.body.dataset.frame)") == frames
        shown = eve.run("return document.querySelector('.scores').innerText")
        assert len(re.findall(r"\d", shown)) >= 4, shown
    finally:
        server.stop()
