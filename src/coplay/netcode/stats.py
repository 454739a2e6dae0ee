"""What a session counts."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PeerStats:
    """The link to one peer."""

    rtt: float
    """Smoothed round trip in seconds; -1 until measured."""
    jitter: float
    """Smoothed change of the round trip, in seconds."""
    loss: float
    """Share of the peer's datagrams that were lost, or came after three later ones; 0 to 1."""
    advantage: float
    """Frames that the peer is ahead of us; negative when we are ahead."""
    packets_sent: int
    """Datagrams sent to the peer."""
    bytes_sent: int
    """Bytes in these datagrams."""
    packets_received: int
    """Datagrams of the peer that arrived, without duplicates."""
    rejected: int
    """Datagrams of the peer that could not be used."""


@dataclass(frozen=True, slots=True)
class SessionStats:
    """One session, from its start."""

    frame: int
    """Frames stepped; the next one has this number."""
    confirmed_frame: int
    """The last stepped frame whose every input is here, so that it cannot change again; -1 for none."""
    published_frame: int
    """The last frame given out by `Confirm`: all running peers hold its inputs; -1 for none."""
    rollbacks: int
    """How often a wrong prediction was corrected."""
    max_rollback_frames: int
    """The most frames that one rollback stepped again."""
    resimulated_frames: int
    """Frames stepped again, in all."""
    stalled_frames: int
    """Frame times in which play waited at the prediction window."""
    packets_sent: int
    """Datagrams sent."""
    bytes_sent: int
    """Bytes in these datagrams, without the overhead of the layers below."""
    packets_received: int
    """Datagrams that arrived, without duplicates."""
    rejected: int
    """Datagrams that could not be used."""
    peers: Mapping[int, PeerStats] = field(default_factory=dict)
    """By peer."""

    @classmethod
    def over(cls, peers: Mapping[int, PeerStats], **counts: int) -> "SessionStats":
        """Return the statistics with the sums over all peers."""
        return cls(
            packets_sent=sum(peer.packets_sent for peer in peers.values()),
            bytes_sent=sum(peer.bytes_sent for peer in peers.values()),
            packets_received=sum(peer.packets_received for peer in peers.values()),
            rejected=sum(peer.rejected for peer in peers.values()),
            peers=peers,
            **counts,
        )
