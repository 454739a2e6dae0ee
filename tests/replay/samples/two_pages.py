"""Two participants' workers in one process of the browsers' Python, over a wire with latency and loss.

Request: `{config, spoiled, at}`. `config` is the `game` message without what differs between the players;
`spoiled` is the player whose simulation goes wrong in the step of frame `at` until it is repaired, or null.
Reply: `{batches: [[player, number, base64]], reports: [report of player 0, of player 1]}`.
"""

import base64
import heapq
import json
import random
import time
from typing import Any

from pyodide.ffi import to_js

from coplay.browser.worker import Worker, create
from coplay.envs import wasm_stubs

LATENCY_S, LOSS = 0.05, 0.1


class Page:
    """Stands in for the JavaScript around one worker."""

    def __init__(self, wire: "Wire", player: int, config: dict[str, Any]) -> None:
        self.wire, self.player = wire, player
        self.batches: list[list[Any]] = []
        self.report: dict[str, Any] = {}
        self.inbox: list[tuple[int, Any, float]] = []
        self.due = 0.0
        self.worker: Worker = create(self, "study")
        both = {str(other): 0 for other in (0, 1)}
        mine = {"player_id": player, "incarnations": both, "rejoining": False, "left": []}
        mine |= {"epochs": {}, "ice_servers": [], "token": ""}
        self.worker.start(json.dumps(config | mine))

    def post(self, text: str) -> None:
        message = json.loads(text)
        if message["kind"] == "report":
            self.report = message

    def draw(self, *_: object) -> None:
        pass

    def send(self, _: int, data: Any) -> None:
        self.wire.send(self.player, data)

    def upload(self, number: int, data: Any) -> None:
        self.batches.append([self.player, number, base64.b64encode(data.to_bytes()).decode()])

    def buffered(self, _: int) -> int:
        return 0

    def tick(self, now: float) -> None:
        arrived, self.inbox = self.inbox, []
        self.due = self.worker.tick(now, arrived)


class Wire:
    """The network between both pages, in virtual time."""

    def __init__(self) -> None:
        self.now = time.perf_counter()
        self._random = random.Random(4)
        self._queue: list[tuple[float, int, int, Any]] = []
        self._count = 0

    def send(self, sender: int, data: Any) -> None:
        self._count += 1
        if self._random.random() >= LOSS:
            heapq.heappush(self._queue, (self.now + LATENCY_S, self._count, sender, data))

    def arrived(self) -> list[tuple[float, int, int, Any]]:
        found = []
        while self._queue and self._queue[0][0] <= self.now:
            found.append(heapq.heappop(self._queue))
        return found


def answer(request_json: str) -> str:
    request = json.loads(request_json)
    wasm_stubs.install()
    wire = Wire()
    pages = [Page(wire, player, request["config"]) for player in (0, 1)]
    if request["spoiled"] is not None:
        spoil(pages[request["spoiled"]], request["at"], repaired_by=pages[1])
    fingers = random.Random(8)
    ends = wire.now + 120
    while not all(page.report for page in pages):
        if wire.now > ends:
            return json.dumps({"error": "the game does not end"})
        wire.now += 0.004
        for at, _, sender, data in wire.arrived():
            pages[1 - sender].inbox.append((sender, data, at))
        for page in pages:
            if fingers.random() < 0.03:
                names = fingers.sample(["ArrowLeft", "ArrowRight"], fingers.randrange(2))
                page.worker.keys(to_js(names))
            if page.inbox or wire.now >= page.due:
                page.tick(wire.now)
    batches = [batch for page in pages for batch in page.batches]
    return json.dumps({"batches": batches, "reports": [page.report for page in pages]})


def spoil(page: Page, at: int, repaired_by: Page) -> None:
    """Let the step of one frame go wrong at one page, every time it is stepped, until it is repaired."""
    game = page.worker._game.driver.game  # type: ignore[union-attr]
    step = game.environment.step

    def spoiled_step(actions: Any) -> Any:
        outcome = step(actions)
        repaired = any(row.resynced_at for row in repaired_by.worker._game.desync_log.rows())
        if game.frame == at and not repaired:
            game.environment.unwrapped.angles += 1.0
        return outcome

    game.environment.step = spoiled_step  # type: ignore[method-assign]
