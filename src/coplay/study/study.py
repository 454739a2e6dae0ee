"""A study: an experiment, defined in one Python file."""

import re
from collections.abc import Sequence

from coplay.errors import StudyError
from coplay.study.scenes import Finish, Instructions, Lobby, Play, Scene

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Study:
    """An experiment: a name, the packages it needs, and the scenes that participants go through.

    Args:
        name: Name of the study in the data: letters, digits, `-`, `_` and `.`, at most 64.
        version: Edition of the study. Change it when what participants experience changes.
        packages: Additional wheels that the browsers need, each pinned: `["cogrid==0.3.2"]`.
        relay_only: Hide participants' network addresses from each other: all connections go through the TURN
            servers given to `coplay run`, or through the study's own server.

    Attributes:
        scenes: The participant's path, in order; it ends with `scenes.Finish`.

    Raises:
        StudyError: The name or a package is invalid.
    """

    def __init__(
        self, name: str, version: str = "1", packages: Sequence[str] = (), relay_only: bool = False
    ) -> None:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise StudyError(
                f"the study is named {name!r}", "Use letters, digits, '-', '_' and '.', at most 64."
            )
        if isinstance(packages, str) or not all(isinstance(package, str) for package in packages):
            raise StudyError(
                f"packages is {packages!r}", 'Give a list of requirements: packages=["cogrid==0.3.2"].'
            )
        self.name = name
        self.version = str(version)
        self.packages = tuple(packages)
        self.relay_only = bool(relay_only)
        self.scenes: Sequence[Scene] = ()

    def __repr__(self) -> str:
        return f"Study({self.name!r}, version={self.version!r}, scenes={len(self.scenes)})"


class SceneOrderError(StudyError):
    """The scenes of a study do not form a valid path.

    Args:
        message: What is wrong.
        hint: What to do.
        index: Index of the scene at fault; None for the list as a whole.
    """

    def __init__(self, message: str, hint: str, index: int | None = None) -> None:
        super().__init__(message, hint)
        self.index = index


def check_path(study: Study) -> None:
    """Check that the scenes of a study form a path that ends.

    Raises:
        SceneOrderError: They do not. The error names the scene.
    """
    if not study.scenes:
        raise SceneOrderError(
            "the study has no scenes", "Set study.scenes = [ … ], ending with scenes.Finish()."
        )
    group: int | None = None
    last = len(study.scenes) - 1
    for index, scene in enumerate(study.scenes):
        if not isinstance(scene, Instructions | Lobby | Play | Finish):
            raise SceneOrderError(
                f"scene {index} is {scene!r}, which is not a scene",
                "Use the classes of coplay.scenes.",
                index,
            )
        if isinstance(scene, Finish) != (index == last):
            raise SceneOrderError(
                f"scene {index} is a {type(scene).__name__}, but the path ends "
                + ("there" if index < last else "without a Finish"),
                "End study.scenes with one scenes.Finish(…), and nowhere else.",
                index,
            )
        if isinstance(scene, Lobby):
            group = scene.size
        elif isinstance(scene, Play) and scene.players is not None:
            check_group(index, scene.players, group)


def check_group(index: int, people: int, group: int | None) -> None:
    """Check that the lobby before a play scene forms groups of the right size.

    Args:
        index: Index of the scene in the study.
        people: Number of seats without a bot.
        group: Group size of the last lobby before it; None if there is no lobby.

    Raises:
        SceneOrderError: The sizes do not match.
    """
    if people > 1 and group is None:
        raise SceneOrderError(
            f"scene {index} is a Play for {people} people, and no Lobby comes before it",
            f"Put scenes.Lobby(size={people}) before it, or give all seats but one to bots.",
            index,
        )
    if people > 1 and group != people:
        raise SceneOrderError(
            f"scene {index} is a Play for {people} people, but the Lobby before it makes groups of {group}",
            f"Write scenes.Lobby(size={people}), or give seats to bots.",
            index,
        )


def group_size_at(study: Study, index: int) -> int | None:
    """Return the size of a participant's group at a scene; None before the first lobby."""
    sizes = [scene.size for scene in study.scenes[:index] if isinstance(scene, Lobby)]
    return sizes[-1] if sizes else None
