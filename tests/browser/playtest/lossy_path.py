"""A path between browsers that delays, drops and reorders datagrams, deterministically for a seed.

It is a UDP proxy between the browsers' sockets: instead of the other's address, each browser learns a port of
this process, which forwards the datagrams. So everything that WebRTC sends passes through it once each way,
including the handshakes of ICE and DTLS.
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
    """A lossy path between any number of browsers.

    Args:
        latency_ms: Delay of each datagram, one way, in milliseconds.
        jitter_ms: The largest random delay that is added, so that later datagrams may overtake earlier ones.
        loss: Share of the datagrams that are dropped, 0 to 1.
        seed: Seed of the random numbers.

    Attributes:
        carried: How many datagrams were forwarded.
        lost: How many datagrams were dropped.
    """

    def __init__(
        self, latency_ms: float, *, jitter_ms: float = 0.0, loss: float = 0.0, seed: int = 0
    ) -> None:
        self.carried = self.lost = 0
        self._latency_s, self._jitter_s, self._loss = latency_ms / 1000, jitter_ms / 1000, loss
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        # Each browser's socket has one of ours, which the other browsers see as the sender.
        self._ours: dict[_Address, socket.socket] = {}
        self._whose: dict[socket.socket, _Address] = {}
        self._under_way: list[tuple[float, int, socket.socket, _Address, bytes]] = []
        self._selector = selectors.DefaultSelector()
        self._ended, self._end = socket.socketpair()
        self._selector.register(self._ended, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._carry, name="lossy path", daemon=True)
        self._thread.start()

    def join(self, participant: Chromium) -> None:
        """Put a participant, whose page has not been opened yet, on the path."""
        participant.page.context.expose_function("throughPath", self._port_for)
        participant.page.context.add_init_script(_SCRIPT)

    def close(self) -> None:
        """Close the path: nothing is forwarded any more."""
        self._end.close()
        self._thread.join(10)
        for ours in self._whose:
            ours.close()
        self._ended.close()
        self._selector.close()

    def _port_for(self, address: str, port: int) -> int | None:
        """Return the port of ours that replaces a browser's; None if the address is not on this machine."""
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
            # A short time-out, because another thread may register a new socket meanwhile.
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
