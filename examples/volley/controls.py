"""The keys of Volley: the arrows, or W, A, D; the space bar jumps, too."""

from coplay import keys

_LEFT, _RIGHT, _JUMP = ("ArrowLeft", "a"), ("ArrowRight", "d"), ("ArrowUp", "w", " ")

KEYS = keys.Keys(
    dict.fromkeys(_LEFT, 1)
    | dict.fromkeys(_RIGHT, 2)
    | dict.fromkeys(_JUMP, 3)
    | {(key, jump): 4 for key in _LEFT for jump in _JUMP}
    | {(key, jump): 5 for key in _RIGHT for jump in _JUMP},
    noop=0,
)
TEXT = "**←** **→** run, **↑** or **space** jumps (or **A** **D** **W**). Three hits in a row at most."
