"""A peer whose inputs arrive a known number of frames late, on a virtual clock.

It runs in CPython and in the browsers' Python, so it imports only the part of coplay that runs there.
"""

from random import Random

from coplay.browser.driver import Driver
from coplay.envs import ActionCodec
from coplay.netcode import Checksum, Event, RollbackSession, SaveState, SendDatagram, StepAgain

FPS = 60.0


class Hands:
    """A source of inputs that holds an action for some frames, and then another one.

    Args:
        codec: The codec of the seat's actions.
        hold: The number of frames for which each action is held; 0 to hold the first one forever.
    """

    def __init__(self, codec: ActionCodec, hold: int) -> None:
        self._random = Random(3)
        self._codec = codec
        self._hold = hold
        self._frames = 0
        self.default = self.action = codec.default

    def frame_advanced(self) -> None:
        """Count a frame, and change the action once it was held for long enough."""
        self._frames += 1
        while self._hold and self._frames % self._hold == 0:
            action = self._codec.sample(self._random)
            if action != self.action:
                self.action = action
                break


class Late:
    """A network between two peers on which each input arrives `depth` frames after its frame."""

    def __init__(self, depth: int) -> None:
        self.now = 0.0
        self._latency = (depth - 0.5) / FPS
        self._under_way: tuple[list[tuple[float, bytes]], list[tuple[float, bytes]]] = ([], [])

    def send(self, receiver: int, data: bytes) -> None:
        """Send a datagram to one of the two peers."""
        self._under_way[receiver].append((self.now + self._latency, data))

    def arrived(self, receiver: int) -> list[tuple[int, bytes, float]]:
        """Remove and return the datagrams that have arrived by now, as (sender, bytes, time of arrival)."""
        waiting = self._under_way[receiver]
        found = []
        while waiting and waiting[0][0] <= self.now:
            at, data = waiting.pop(0)
            found.append((1 - receiver, data, at))
        return found


class Near:
    """The driver's host."""

    def __init__(self, wire: Late) -> None:
        self._wire = wire

    def send(self, peer: int, data: bytes) -> None:
        self._wire.send(peer, data)

    def happened(self, event: Event) -> None: ...


class Far:
    """The other peer: a session without a simulation, which copies the driver's checksums."""

    def __init__(self, session: RollbackSession, hands: Hands, wire: Late, driver: Driver) -> None:
        self.session = session
        self._hands, self._wire, self._driver = hands, wire, driver
        self._asked: list[int] = []

    def tick(self) -> None:
        """Receive what has arrived, play one frame, and send the session's datagrams."""
        session, now = self.session, self._wire.now
        for peer, data, at in self._wire.arrived(1):
            session.receive_datagram(peer, data, at)
        frame = session.current_frame
        session.add_local_input(1, self._hands.action, now)
        session.tick(now)
        if session.current_frame > frame:
            self._hands.frame_advanced()
        for effect in session.effects():
            match effect:
                case SendDatagram():
                    self._wire.send(effect.peer, effect.data)
                case SaveState():
                    session.state_saved(effect.frame)
                case StepAgain():
                    for saved, _ in enumerate(effect.inputs, start=effect.frame + 1):
                        session.state_saved(saved)
                case Checksum():
                    self._asked.append(effect.frame)
        known = self._driver.last_checksum
        if known is not None and self._asked and self._asked[0] == known[0]:
            session.checksum_computed(self._asked.pop(0), known[1])
