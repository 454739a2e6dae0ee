"""The hello: have all peers the same game, how long are the links, and which input delay is played with.

Each greeting carries a hash of every field that must be equal. A peer is ready once it has met and measured
all others. When all are ready the lowest peer chooses the delay and tells each peer how long to wait, so that
frame 0 begins everywhere at about the same time. Greetings are answered at once and repeated every 100 ms:
none is waited for.
"""

from collections.abc import Sequence
from hashlib import blake2b
from math import ceil

from coplay.netcode.config import SessionConfig
from coplay.netcode.peers.link import RemotePeer
from coplay.netcode.wire.format import FIELD_HASH_SIZE, HELLO, VERSION
from coplay.netcode.wire.hello import HelloDatagram, put_hello

RESEND_S = 0.1
FOREIGN_VERSIONS_LIMIT = 3
PREDICTED_S = 0.05
"""Up to this much of the way from peer to peer is left to prediction; the input delay covers the rest."""
ROUND_TRIPS = 3
"""How many round trips are measured before a delay is chosen, unless the first says that none is needed. The
shortest counts: what makes one longer, while everything starts, is not the path."""
RESIMULATION_SHARE = 0.5
"""The share of a frame's time that a typical rollback may take."""


def digest_fields(config: SessionConfig) -> dict[str, bytes]:
    """Return what must be equal at all peers: by name, 8 bytes of the value's BLAKE2b hash."""
    fields = {
        "protocol": str(VERSION),
        "owners": ",".join(map(str, config.owners)),
        "default_inputs": ",".join(value.hex() for value in config.default_inputs),
        "fps": repr(float(config.fps)),
        "delay": "auto" if config.delay is None else str(config.delay),
        "max_prediction": str(config.max_prediction),
        "checksum_interval": str(config.checksum_interval),
        "fates": ",".join(config.fates),
        "on_desync": config.on_desync,
    }
    fields.update(config.digest)
    return {
        name: blake2b(str(value).encode(), digest_size=FIELD_HASH_SIZE).digest()
        for name, value in sorted(fields.items())
    }


def choose_delay(rtt: float, fps: float, step_cost: float, max_delay: int) -> int:
    """Return the input delay, in frames, for the longest link of a game.

    What the delay does not cover is predicted: at most 50 ms, and no more frames than can be simulated again
    in half a frame's time, so that a typical rollback is neither seen nor felt.

    Args:
        rtt: The longest round trip between any two peers, in seconds.
        fps: Frames per second.
        step_cost: Seconds that one environment step takes at the slowest peer.
        max_delay: The upper limit, in frames.
    """
    way = ceil(rtt / 2 * fps - 0.25)
    predicted = max(1, round(PREDICTED_S * fps))
    if step_cost > 0:
        predicted = min(predicted, max(1, int(RESIMULATION_SHARE / (fps * step_cost))))
    return max(0, min(max_delay, way - predicted))


