"""Latency and loss on data channels, as Chromium can emulate them."""

from dataclasses import dataclass
from math import sqrt
from typing import Any


@dataclass(frozen=True, slots=True)
class Conditions:
    """The conditions of the path between two peers, if *both* are in Chromium and emulate them.

    Each end delays and drops both what it sends and what it receives: a datagram is delayed twice on its way,
    and a round trip four times.

    Attributes:
        rtt_ms: Round trip between the two peers, in milliseconds; 0 leaves the path alone.
        loss: Share of datagrams lost one way, 0 to 1. It needs an `rtt_ms` of at least 4: Chromium ignores
            loss where there is no latency.
    """

    rtt_ms: float = 0.0
    loss: float = 0.0

    def __post_init__(self) -> None:
        if self.loss and self.rtt_ms < 4:
            raise ValueError("Chromium drops nothing where latency is 0: ask for an RTT of at least 4 ms")

    @property
    def latency_ms(self) -> float:
        """The latency to set at each end, in milliseconds."""
        return self.rtt_ms / 4

    @property
    def loss_percent(self) -> float:
        """The loss to set at each end, in percent."""
        return 100 * (1 - sqrt(1 - self.loss))

    def parameters(self) -> dict[str, Any]:
        """Return the arguments of CDP `Network.emulateNetworkConditions`."""
        return {
            "offline": False,
            "latency": self.latency_ms,
            "downloadThroughput": -1,
            "uploadThroughput": -1,
            "packetLoss": self.loss_percent,
            # With 0 no packet would be queued, and thus none delayed.
            "packetQueueLength": 2000,
            "packetReordering": False,
        }

    def __str__(self) -> str:
        return f"{self.rtt_ms:g}ms-{100 * self.loss:g}%"
