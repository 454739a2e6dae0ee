"""The lobbies of a study, and those who wait in them."""

from coplay.server.event_log import EventLog
from coplay.server.messenger import Messenger
from coplay.server.settings import Settings
from coplay.study.matching import LobbyQueue, Matched, PatienceExceeded, WentAway
from coplay.study.scenes import Lobby
from coplay.study.study import Study


class Lobbies:
    """Keeps everyone's place, and tells them how it stands.

    Args:
        study: The study.
        settings: Limits and waits.
        messenger: Reaches the pages.
        recorder: Writes down who went away.
    """

    def __init__(self, study: Study, settings: Settings, messenger: Messenger, recorder: EventLog) -> None:
        self._messenger = messenger
        self._recorder = recorder
        self._every_s = settings.lobby_every_s
        self._queues = {
            index: LobbyQueue(scene.size, scene.patience_s, settings.hold_s)
            for index, scene in enumerate(study.scenes)
            if isinstance(scene, Lobby)
        }
        self._told: dict[int, float] = {}

    @property
    def indices(self) -> list[int]:
        """The scenes that are lobbies."""
        return list(self._queues)

    def join(self, index: int, member: str, now: float) -> None:
        """A participant is in a lobby, perhaps again."""
        self._queues[index].join(member, now)

    def drop(self, index: int, member: str, now: float) -> None:
        """The connection of someone is gone, who may or may not wait here."""
        queue = self._queues.get(index)
        if queue is not None and member in queue:
            queue.drop(member, now)
            self.tell(index, now)

    def leave(self, index: int, member: str, now: float) -> None:
        """Someone goes, who may or may not wait here."""
        queue = self._queues.get(index)
        if queue is not None and member in queue:
            queue.leave(member)
            self.tell(index, now)

    def tick(self, index: int, now: float) -> list[Matched | PatienceExceeded]:
        """Who leaves a lobby now, and how; those who stay are told how it stands if that is news, or time.

        Args:
            index: The lobby's scene.
            now: Monotonic seconds.
        """
        due: list[Matched | PatienceExceeded] = []
        effects = self._queues[index].tick(now)
        for effect in effects:
            if isinstance(effect, WentAway):
                self._recorder.event("went_away", effect.member, scene=index)
            else:
                due.append(effect)
        if effects or now - self._told.get(index, 0.0) >= self._every_s:
            self.tell(index, now)
        return due

    def tell(self, index: int, now: float) -> None:
        """Tell those who wait how it stands."""
        self._told[index] = now
        queue = self._queues[index]
        for member in queue.members:
            self._messenger.mention(member, queue.state(member, now))
