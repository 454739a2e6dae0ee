"""Statistics of a session and of its remote peers."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PeerStats:
    """Statistics of the datagrams to and from one peer."""

    rtt: float
    """Smoothed round-trip time in seconds; -1 until it is measured."""
    jitter: float
    """Smoothed deviation of the round-trip time, in seconds."""
    loss: float
    """Share of the peer's datagrams that were lost, or overtaken by three later ones; 0 to 1."""
    advantage: float
    """Frames that the peer is ahead of this one; negative if this one is ahead."""
    packets_sent: int
    """Datagrams sent to the peer."""
    bytes_sent: int
    """Bytes in the datagrams sent to the peer."""
    packets_received: int
    """Datagrams received from the peer, without duplicates."""
    rejected: int
    """Datagrams from the peer that were dropped as unusable."""


@dataclass(frozen=True, slots=True)
class SessionStats:
    """Statistics of one session since its start."""

    frame: int
    """Frames stepped; the next one has this number."""
    confirmed_frame: int
    """The last stepped frame for which all inputs have arrived, so that it cannot change; -1 for none."""
    published_frame: int
    """The last frame given to `Confirm`, whose inputs all running peers hold; -1 for none."""
    rollbacks: int
    """Rollbacks, each of which corrected a wrong prediction."""
    max_rollback_frames: int
    """The most frames that one rollback re-simulated."""
    resimulated_frames: int
    """Frames that were re-simulated, in total."""
    stalled_frames: int
    """Frame times in which the game waited at the prediction window."""
    packets_sent: int
    """Datagrams sent."""
    bytes_sent: int
    """Bytes in the datagrams sent, without the headers of the layers below."""
    packets_received: int
    """Datagrams received, without duplicates."""
    rejected: int
    """Datagrams dropped as unusable."""
    peers: Mapping[int, PeerStats] = field(default_factory=dict)
    """Statistics of each remote peer."""

    @classmethod
    def with_totals(cls, peers: Mapping[int, PeerStats], **counts: int) -> "SessionStats":
        """Return session statistics that add up the datagrams of all peers."""
        return cls(
            packets_sent=sum(peer.packets_sent for peer in peers.values()),
            bytes_sent=sum(peer.bytes_sent for peer in peers.values()),
            packets_received=sum(peer.packets_received for peer in peers.values()),
            rejected=sum(peer.rejected for peer in peers.values()),
            peers=peers,
            **counts,
        )
