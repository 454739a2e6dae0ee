"""A lobby's rules: who waits, who is matched, who has waited long enough. Time is an argument, nothing is
sent here.

Matching is first come, first served among those who are present: someone whose connection dropped keeps
their place for `hold` seconds, but is not matched meanwhile, so that nobody starts with a ghost.
"""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Matched:
    """These participants are a group now, in the order they came.

    Attributes:
        members: Participant ids.
    """

    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PatienceExceeded:
    """A participant waited as long as anyone should.

    Attributes:
        member: Participant id.
    """

    member: str


@dataclass(frozen=True, slots=True)
class WentAway:
    """A participant whose connection dropped did not come back in time.

    Attributes:
        member: Participant id.
    """

    member: str


LobbyEffect: TypeAlias = Matched | PatienceExceeded | WentAway


@dataclass(frozen=True, slots=True)
class LobbyState:
    """What one waiting participant is told.

    Attributes:
        present: How many are here, this participant included.
        size: How many it takes.
        waited_s: Seconds this participant has waited.
        patience_s: The longest wait, in seconds.
        reason: Why it has not begun yet: a sentence.
    """

    present: int
    size: int
    waited_s: float
    patience_s: float
    reason: str


@dataclass(slots=True)
class _Place:
    since: float
    away_since: float | None = None


class LobbyQueue:
    """Those who wait in one lobby.

    Args:
        size: How many make a group.
        patience_s: The longest wait, in seconds.
        hold_s: How long the place of a dropped connection is kept, in seconds.
    """

    def __init__(self, size: int, patience_s: float, hold_s: float = 10.0) -> None:
        self._size = size
        self._patience_s = patience_s
        self._hold_s = hold_s
        self._places: dict[str, _Place] = {}

    def __contains__(self, member: object) -> bool:
        return member in self._places

    @property
    def members(self) -> tuple[str, ...]:
        """Everyone with a place, in the order they came."""
        return tuple(self._places)

    def join(self, member: str, now: float) -> None:
        """Take a place at the end; someone who has one already keeps it and is present again."""
        self._places.setdefault(member, _Place(now)).away_since = None

    def drop(self, member: str, now: float) -> None:
        """The connection of `member` dropped; harmless for someone without a place."""
        place = self._places.get(member)
        if place is not None and place.away_since is None:
            place.away_since = now

    def leave(self, member: str) -> None:
        """Give up a place; harmless for someone without one."""
        self._places.pop(member, None)

    def tick(self, now: float) -> list[LobbyEffect]:
        """What time and arrivals have brought; those named have no place any more."""
        effects: list[LobbyEffect] = []
        for member, place in list(self._places.items()):
            if place.away_since is not None and now - place.away_since >= self._hold_s:
                effects.append(WentAway(member))
                self.leave(member)
        # Matching comes before patience: a partner who arrives in the last moment is still a partner.
        while len(present := self._present()) >= self._size:
            group = tuple(present[: self._size])
            effects.append(Matched(group))
            for member in group:
                self.leave(member)
        for member, place in list(self._places.items()):
            if now - place.since >= self._patience_s:
                effects.append(PatienceExceeded(member))
                self.leave(member)
        return effects

    def state(self, member: str, now: float) -> LobbyState:
        """What to tell a waiting participant.

        Raises:
            KeyError: `member` has no place here.
        """
        place = self._places[member]
        present = len(self._present())
        missing = max(0, self._size - present)
        reason = f"Waiting for {missing} more {'person' if missing == 1 else 'people'} to come."
        return LobbyState(present, self._size, max(0.0, now - place.since), self._patience_s, reason)

    def _present(self) -> list[str]:
        return [member for member, place in self._places.items() if place.away_since is None]