class HelloPhase:
    """The hello phase of one session, and its answers to peers that are still in theirs.

    Args:
        config: The session's rules.
        links: One per remote peer.
    """

    def __init__(self, config: SessionConfig, links: Sequence[RemotePeer]) -> None:
        self._config = config
        self._links = tuple(links)
        self._fields = digest_fields(config)
        self._chooses = all(config.peer < link.peer for link in links)
        self._lowest = min([config.peer, *(link.peer for link in links)])
        self._ready = False
        self.playing = False
        """Whether this peer's game has begun."""
        self.next_send = -1.0
        """When to greet again, in seconds."""
        self.delay: int | None = None
        """The chosen delay in frames; once there is one the game begins."""
        self.start_at = 0.0
        """When frame 0 is due, in seconds."""

    def tick(self, now: float) -> list[tuple[RemotePeer, bytes]]:
        """Greet all peers when that is due; without any, settle at once."""
        if not self._links:
            self._settle(self._config.delay or 0, now)
        if self.delay is not None or now < self.next_send:
            return []
        self.next_send = now + RESEND_S
        return [(link, self._greeting(link, now, wants_reply=True)) for link in self._links]

    def receive(
        self, link: RemotePeer, hello: HelloDatagram, now: float
    ) -> tuple[str, list[tuple[RemotePeer, bytes]]]:
        """Take a greeting.

        Returns:
            The name of the first field that differs, or empty; and the datagrams to send at once.
        """
        field = "" if link.greeted else self._difference(hello.fields)
        if field:
            return field, [(link, self._greeting(link, now))] if hello.wants_reply else []
        link.greeted = True
        link.peer_ready = link.peer_ready or hello.ready
        link.playing = link.playing or hello.playing
        link.anew = hello.anew
        link.hello_rtt = hello.rtt
        link.step_cost = hello.step_cost
        news = self._advance(link, hello, now)
        to = self._links if news else (link,) if hello.wants_reply else ()
        return "", [
            (other, self._greeting(other, now, wants_reply=not self._is_measured(other))) for other in to
        ]

    def _is_measured(self, link: RemotePeer) -> bool:
        if link.rtt_samples == 0 or link.rtt_samples >= ROUND_TRIPS or self._config.delay is not None:
            return link.rtt_samples > 0
        return self._delay_for(link.shortest_rtt) == 0

    def _delay_for(self, rtt: float) -> int:
        cost = max(self._config.step_cost, *(link.step_cost for link in self._links))
        return choose_delay(rtt, self._config.fps, cost, self._config.max_delay)

    def _advance(self, link: RemotePeer, hello: HelloDatagram, now: float) -> bool:
        """Draw the conclusions; return whether the other peers must hear of them."""
        news = False
        if not self._ready and all(other.greeted and self._is_measured(other) for other in self._links):
            self._ready = news = True
        if self.delay is not None or not self._ready or self.late or self.lost:
            return news
        if self._chooses:
            if all(other.peer_ready for other in self._links):
                delay = self._config.delay
                if delay is None:
                    delay = self._delay_for(
                        max(max(other.shortest_rtt, other.hello_rtt) for other in self._links)
                    )
                self._settle(delay, now + max(other.shortest_rtt for other in self._links) / 2)
                news = True
        elif link.peer == self._lowest and hello.delay is not None:
            self._settle(hello.delay, now + hello.start_in)
        return news

    def greet(self, link: RemotePeer, now: float) -> list[tuple[RemotePeer, bytes]]:
        """Greet one peer, and ask for its greeting."""
        return [(link, self._greeting(link, now, wants_reply=True))]

    @property
    def late(self) -> bool:
        """Whether the others play already, so that this peer, which begins anew, must catch up with them."""
        return self._config.rejoining and any(link.playing and not link.left for link in self._links)

    @property
    def lost(self) -> bool:
        """Whether this peer began anew, and so did all that remain: nobody knows how the game stood."""
        if not self._config.rejoining:
            return False
        return all(link.left or (link.greeted and link.anew) for link in self._links)

    @property
    def all_greeted(self) -> bool:
        """Whether every peer that has not left was met."""
        return all(link.greeted or link.left for link in self._links)

    def catch_up(self, delay: int, now: float) -> None:
        """Be in a game that began long ago."""
        self._ready = True
        self._settle(delay, now)

    def _settle(self, delay: int, start_at: float) -> None:
        self.delay = delay
        self.start_at = start_at

    def _difference(self, fields: dict[str, bytes]) -> str:
        for name in sorted({*self._fields, *fields}):
            if self._fields.get(name) != fields.get(name):
                return name
        return ""

    def _greeting(self, link: RemotePeer, now: float, *, wants_reply: bool = False) -> bytes:
        hello = HelloDatagram()
        hello.wants_reply = wants_reply
        hello.ready = self._ready
        hello.playing = self.playing
        hello.anew = self._config.rejoining and not self.playing
        hello.rtt = max([0.0, *(other.shortest_rtt for other in self._links)])
        hello.step_cost = self._config.step_cost
        if self._chooses:
            hello.delay = self.delay
            hello.start_in = (
                max(0.0, self.start_at - now - link.shortest_rtt / 2) if self.delay is not None else 0.0
            )
        hello.fields = self._fields
        data = link.header(HELLO, now)
        put_hello(data, hello)
        return bytes(data)
