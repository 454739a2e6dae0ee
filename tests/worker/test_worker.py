"""A participant's worker plays a game alone; everything that it sends the page fits the schema."""

import gc
import json
import sys
import time
import weakref
from collections import Counter
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import gymnasium
import pytest
from tests.messages.schema import faults

from coplay.study import Study, keys, scenes

CONFIG = {
    "game_id": "0" * 20,
    "scene_index": 0,
    "owners": [0],
    "peers": [0],
    "seed": 7,
    "fps": 60,
    "input_delay": 0,
    "max_prediction": 8,
    "episodes": 2,
    "max_frames": 20,
    "countdown_frames": 5,
    "when_left": "end",
    "on_desync": "resync",
    "digest": {"env": "CartPole"},
    "ice_policy": "all",
    "epoch": 0,
    "player_id": 0,
    "incarnations": {"0": 0},
    "epochs": {},
    "rejoining": False,
    "left": [],
    "ice_servers": [],
    "token": "t",
}
WATCHED = {
    name: CONFIG[name]
    for name in (
        "game_id",
        "scene_index",
        "seed",
        "fps",
        "episodes",
        "max_frames",
        "countdown_frames",
        "peers",
    )
}


class Page:
    """The JavaScript around the worker."""

    def __init__(self) -> None:
        self.posted: list[dict[str, Any]] = []
        self.pictures = 0
        self.batches: list[int] = []

    def post(self, text: str) -> None:
        self.posted.append(json.loads(text))

    def draw(self, *_picture: object) -> None:
        self.pictures += 1

    def upload(self, number: int, _data: bytes) -> None:
        self.batches.append(number)

    def buffered(self, _peer: int) -> None:
        return None

    @property
    def kinds(self) -> Counter[str]:
        return Counter(message["kind"] for message in self.posted)


class HeldKeys(list[str]):
    """A JavaScript array of key names."""

    def to_py(self) -> list[str]:
        return list(self)


@pytest.fixture
def page_and_worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Page, Any]]:
    ffi = ModuleType("pyodide.ffi")
    ffi.to_js = lambda value: value  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pyodide", ModuleType("pyodide"))
    monkeypatch.setitem(sys.modules, "pyodide.ffi", ffi)
    monkeypatch.setattr("gc.disable", lambda: None)
    monkeypatch.setattr("gc.freeze", lambda: None)
    from coplay.browser import worker

    study = Study("balance")
    study.scenes = [
        scenes.Play(
            lambda: gymnasium.make("CartPole-v1"), keys=keys.Keys({"ArrowRight": 1}, noop=0), draw=draw
        ),
        scenes.Finish("Bye."),
    ]
    page = Page()
    yield page, worker.Worker(page, study)
    monkeypatch.delitem(sys.modules, "coplay.browser.worker", raising=False)


def draw(_env: Any, canvas: Any) -> None:
    canvas.view(10, 10)


def run(worker: Any, page: Page, until: str) -> None:
    started = time.perf_counter()
    for tick in range(4000):
        worker.tick(started + 0.005 * tick, None)
        if page.kinds[until]:
            return
    pytest.fail(f"no {until} among {page.kinds}")


def test_messages_of_a_whole_game_fit_the_schema(page_and_worker: tuple[Page, Any]) -> None:
    page, worker = page_and_worker
    worker.start(json.dumps(CONFIG))
    worker.keys(HeldKeys(["ArrowRight"]))
    worker.visibility(True)
    run(worker, page, "closed")
    assert [fault for message in page.posted for fault in faults("FromPython", message)] == []
    assert {"prepared", "phase", "hud", "stats", "report", "closed"} <= set(page.kinds)
    assert [message["phase"] for message in page.posted if message["kind"] == "phase"] == [
        "connecting",
        "playing",
        "ended",
    ]
    (report,) = [message for message in page.posted if message["kind"] == "report"]
    assert (report["verdict"], report["seats"], report["desyncs"]) == ("identical", [], [])
    assert page.batches == sorted(page.batches)
    assert page.pictures > 20


def test_spectator_says_how_far_it_is(page_and_worker: tuple[Page, Any]) -> None:
    page, worker = page_and_worker
    worker.watch(json.dumps({**WATCHED, "input_sizes": [1]}))
    worker.frames(0, SimpleNamespace(to_bytes=lambda: bytes(12)))
    run(worker, page, "watched")
    watched = page.posted[-1]
    assert faults("WatchedState", watched) == []
    assert watched["received"] == 12


def test_game_is_freed_without_the_garbage_collector(page_and_worker: tuple[Page, Any]) -> None:
    _, worker = page_and_worker
    worker.start(json.dumps(CONFIG))
    worker.tick(time.perf_counter(), None)
    driver = weakref.ref(worker._game.driver)
    gc.collect()
    worker.stop()
    assert driver() is None
