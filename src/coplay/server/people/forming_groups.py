"""Groups that form before a game: who is ready, who is still missing, and which groups have broken up."""

from coplay.server.games.play_setup import PlaySetup
from coplay.server.people.participants import Participant, Participants
from coplay.server.people.path_position import Group, PathPosition
from coplay.server.settings import Settings
from coplay.study.scenes import Lobby
from coplay.study.study import Study


class FormingGroups:
    """Participants who are ready for a game and wait for the rest of their group.

    Args:
        study: The study.
        settings: Limits and waits.
        participants: The participants.
    """

    def __init__(self, study: Study, settings: Settings, participants: Participants) -> None:
        self._study = study
        self._settings = settings
        self._participants = participants
        self._waiting: set[str] = set()

    def wait(self, participant: Participant, now: float) -> tuple[Participant, ...]:
        """Add a participant who is ready for a game.

        Args:
            participant: The participant.
            now: Monotonic seconds.

        Returns:
            The whole group in its order, if every member is ready and connected; otherwise nobody.
        """
        position = participant.position
        if position.group is None:
            return ()
        self._waiting.add(participant.participant_id)
        if position.waiting_since is None:
            position.waiting_since = now
        members = tuple(self._participants[member] for member in position.group.members)
        return members if all(self._is_ready(member) for member in members) else ()

    def stop(self, participant: Participant) -> None:
        """Remove a participant; does nothing if they are not waiting."""
        self._waiting.discard(participant.participant_id)
        participant.position.waiting_since = None

    def tick(self, now: float) -> list[Participant]:
        """Break up groups with a member who is away or late; return the members who wait in broken groups."""
        for participant_id in list(self._waiting):
            participant = self._participants[participant_id]
            position, away_since = participant.position, participant.attendance.away_since
            # Another member's turn in this loop may have removed this one.
            if (
                position.group is None
                or position.waiting_since is None
                or participant_id not in self._waiting
            ):
                continue
            if away_since is not None and now - away_since >= self._settings.lobby_hold_s:
                self._lose(position.group, {participant_id})
            elif now - position.waiting_since >= self._patience_before_s(position.progress.index):
                self._lose(position.group, set(position.group.members) - self._waiting)
        return self._stranded()

    def break_up(self, participant: Participant) -> list[Participant]:
        """Remove a participant from their group for good; return the members who wait in broken groups."""
        if participant.position.group is not None:
            self._lose(participant.position.group, {participant.participant_id})
        return self._stranded()

    @staticmethod
    def is_broken(position: PathPosition, play_setup: PlaySetup) -> bool:
        """Return True if the group can no longer play this scene."""
        return len(play_setup.humans) > 1 and (position.group is None or bool(position.group.gone))

    def _is_ready(self, participant: Participant) -> bool:
        return participant.participant_id in self._waiting and not participant.attendance.is_away

    def _lose(self, group: Group, gone: set[str]) -> None:
        group.gone |= gone
        self._waiting -= gone

    def _stranded(self) -> list[Participant]:
        waiting = (self._participants[member] for member in sorted(self._waiting))
        return [each for each in waiting if each.position.group is not None and each.position.group.gone]

    def _patience_before_s(self, index: int) -> float:
        # A group waits for its last member as long as the lobby before the game waits for a match.
        lobbies = [scene for scene in self._study.scenes[:index] if isinstance(scene, Lobby)]
        return lobbies[-1].patience_s if lobbies else 0.0
