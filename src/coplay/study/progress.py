"""A participant's path through a study, as a state machine without I/O.

A `Progress` is where a participant is; `after` answers what an event makes of it. An event that does not
apply where they are (a second click, a message that was late) changes nothing, so it is answered with the
same progress.

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
    """What moves a participant on."""

    CONTINUED = "continued"
    """They pressed the button of a page."""
    MATCHED = "matched"
    """The lobby put them into a group."""
    WAITED = "waited"
    """The lobby's patience ended."""
    PLAYED = "played"
    """Their game is over, or cannot be played any more."""
    LEFT = "left"
    """They chose to leave."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a participant is.

    Attributes:
        index: The scene, by its place in the study.
        ending: How the path ended; empty while it goes on.
    """

    index: int = 0
    ending: Ending = ""

    @property
    def finished(self) -> bool:
        """Whether nothing more is to come."""
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
    """Where a new participant is."""
    return _arrived(study, Progress())


def after(study: Study, progress: Progress, event: PathEvent) -> Progress:
    """What an event makes of a participant's progress; the same object if the event does not apply."""
    if progress.finished:
        return progress
    ending = _NEXT.get((type(study.scenes[progress.index]), event))
    if ending is None:
        return progress
    if ending:
        return replace(progress, ending=ending)
    return _arrived(study, Progress(progress.index + 1))


def scene_of(study: Study, progress: Progress) -> Scene:
    """What a participant sees."""
    scene = study.scenes[progress.index]
    if progress.ending == "left":
        return _LEFT
    if progress.ending == "waited" and isinstance(scene, Lobby):
        return scene.otherwise
    return scene


def _arrived(study: Study, progress: Progress) -> Progress:
    at_the_end = isinstance(study.scenes[progress.index], Finish)
    return replace(progress, ending="completed") if at_the_end else progress
