"""Simulates without a browser: the browsers' own Python, under Node.

All peers of a game compute in the same WebAssembly build, whose mathematics differs from this machine's in
the last digits. So games are replayed and environments checked in that build. `node_simulation` starts it;
`replay` plays recorded games again, `check` examines environments.

`robots` is the other half: synthetic people in real, headless browsers. And `join` is a participant with no
browser at all, for environments that compute the same here as in WebAssembly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coplay.headless.joining import Outcome, PeerError, PlayedGame, join

__all__ = ["Outcome", "PeerError", "PlayedGame", "join"]


def __getattr__(name: str) -> Any:
    # Importing this package stays cheap: aiohttp and aiortc load with the first use of `join`.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from coplay.headless import joining

    globals()[name] = value = getattr(joining, name)
    return value
