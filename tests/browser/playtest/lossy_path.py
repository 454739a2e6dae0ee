"""A path of datagrams between browsers that delays, drops and reorders them, the same way for the same seed.

It stands between the browsers' own sockets: each learns, instead of the other's address, a port of this
process, which passes on what comes. So all that WebRTC sends meets it, the handshakes of ICE and DTLS too,
each way once.
"""

import contextlib
import heapq
import random
import selectors
import socket
import threading
import time
from pathlib import Path

from playtest.chromium import Chromium

_SCRIPT = (Path(__file__).parent / "path.js").read_text("utf-8")
_Address = tuple[str, int]


class LossyPath:
    """Such a path, for as many browsers as are put on it.

    Args:
        latency_ms: How long a datagram takes, one way.
        jitter_ms: How much longer it may take; those that follow may overtake it.
        loss: Share of the datagrams that is lost, 0 to 1.
        seed: Which.

    Attributes:
        carried: How many datagrams were passed on.
        lost: How many were not.
    """

    def __init__(
        self, latency_ms: float, *, jitter_ms: float = 0.0, loss: float = 0.0, seed: int = 0
    ) -> None:
        self.carried = self.lost = 0
        self._latency_s, self._jitter_s, self._loss = latency_ms / 1000, jitter_ms / 1000, loss
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        # Each browser's socket has one of ours, from which it seems to send.
        self._ours: dict[_Address, socket.socket] = {}
        self._whose: dict[socket.socket, _Address] = {}
        self._under_way: list[tuple[float, int, socket.socket, _Address, bytes]] = []
        self._selector = selectors.DefaultSelector()
        self._ended, self._end = socket.socketpair()
        self._selector.register(self._ended, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._carry, name="lossy path", daemon=True)
        self._thread.start()

    def join(self, participant: Chromium) -> None:
        """Put a participant on it, whose page has not been opened yet."""
        participant.page.context.expose_function("throughPath", self._port_for)
        participant.page.context.add_init_script(_SCRIPT)

    def close(self) -> None:
        """Cut it."""
        self._end.close()
        self._thread.join(10)
        for ours in self._whose:
            ours.close()
        self._ended.close()
        self._selector.close()

    def _port_for(self, address: str, port: int) -> int | None:
        """Which of our ports stands for a browser's; None for an address that it cannot have here."""
        try:
            socket.inet_aton(address)
            return int(self._standing_for((address, port)).getsockname()[1])
        except OSError:
            return None

    def _standing_for(self, theirs: _Address) -> socket.socket:
        with self._lock:
            if theirs not in self._ours:
                ours = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                ours.setblocking(False)
                ours.bind((theirs[0], 0))
                self._ours[theirs] = ours
                self._whose[ours] = theirs
                self._selector.register(ours, selectors.EVENT_READ)
            return self._ours[theirs]

    def _carry(self) -> None:
        count = 0
        while True:
            wait = self._under_way[0][0] - time.monotonic() if self._under_way else 0.05
            # Never for long: a new socket may have been registered meanwhile.
            for key, _ in self._selector.select(min(max(wait, 0), 0.05)):
                if key.fileobj is self._ended:
                    return
                here = key.fileobj
                assert isinstance(here, socket.socket)
                with contextlib.suppress(BlockingIOError, ConnectionError):
                    while True:
                        data, sender = here.recvfrom(4096)
                        count += 1
                        self._take(count, here, sender, data)
            while self._under_way and self._under_way[0][0] <= time.monotonic():
                _, _, ours, to, data = heapq.heappop(self._under_way)
                with contextlib.suppress(OSError):
                    ours.sendto(data, to)
                    self.carried += 1

    def _take(self, count: int, here: socket.socket, sender: _Address, data: bytes) -> None:
        if self._random.random() < self._loss:
            self.lost += 1
            return
        due = time.monotonic() + self._latency_s + self._jitter_s * self._random.random()
        ours = self._standing_for(sender)
        heapq.heappush(self._under_way, (due, count, ours, self._whose[here], data))
