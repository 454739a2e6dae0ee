r"""A participant's path through a study, as a state machine without I/O.

A `Progress` is a position on the path; `after` returns the position after an event. An event that does not
apply at the current scene (a second click, a late message) changes nothing: the same `Progress` is returned.

| Where \\ event | CONTINUED | MATCHED | WAITED | PLAYED | LEFT |
|---|---|---|---|---|---|
| Instructions | next | | | | ending: left |
| Lobby | | next | ending: waited | | ending: left |
| Play | | | | next | ending: left |
| Finish, or an ending | | | | | |
"""

from dataclasses import dataclass, replace
from enum import Enum
from typing import Literal, TypeAlias

from coplay.study.scenes import Finish, Instructions, Lobby, Play, Scene
from coplay.study.study import Study

Ending: TypeAlias = Literal["", "completed", "waited", "left"]

_LEFT = Finish("You have left the study. Thank you for the time you gave.", title="You left")


class PathEvent(Enum):
    """An event that moves a participant along the path."""

    CONTINUED = "continued"
    """They pressed the button of a page."""
    MATCHED = "matched"
    """The lobby put them into a group."""
    WAITED = "waited"
    """They waited in the lobby for as long as it allows."""
    PLAYED = "played"
    """Their game is over, or can no longer be played."""
    LEFT = "left"
    """They chose to leave."""


@dataclass(frozen=True, slots=True)
class Progress:
    """A participant's position on the path.

    Attributes:
        index: Index of the scene in the study.
        ending: How the path ended; empty while it goes on.
    """

    index: int = 0
    ending: Ending = ""

    @property
    def finished(self) -> bool:
        """True if the path has ended."""
        return bool(self.ending)


_NEXT: dict[tuple[type, PathEvent], Ending] = {
    (Instructions, PathEvent.CONTINUED): "",
    (Lobby, PathEvent.MATCHED): "",
    (Play, PathEvent.PLAYED): "",
    (Lobby, PathEvent.WAITED): "waited",
    (Instructions, PathEvent.LEFT): "left",
    (Lobby, PathEvent.LEFT): "left",
    (Play, PathEvent.LEFT): "left",
}


def start(study: Study) -> Progress:
    """Return the position of a new participant."""
    return _arrived(study, Progress())


def after(study: Study, progress: Progress, event: PathEvent) -> Progress:
    """Return the position after an event; the same object if the event does not apply."""
    if progress.finished:
        return progress
    ending = _NEXT.get((type(study.scenes[progress.index]), event))
    if ending is None:
        return progress
    if ending:
        return replace(progress, ending=ending)
    return _arrived(study, Progress(progress.index + 1))


def scene_of(study: Study, progress: Progress) -> Scene:
    """Return the scene that a participant sees."""
    scene = study.scenes[progress.index]
    if progress.ending == "left":
        return _LEFT
    if progress.ending == "waited" and isinstance(scene, Lobby):
        return scene.otherwise
    return scene


def _arrived(study: Study, progress: Progress) -> Progress:
    at_the_end = isinstance(study.scenes[progress.index], Finish)
    return replace(progress, ending="completed") if at_the_end else progress
