"""The state that a session keeps for each remote peer, including sequence numbers and round-trip times.

Every datagram carries a sequence number and acknowledges the newest one received. An acknowledged datagram
arrived whole: the acknowledgement covers the checksums in it, and the send time yields the round trip.

Source: sequence and ack in every packet after Gaffer on Games; jitter after RFC 3550, section 6.4.1.
"""

from coplay.netcode.input_queue import NO_FRAME
from coplay.netcode.stats import PeerStats
from coplay.netcode.time_sync import TimeSync
from coplay.netcode.wire.format import (
    CLOSING_ACKED,
    CLOSING_AGREED,
    HOLD_UNKNOWN,
    NOTHING_RECEIVED,
    VERSION,
)

# Datagrams whose send time is kept. The index is the low byte of the sequence number.
_RECENT = 256
# Duplicates are recognized among the last 64 sequence numbers.
_SEEN_MASK = (1 << 64) - 1
_LOSS_MEMORY = 256
# SCTP retransmits a message that three later ones have overtaken: one that arrives after them was lost.
_OVERTAKEN = 3


class RemotePeer:
    """A remote peer, as this peer knows it.

    Args:
        peer: Number of the remote peer.
        seats: The players whose inputs it supplies.
        players: How many players the game has.
        epoch: Number of the connection.
        now: Seconds.
    """

    __slots__ = (
        "_arrived",
        "_checksums_in",
        "_expected",
        "_received_seq",
        "_seen",
        "_sent_at",
        "_seq",
        "advantage",
        "bytes_sent",
        "catching_up",
        "chain",
        "chain_last_frame",
        "checksums_acked",
        "closing_bits",
        "compared_through",
        "detail",
        "detail_frame",
        "epoch",
        "equal_through",
        "first_desync",
        "foreign_versions",
        "frame",
        "frame_received_at",
        "hello_received",
        "in_desync",
        "jitter",
        "lacks_state",
        "last",
        "leave_suspected",
        "left",
        "left_players",
        "longest_rtt",
        "packets_received",
        "packets_sent",
        "peer",
        "pending_checksums",
        "player_mask",
        "playing",
        "ready",
        "received_at",
        "rejected",
        "remote_advantage",
        "reply_after",
        "restarted",
        "rtt",
        "rtt_samples",
        "settled_players",
        "shortest_rtt",
        "step_cost",
        "suspected",
        "time_sync",
    )

    def __init__(self, peer: int, seats: tuple[int, ...], players: int, epoch: int, now: float) -> None:
        self.peer = peer
        self.player_mask = sum(1 << seat for seat in seats)
        """Bitmask of the players that the peer owned at the start."""
        self.packets_sent = self.bytes_sent = self.packets_received = self.rejected = 0
        self.foreign_versions = 0
        """Hellos of another protocol version that came from the peer."""
        self.left = False
        """True once the peer counts as gone."""
        self.leave_suspected = False
        """True if only other peers reported the leave, and not the peer itself or an authority."""
        self.restarted = False
        """True if the peer's process has ever restarted."""
        self.first_desync: int | None = None
        """The first frame at which the states were found to differ."""
        self.reset(players, epoch, now)

    def reset(self, players: int, epoch: int, now: float) -> None:
        """Reset everything about the peer's process, because a new process without any state replaced it."""
        self.epoch = epoch
        """Number of the connection; datagrams of another epoch are dropped."""
        self._seq = 0xFFFF
        self._received_seq = -1
        self._seen = 0
        self._sent_at = [now] * _RECENT
        self._checksums_in = [0] * _RECENT
        self._expected = 0.0
        self._arrived = 0.0
        self.received_at = now
        """When the newest datagram arrived, in seconds."""
        self.suspected = False
        """True while the peer has been silent for too long."""
        self.catching_up = False
        """True from a restart of the peer's process until the new process plays."""
        self.rtt = -1.0
        """Smoothed round-trip time in seconds; -1 until it is measured."""
        self.shortest_rtt = -1.0
        self.rtt_samples = 0
        self.jitter = 0.0
        # Hello
        self.hello_received = False
        self.playing = False
        """True if the peer's game has started, as its hello says."""
        self.lacks_state = False
        """True if the peer restarted and has not caught up with the game, as its hello says."""
        self.ready = False
        self.longest_rtt = 0.0
        """The longest round trip that the peer measured to any other peer, in seconds."""
        self.step_cost = 0.0
        # Play
        self.frame = -1
        """Frames that the peer has stepped, as its newest datagram says."""
        self.frame_received_at = now
        self.last = [-1] * players
        """Per player, the last frame whose input the peer holds."""
        self.left_players = 0
        """Bitmask of the players who left, as the peer reports."""
        self.settled_players = 0
        """Bitmask of the players whose last input is settled, as the peer reports; 0 while the peer and this
        one do not know of the same leaves."""
        self.time_sync = TimeSync()
        self.advantage = 0.0
        self.remote_advantage = 0.0
        # Checksums
        self.checksums_acked = 0
        self.compared_through = -1
        self.equal_through = -1
        """The last frame whose states were found equal."""
        self.in_desync = False
        """True if the states differed at the last comparison."""
        self.pending_checksums: dict[int, int] = {}
        """By frame, checksums of the peer that wait for the local checksum."""
        self.detail_frame = -1
        self.detail: list[int] = []
        """The peer's checksums of successive frames up to `detail_frame`, sent after a desync."""
        # Closing
        self.chain: bytes | None = None
        """The hash of the peer's log, once it has come."""
        self.chain_last_frame = NO_FRAME
        """The last frame of the peer's log, or `NO_FRAME` before its hash has come."""
        self.closing_bits = 0
        self.reply_after = now
        """Unexpected datagrams are not answered before this time, in seconds: a rate limit."""

    def start_datagram(self, kind: int, now: float, checksums: int = 0) -> bytearray:
        """Return the header of the next datagram to this peer.

        Args:
            kind: `HELLO`, `PLAY`, `BYE`, `OUT` or `STATE`.
            now: Seconds.
            checksums: How many local checksums the peer will hold once this datagram has arrived.
        """
        self._seq = seq = (self._seq + 1) & 0xFFFF
        slot = seq & 0xFF
        self._sent_at[slot] = now
        self._checksums_in[slot] = checksums
        ack = self._received_seq
        if ack < 0:
            ack = 0
            hold = NOTHING_RECEIVED
        else:
            hold = int((now - self.received_at) * 1000 + 0.5)
            if hold > HOLD_UNKNOWN:
                hold = HOLD_UNKNOWN
            elif hold < 0:
                hold = 0
        return bytearray((VERSION << 4 | kind, self.epoch, seq & 0xFF, seq >> 8, ack & 0xFF, ack >> 8, hold))

    def count_sent(self, size: int) -> None:
        """Add a datagram of `size` bytes to the statistics."""
        self.packets_sent += 1
        self.bytes_sent += size

    def receive_header(self, data: bytes, now: float) -> bool | None:
        """Process the header of a datagram of at least 7 bytes.

        Returns:
            True for the newest datagram so far, False for one that was overtaken, None for a duplicate.
        """
        seq = data[2] | data[3] << 8
        # Sequence numbers wrap: the half of the range ahead of the newest one counts as newer.
        newest = self._received_seq
        ahead = (seq - newest) & 0xFFFF if newest >= 0 else 1
        fresh = 0 < ahead < 0x8000
        if fresh:
            self._received_seq = seq
            self._seen = (self._seen << ahead | 1) & _SEEN_MASK if ahead < 64 else 1
            self.received_at = now
            self._expected += ahead if ahead < _LOSS_MEMORY else 1
            self._arrived += 1
            if self._expected > _LOSS_MEMORY:
                self._expected /= 2
                self._arrived /= 2
        else:
            # An older one cannot be recognized as a duplicate; processing it again is harmless.
            behind = (newest - seq) & 0xFFFF
            if behind < 64:
                if self._seen >> behind & 1:
                    return None
                self._seen |= 1 << behind
                if behind < _OVERTAKEN:
                    self._arrived += 1
        self.packets_received += 1
        if data[6] != NOTHING_RECEIVED:
            self._acknowledged(data[4] | data[5] << 8, data[6], now, fresh)
        return fresh

    def _acknowledged(self, ack: int, hold: int, now: float, fresh: bool) -> None:
        age = (self._seq - ack) & 0xFFFF
        if age >= _RECENT:
            return
        slot = ack & 0xFF
        if self._checksums_in[slot] > self.checksums_acked:
            self.checksums_acked = self._checksums_in[slot]
        # An overtaken datagram acknowledges late, so its round trip would be too long.
        if not fresh or hold >= HOLD_UNKNOWN:
            return
        sample = now - self._sent_at[slot] - hold / 1000
        if sample < 0:
            sample = 0.0
        self.rtt_samples += 1
        if self.rtt < 0:
            self.rtt = self.shortest_rtt = sample
            self.jitter = 0.0
        else:
            if sample < self.shortest_rtt:
                self.shortest_rtt = sample
            deviation = sample - self.rtt
            self.rtt += deviation / 8
            self.jitter += (abs(deviation) - self.jitter) / 16

    @property
    def loss(self) -> float:
        """Share of the peer's last 256 or so datagrams that were lost or retransmitted; 0 to 1."""
        if self._expected <= 0:
            return 0.0
        return min(1.0, max(0.0, 1.0 - self._arrived / self._expected))

    @property
    def stats(self) -> PeerStats:
        """Statistics of the datagrams to and from this peer."""
        return PeerStats(
            rtt=self.rtt,
            jitter=self.jitter,
            loss=self.loss,
            advantage=self.advantage,
            packets_sent=self.packets_sent,
            bytes_sent=self.bytes_sent,
            packets_received=self.packets_received,
            rejected=self.rejected,
        )

    # The end of the game

    def receive_closing(self, bits: int, last_frame: int, chain: bytes) -> bool:
        """Store a closing section; return True if anything in it is new.

        The first hash counts: a peer cannot change its log after the end.

        Args:
            bits: `CLOSING_…` bits; those that were received once stay set.
            last_frame: The last frame of the peer's log; -1 for none.
            chain: The 16-byte hash of the peer's log.
        """
        is_new = self.chain is None or bool(bits & ~self.closing_bits)
        if self.chain is None:
            self.chain = chain
            self.chain_last_frame = last_frame
        self.closing_bits |= bits
        return is_new

    @property
    def has_local_chain(self) -> bool:
        """True if the peer has received the hash of the local log."""
        return bool(self.closing_bits & CLOSING_ACKED)

    @property
    def has_verdict(self) -> bool:
        """True if the peer has reached its verdict."""
        return bool(self.closing_bits & CLOSING_AGREED)
