"""What this peer knows of one other peer, and the numbering of the datagrams between them.

Every datagram carries a sequence number and acknowledges the newest one received. An acknowledged datagram
arrived whole, so its number also tells which checksums did, and when it was sent tells the round trip.

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

_RECENT = 256
_SEEN_MASK = (1 << 64) - 1
_LOSS_MEMORY = 256
# SCTP sends again what three later ones have overtaken: what comes after so many was lost before.
_OVERTAKEN = 3


class RemotePeer:
    """One remote peer.

    Args:
        peer: Its number.
        seats: The players whose inputs it supplies.
        players: How many players the game has.
        epoch: The connection's number.
        now: Seconds.
    """

    __slots__ = (
        "_checksums_in",
        "_expected",
        "_got",
        "_received_seq",
        "_seen",
        "_sent_at",
        "_seq",
        "advantage",
        "anew",
        "answer_at",
        "bytes_sent",
        "chain",
        "chain_last_frame",
        "checksums_acked",
        "closing_bits",
        "compared_through",
        "desync",
        "detail",
        "detail_frame",
        "differs",
        "doubtful",
        "epoch",
        "equal_through",
        "foreign_versions",
        "frame",
        "frame_at",
        "greeted",
        "heard_at",
        "hello_rtt",
        "jitter",
        "joining",
        "last",
        "left",
        "left_players",
        "packets_received",
        "packets_sent",
        "peer",
        "peer_ready",
        "pending_checksums",
        "player_mask",
        "playing",
        "rejected",
        "remote_advantage",
        "returned",
        "rtt",
        "rtt_samples",
        "seats",
        "settled_players",
        "shortest_rtt",
        "step_cost",
        "suspected",
        "time_sync",
    )

    def __init__(self, peer: int, seats: tuple[int, ...], players: int, epoch: int, now: float) -> None:
        self.peer = peer
        self.seats = seats
        self.player_mask = sum(1 << seat for seat in seats)
        self.packets_sent = self.bytes_sent = self.packets_received = self.rejected = 0
        self.foreign_versions = 0
        self.left = False
        self.doubtful = False
        """Whether it is only suspected to have left: nobody who must know has said so."""
        self.returned = False
        """Whether the process at the other end has begun anew."""
        self.desync: int | None = None
        """The first frame whose states were found to differ."""
        self.begin(players, epoch, now)

    def begin(self, players: int, epoch: int, now: float) -> None:
        """Begin with a process that knows nothing yet: at first, and when it was started anew."""
        self.epoch = epoch
        """The connection's number; what carries another is dropped."""
        self._seq = 0xFFFF
        self._received_seq = -1
        self._seen = 0
        self._sent_at = [now] * _RECENT
        self._checksums_in = [0] * _RECENT
        self._expected = 0.0
        self._got = 0.0
        self.heard_at = now
        self.suspected = False
        self.joining = False
        """Whether it has begun anew and does not play yet."""
        self.rtt = -1.0
        self.shortest_rtt = -1.0
        self.rtt_samples = 0
        """Smoothed round trip in seconds; -1 until measured."""
        self.jitter = 0.0
        # Hello
        self.greeted = False
        self.playing = False
        """Whether its game has begun, by its greeting."""
        self.anew = False
        """Whether it began anew and does not know how the game stands, by its greeting."""
        self.peer_ready = False
        self.hello_rtt = 0.0
        self.step_cost = 0.0
        # Play
        self.frame = -1
        """Frames that the peer has stepped, by its newest datagram."""
        self.frame_at = now
        self.last = [-1] * players
        """Per player, the last frame whose input the peer holds."""
        self.left_players = 0
        """Bitmask of the players whose leave the peer has taken note of."""
        self.settled_players = 0
        """Bitmask of those whose end it takes for settled, as long as it knows of the same leaves as we."""
        self.time_sync = TimeSync()
        self.advantage = 0.0
        self.remote_advantage = 0.0
        # Checksums
        self.checksums_acked = 0
        self.compared_through = -1
        self.equal_through = -1
        """The last frame whose states were found equal."""
        self.differs = False
        """Whether the last states that were compared differed."""
        self.pending_checksums: dict[int, int] = {}
        self.detail_frame = -1
        self.detail: list[int] = []
        """The peer's checksums of successive frames up to `detail_frame`, when states differ."""
        # Closing
        self.chain: bytes | None = None
        self.chain_last_frame = NO_FRAME
        self.closing_bits = 0
        self.answer_at = now
        """Until then what it says out of turn is not answered again."""

    def header(self, kind: int, now: float, checksums: int = 0) -> bytearray:
        """Begin a datagram.

        Args:
            kind: HELLO, PLAY or BYE.
            now: Seconds.
            checksums: How many of our checksums the peer holds once this datagram has arrived.
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
            hold = int((now - self.heard_at) * 1000 + 0.5)
            if hold > HOLD_UNKNOWN:
                hold = HOLD_UNKNOWN
            elif hold < 0:
                hold = 0
        return bytearray((VERSION << 4 | kind, self.epoch, seq & 0xFF, seq >> 8, ack & 0xFF, ack >> 8, hold))

    def sent(self, size: int) -> None:
        """Count one datagram of `size` bytes."""
        self.packets_sent += 1
        self.bytes_sent += size

    def receive_header(self, data: bytes, now: float) -> bool | None:
        """Read the numbering of a datagram of at least 7 bytes.

        Returns:
            True when it is the newest so far, False when a newer one was here before, None when it is a
            duplicate.
        """
        seq = data[2] | data[3] << 8
        newest = self._received_seq
        ahead = (seq - newest) & 0xFFFF if newest >= 0 else 1
        fresh = 0 < ahead < 0x8000
        if fresh:
            self._received_seq = seq
            self._seen = (self._seen << ahead | 1) & _SEEN_MASK if ahead < 64 else 1
            self.heard_at = now
            self._expected += ahead if ahead < _LOSS_MEMORY else 1
            self._got += 1
            if self._expected > _LOSS_MEMORY:
                self._expected /= 2
                self._got /= 2
        else:
            behind = (newest - seq) & 0xFFFF
            if behind < 64:
                if self._seen >> behind & 1:
                    return None
                self._seen |= 1 << behind
                if behind < _OVERTAKEN:
                    self._got += 1
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
        """The share of the peer's datagrams lost on their first way, over about the last 256; 0 to 1."""
        if self._expected <= 0:
            return 0.0
        return min(1.0, max(0.0, 1.0 - self._got / self._expected))

    @property
    def stats(self) -> PeerStats:
        """What was counted and measured so far."""
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
        """Take a closing section; return whether it told something new."""
        news = self.chain is None or bool(bits & ~self.closing_bits)
        if self.chain is None:
            self.chain = chain
            self.chain_last_frame = last_frame
        self.closing_bits |= bits
        return news

    @property
    def chain_acked(self) -> bool:
        """Whether the peer has our log's hash."""
        return bool(self.closing_bits & CLOSING_ACKED)

    @property
    def agreed(self) -> bool:
        """Whether the peer has its verdict."""
        return bool(self.closing_bits & CLOSING_AGREED)
