"""Groups before a game: who is there, who is still waited for, and who will not come."""

from coplay.server.games.play_setup import PlaySetup
from coplay.server.people.participants import Group, Participant, Participants
from coplay.server.settings import Settings
from coplay.study.scenes import Lobby
from coplay.study.study import Study


class FormingGroups:
    """Those who wait for the rest of their group.

    Args:
        study: The study.
        settings: Limits and waits.
        visitors: The participants.
    """

    def __init__(self, study: Study, settings: Settings, visitors: Participants) -> None:
        self._study = study
        self._settings = settings
        self._visitors = visitors
        self._waiting: set[str] = set()

    def wait(self, visitor: Participant, now: float) -> tuple[Participant, ...]:
        """A participant is ready for a game; answers the whole group once all of it is, else nobody."""
        group = visitor.group
        if group is None:
            return ()
        self._waiting.add(visitor.participant_id)
        visitor.waiting_since = visitor.waiting_since or now
        members = tuple(self._visitors[member] for member in group.members)
        ready = all(each.participant_id in self._waiting and each.away_since is None for each in members)
        return members if ready else ()

    def stop(self, visitor: Participant) -> None:
        """A participant does not wait any more."""
        self._waiting.discard(visitor.participant_id)
        visitor.waiting_since = None

    def tick(self, now: float) -> list[Participant]:
        """Who waits for a group that has come apart: for someone who is away, or who did not come in time."""
        for member in list(self._waiting):
            visitor = self._visitors[member]
            group, since, away = visitor.group, visitor.waiting_since, visitor.away_since
            if group is None or since is None or member not in self._waiting:
                continue
            if away is not None and now - away >= self._settings.hold_s:
                self._lose(group, {member})
            elif now - since >= self._patience_before(visitor.progress.index):
                self._lose(group, set(group.members) - self._waiting)
        return self._stranded()

    def break_up(self, visitor: Participant) -> list[Participant]:
        """A participant will not play on with their group; answers who waits for them."""
        if visitor.group is not None:
            self._lose(visitor.group, {visitor.participant_id})
        return self._stranded()

    @staticmethod
    def is_broken(visitor: Participant, stage: PlaySetup) -> bool:
        """Whether a participant's group cannot play any more."""
        return len(stage.humans) > 1 and (visitor.group is None or bool(visitor.group.gone))

    def _lose(self, group: Group, gone: set[str]) -> None:
        group.gone |= gone
        self._waiting -= gone

    def _stranded(self) -> list[Participant]:
        waiting = (self._visitors[member] for member in sorted(self._waiting))
        return [visitor for visitor in waiting if visitor.group is not None and visitor.group.gone]

    def _patience_before(self, index: int) -> float:
        lobbies = [scene for scene in self._study.scenes[:index] if isinstance(scene, Lobby)]
        return lobbies[-1].patience_s if lobbies else 0.0
