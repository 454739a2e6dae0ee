"""The rules of a lobby, without I/O: who waits, who is matched, whose patience has run out.

Matching is first come, first served among the connected participants. A participant whose connection dropped
keeps their place for `hold_s` seconds but is not matched meanwhile, so that no game starts with a ghost.
"""

from dataclasses import dataclass
from typing import TypeAlias

from coplay.messages.to_page import LobbyState


@dataclass(frozen=True, slots=True)
class Matched:
    """A group was formed.

    Attributes:
        members: Participant ids, in order of arrival.
    """

    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PatienceExceeded:
    """A participant has waited for as long as the lobby allows.

    Attributes:
        member: Participant id.
    """

    member: str


@dataclass(frozen=True, slots=True)
class WentAway:
    """A disconnected participant did not reconnect in time.

    Attributes:
        member: Participant id.
    """

    member: str


LobbyEffect: TypeAlias = Matched | PatienceExceeded | WentAway


@dataclass(slots=True)
class _Place:
    since: float
    away_since: float | None = None


class LobbyQueue:
    """The queue of participants who wait in one lobby.

    Args:
        size: Number of participants in a group.
        patience_s: Longest wait, in seconds.
        hold_s: How long the place of a disconnected participant is kept, in seconds.
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
        """Participants with a place, in order of arrival."""
        return tuple(self._places)

    def join(self, member: str, now: float) -> None:
        """Add a participant at the end. A participant with a place keeps it and counts as connected again."""
        self._places.setdefault(member, _Place(now)).away_since = None

    def drop(self, member: str, now: float) -> None:
        """Mark a participant as disconnected; does nothing without a place."""
        place = self._places.get(member)
        if place is not None and place.away_since is None:
            place.away_since = now

    def leave(self, member: str) -> None:
        """Remove a participant; does nothing without a place."""
        self._places.pop(member, None)

    def tick(self, now: float) -> list[LobbyEffect]:
        """Match and time out participants. Everyone named in the effects has lost their place.

        Args:
            now: Monotonic seconds.
        """
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
        """Return the state of the lobby, as a waiting participant's page shows it.

        Args:
            member: The participant's id.
            now: Monotonic seconds.

        Raises:
            KeyError: `member` has no place here.
        """
        place = self._places[member]
        present = len(self._present())
        missing = max(0, self._size - present)
        reason = f"Waiting for {missing} more {'person' if missing == 1 else 'people'} to come."
        return LobbyState(
            present=present,
            size=self._size,
            waited_s=max(0.0, now - place.since),
            patience_s=self._patience_s,
            reason=reason,
        )

    def _present(self) -> list[str]:
        return [member for member, place in self._places.items() if place.away_since is None]
