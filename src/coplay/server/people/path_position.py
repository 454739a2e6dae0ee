"""Where a participant is on the path: scene, group, and game."""

from dataclasses import dataclass

from coplay.study.progress import Progress


@dataclass(slots=True)
class Group:
    """Participants who were matched in a lobby.

    Attributes:
        group_id: Random id.
        members: Participant ids, in order of arrival.
        gone: Members who will play no further game with the group.
    """

    group_id: str
    members: tuple[str, ...]
    gone: set[str]


@dataclass(slots=True)
class PathPosition:
    """Where a participant is on the path.

    Attributes:
        progress: Scene, and how the path ended.
        group: Group that they were matched into last; None before a lobby.
        game_id: Game that they are in; None outside games.
        removed_from: Game that removed them; None once they have gone on to another scene.
        waiting_since: When they began to wait for the rest of their group, in monotonic seconds, or None.
    """

    progress: Progress
    group: Group | None = None
    game_id: str | None = None
    removed_from: str | None = None
    waiting_since: float | None = None
