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
        group: Group that they were matched into last.
        game_id: Game that they are in.
        removed_from: Game that went on without them, until their page has been told.
        waiting_since: Since when they wait for the rest of their group, in monotonic seconds.
    """

    progress: Progress
    group: Group | None = None
    game_id: str | None = None
    removed_from: str | None = None
    waiting_since: float | None = None
