"""The hello phase: check that all peers have the same game, measure the remotes, choose the input delay.

Each hello carries a hash of every field that must be equal. A peer is ready once it has a hello from every
other peer and has measured the round trips. When all are ready, the lowest peer chooses the delay and tells
each peer how long to wait, so that frame 0 begins everywhere at about the same time. Hellos are answered
immediately and repeated every 100 ms, so the loss of any of them is harmless.
"""

from collections.abc import Sequence
from hashlib import blake2b
from math import ceil

from coplay.netcode.config import SessionConfig
from coplay.netcode.peers.remote_peer import RemotePeer
from coplay.netcode.wire.format import FIELD_HASH_SIZE, HELLO, VERSION
from coplay.netcode.wire.hello import HelloDatagram, put_hello

RESEND_INTERVAL_S = 0.1
PREDICTED_S = 0.05
"""How much of the one-way time is left to prediction; the input delay covers the rest."""
ROUND_TRIPS = 3
"""Round trips to measure before the delay is chosen, unless the first one shows that no delay is needed.

The shortest one is used, because busy threads lengthen the others while a page starts.
"""
RESIMULATION_SHARE = 0.5
"""Share of the frame time that a typical rollback may take."""


def digest_fields(config: SessionConfig) -> dict[str, bytes]:
    """Return the fields that must be equal at all peers: by name, 8 bytes of the value's BLAKE2b hash."""
    fields = {
        "protocol": str(VERSION),
        "owners": ",".join(map(str, config.owners)),
        "default_inputs": ",".join(value.hex() for value in config.default_inputs),
        "fps": repr(float(config.fps)),  # 30 and 30.0 are equal
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
    """Return the input delay, in frames, for the longest round trip of a game.

    Prediction bridges what the delay does not cover: at most 50 ms, and no more frames than can be
    re-simulated in half a frame time, so that a typical rollback goes unnoticed.

    Args:
        rtt: The longest round trip between two peers, in seconds.
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
    """The hello phase of one session, and later replies to peers that are still in their hello phase.

    Args:
        config: The rules of the game.
        remotes: All remote peers.
    """

    def __init__(self, config: SessionConfig, remotes: Sequence[RemotePeer]) -> None:
        self._config = config
        self._remotes = tuple(remotes)
        self._fields = digest_fields(config)
        self._chooses = all(config.peer < remote.peer for remote in remotes)
        self._lowest = min([config.peer, *(remote.peer for remote in remotes)])
        self._ready = False
        self.playing = False
        """True if the game of this peer has started."""
        self.next_send = -1.0
        """When to send the next hellos, in seconds."""
        self.delay: int | None = None
        """The chosen delay in frames; None until the game can start."""
        self.start_at = 0.0
        """When frame 0 is due, in seconds."""

    def tick(self, now: float) -> list[tuple[RemotePeer, bytes]]:
        """Return the hellos to all peers if they are due. A game without remote peers starts immediately."""
        if not self._remotes:
            self._start(self._config.delay or 0, now)
        if self.delay is not None or now < self.next_send:
            return []
        self.next_send = now + RESEND_INTERVAL_S
        return [(remote, self._hello(remote, now, wants_reply=True)) for remote in self._remotes]

    def receive(
        self, remote: RemotePeer, hello: HelloDatagram, now: float
    ) -> tuple[str | None, list[tuple[RemotePeer, bytes]]]:
        """Process a hello.

        Args:
            remote: The sender.
            hello: The decoded datagram.
            now: When it arrived, in seconds.

        Returns:
            The name of the first field that differs, or None; and the datagrams to send immediately.
        """
        field = None if remote.hello_received else self._difference(hello.fields)
        if field is not None:
            return field, [(remote, self._hello(remote, now))] if hello.wants_reply else []
        remote.hello_received = True
        # Hellos may be reordered, and neither of these becomes false again.
        remote.ready = remote.ready or hello.ready
        remote.playing = remote.playing or hello.playing
        remote.lacks_state = hello.anew
        remote.longest_rtt = hello.rtt
        remote.step_cost = hello.step_cost
        changed = self._advance(remote, hello, now)
        receivers = self._remotes if changed else (remote,) if hello.wants_reply else ()
        return None, [
            (other, self._hello(other, now, wants_reply=not self._measured(other))) for other in receivers
        ]

    def _measured(self, remote: RemotePeer) -> bool:
        if remote.rtt_samples == 0 or remote.rtt_samples >= ROUND_TRIPS or self._config.delay is not None:
            return remote.rtt_samples > 0
        return self._delay_for(remote.shortest_rtt) == 0

    def _delay_for(self, rtt: float) -> int:
        cost = max(self._config.step_cost, *(remote.step_cost for remote in self._remotes))
        return choose_delay(rtt, self._config.fps, cost, self._config.max_delay)

    def _advance(self, remote: RemotePeer, hello: HelloDatagram, now: float) -> bool:
        """Become ready or choose the delay, if possible by now; return True if others must be notified."""
        changed = False
        if not self._ready and all(other.hello_received and self._measured(other) for other in self._remotes):
            self._ready = changed = True
        if self.delay is not None or not self._ready or self.game_is_running or self.state_is_lost:
            return changed
        if self._chooses:
            if all(other.ready for other in self._remotes):
                delay = self._config.delay
                if delay is None:
                    delay = self._delay_for(
                        max(max(other.shortest_rtt, other.longest_rtt) for other in self._remotes)
                    )
                # The most distant peer learns of the start half a round trip later: frame 0 is due then.
                self._start(delay, now + max(other.shortest_rtt for other in self._remotes) / 2)
                changed = True
        elif remote.peer == self._lowest and hello.delay is not None:
            self._start(hello.delay, now + hello.start_in)
        return changed

    def request_hello(self, remote: RemotePeer, now: float) -> list[tuple[RemotePeer, bytes]]:
        """Return a hello to one peer that asks for one in return."""
        return [(remote, self._hello(remote, now, wants_reply=True))]

    @property
    def game_is_running(self) -> bool:
        """True if this peer restarted and others are playing, so that it must catch up with them."""
        return self._config.rejoining and any(remote.playing and not remote.left for remote in self._remotes)

    @property
    def state_is_lost(self) -> bool:
        """True if this peer and all remaining ones restarted, so that no peer has the state of the game."""
        if not self._config.rejoining:
            return False
        return all(remote.left or (remote.hello_received and remote.lacks_state) for remote in self._remotes)

    @property
    def all_hellos_received(self) -> bool:
        """True if a hello has come from every peer that has not left."""
        return all(remote.hello_received or remote.left for remote in self._remotes)

    def join_running_game(self, delay: int, now: float) -> None:
        """End the phase with the delay of a game that is running already."""
        self._ready = True
        self._start(delay, now)

    def _start(self, delay: int, start_at: float) -> None:
        self.delay = delay
        self.start_at = start_at

    def _difference(self, fields: dict[str, bytes]) -> str | None:
        # Sorted, so that both sides name the same field.
        for name in sorted({*self._fields, *fields}):
            if self._fields.get(name) != fields.get(name):
                return name
        return None

    def _hello(self, remote: RemotePeer, now: float, *, wants_reply: bool = False) -> bytes:
        hello = HelloDatagram()
        hello.wants_reply = wants_reply
        hello.ready = self._ready
        hello.playing = self.playing
        hello.anew = self._config.rejoining and not self.playing
        hello.rtt = max([0.0, *(other.shortest_rtt for other in self._remotes)])
        hello.step_cost = self._config.step_cost
        if self._chooses:
            hello.delay = self.delay
            # Counted from the arrival at the other peer, half a round trip from now.
            hello.start_in = (
                max(0.0, self.start_at - now - remote.shortest_rtt / 2) if self.delay is not None else 0.0
            )
        hello.fields = self._fields
        data = remote.start_datagram(HELLO, now)
        put_hello(data, hello)
        return bytes(data)
