"""The lobbies of a study, and the participants who wait in them."""

from coplay.server.event_log import EventLog
from coplay.server.messenger import Messenger
from coplay.server.settings import Settings
from coplay.study.matching import LobbyQueue, Matched, PatienceExceeded, WentAway
from coplay.study.scenes import Lobby
from coplay.study.study import Study


class Lobbies:
    """The queue of each lobby, whose state is sent to everyone who waits there.

    Args:
        study: The study.
        settings: Limits and waits.
        messenger: Sends the state of a lobby to the pages.
        event_log: Records participants who did not come back in time.
    """

    def __init__(self, study: Study, settings: Settings, messenger: Messenger, event_log: EventLog) -> None:
        self._messenger = messenger
        self._event_log = event_log
        self._every_s = settings.lobby_every_s
        self._queues = {
            index: LobbyQueue(scene.size, scene.patience_s, settings.lobby_hold_s)
            for index, scene in enumerate(study.scenes)
            if isinstance(scene, Lobby)
        }
        self._told_at: dict[int, float] = {}

    @property
    def indices(self) -> list[int]:
        """Scene indices of the lobbies."""
        return list(self._queues)

    def join(self, index: int, participant_id: str, now: float) -> None:
        """Add a participant to a lobby; one who has a place there keeps it and counts as connected again.

        Args:
            index: Scene index of the lobby.
            participant_id: The participant.
            now: Monotonic seconds.
        """
        self._queues[index].join(participant_id, now)

    def drop(self, index: int, participant_id: str, now: float) -> None:
        """Mark a participant as disconnected; does nothing if they do not wait in this scene.

        Args:
            index: Scene index of the participant; it need not be a lobby.
            participant_id: The participant.
            now: Monotonic seconds.
        """
        queue = self._queues.get(index)
        if queue is not None and participant_id in queue:
            queue.drop(participant_id, now)
            self.tell(index, now)

    def leave(self, index: int, participant_id: str, now: float) -> None:
        """Remove a participant; does nothing if they do not wait in this scene.

        Args:
            index: Scene index of the participant; it need not be a lobby.
            participant_id: The participant.
            now: Monotonic seconds.
        """
        queue = self._queues.get(index)
        if queue is not None and participant_id in queue:
            queue.leave(participant_id)
            self.tell(index, now)

    def tick(self, index: int, now: float) -> list[Matched | PatienceExceeded]:
        """Match and time out participants; send the others the lobby's state if it changed or is due.

        Args:
            index: Scene index of the lobby.
            now: Monotonic seconds.

        Returns:
            The participants who leave, matched or out of patience. Those who did not come back in time are
            not listed.
        """
        leaving: list[Matched | PatienceExceeded] = []
        effects = self._queues[index].tick(now)
        for effect in effects:
            if isinstance(effect, WentAway):
                self._event_log.event("went_away", effect.member, scene=index)
            else:
                leaving.append(effect)
        if effects or now - self._told_at.get(index, 0.0) >= self._every_s:
            self.tell(index, now)
        return leaving

    def tell(self, index: int, now: float) -> None:
        """Send the state of a lobby to everyone who waits there."""
        self._told_at[index] = now
        queue = self._queues[index]
        for participant_id in queue.members:
            self._messenger.post_volatile(participant_id, queue.state(participant_id, now))
