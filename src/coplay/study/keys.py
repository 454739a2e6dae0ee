"""The mapping from keys to actions.

Keys have the names of `KeyboardEvent.key`: `"ArrowUp"`, `"Enter"`, `" "` for the space bar,
`"w"`. The arguments follow `gymnasium.utils.play` (`keys_to_action` and `noop`).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from coplay.errors import StudyError

Combination: TypeAlias = str | tuple[str, ...]
Mode: TypeAlias = Literal["held", "stroke"]

_MEANT = {
    "space": " ", "spacebar": " ", "up": "ArrowUp", "down": "ArrowDown", "left": "ArrowLeft",
    "right": "ArrowRight", "arrowup": "ArrowUp", "arrowdown": "ArrowDown", "arrowleft": "ArrowLeft",
    "arrowright": "ArrowRight", "esc": "Escape", "escape": "Escape", "return": "Enter", "enter": "Enter",
    "tab": "Tab", "shift": "Shift", "ctrl": "Control", "control": "Control", "del": "Delete",
    "delete": "Delete", "backspace": "Backspace",
}  # fmt: skip


class Keys:
    """A mapping from held keys to actions.

    Args:
        mapping: Combination of keys → action of the environment. A single key may be a plain string.
        noop: The action when no combination is held.
        mode: `"held"` repeats the action while the keys are held; `"stroke"` gives one action per key stroke.

    Raises:
        StudyError: A key name does not exist in browsers, or the mode is unknown.
    """

    def __init__(self, mapping: Mapping[Combination, Any], noop: Any = 0, mode: Mode = "held") -> None:
        if mode not in ("held", "stroke"):
            raise StudyError(f"keys have the mode {mode!r}", 'The mode is "held" or "stroke".')
        self.mapping: dict[tuple[str, ...], Any] = {
            _combination(keys): action for keys, action in mapping.items()
        }
        self.noop = noop
        self.mode: Mode = mode
        self._sets = [(frozenset(keys), action) for keys, action in self.mapping.items()]

    @property
    def names(self) -> tuple[str, ...]:
        """All mapped keys, sorted. The page keeps the browser from using them (arrows would scroll)."""
        return tuple(sorted({name for keys in self.mapping for name in keys}))

    def action(self, pressed: Sequence[str]) -> Any:
        """Return the action for the keys that are held now.

        The largest combination that is fully held wins. Among equally large ones, the one completed by the
        most recent key press wins.

        Args:
            pressed: Held keys, in order of their presses. In `"stroke"` mode, the keys struck since the last
                call.

        Returns:
            The action, or `noop`.
        """
        order = {_normal(name): place for place, name in enumerate(pressed)}
        best: tuple[int, list[int]] | None = None
        chosen = self.noop
        for keys, action in self._sets:
            if keys <= order.keys():
                rank = (len(keys), sorted((order[name] for name in keys), reverse=True))
                if best is None or rank > best:
                    best, chosen = rank, action
        return chosen

    def __repr__(self) -> str:
        return f"Keys({self.mapping!r}, noop={self.noop!r}, mode={self.mode!r})"


def arrows(
    *,
    up: Any = None,
    down: Any = None,
    left: Any = None,
    right: Any = None,
    noop: Any = 0,
    more: Mapping[Combination, Any] | None = None,
    mode: Mode = "held",
) -> Keys:
    """Map the arrow keys, each to one action.

    An arrow without an action is not used. If none of the four is given, they mean 0, 1, 2 and 3 (up, down,
    left, right).

    Args:
        up: Action of the up arrow.
        down: Action of the down arrow.
        left: Action of the left arrow.
        right: Action of the right arrow.
        noop: Action when no key is held.
        more: Additional keys and combinations.
        mode: As in `Keys`.
    """
    named = {"ArrowUp": up, "ArrowDown": down, "ArrowLeft": left, "ArrowRight": right}
    if all(action is None for action in named.values()):
        named = {name: number for number, name in enumerate(named)}
    mapping: dict[Combination, Any] = {name: action for name, action in named.items() if action is not None}
    return Keys({**mapping, **(more or {})}, noop=noop, mode=mode)


def _combination(keys: object) -> tuple[str, ...]:
    names: Iterable[object] = (
        (keys,) if isinstance(keys, str) else keys if isinstance(keys, (tuple, list)) else ()
    )
    combination = tuple(_checked(name) for name in names)
    if not combination or len(set(combination)) < len(combination):
        raise StudyError(
            f"{keys!r} is not a combination of keys", 'Write ("ArrowUp",) or ("ArrowUp", "ArrowLeft").'
        )
    return combination


def _checked(name: object) -> str:
    if not isinstance(name, str) or not name:
        raise StudyError(
            f"{name!r} is not the name of a key", 'Use the names that browsers use: "ArrowUp", " ", "w".'
        )
    meant = _MEANT.get(name.lower())
    if meant is not None and name != meant:
        raise StudyError(f"{name!r} is not the name of a key", f"Browsers call it {meant!r}.")
    return _normal(name)


def _normal(name: str) -> str:
    # Shift turns "w" into "W"; the player means the same key.
    return name.lower() if len(name) == 1 else name
