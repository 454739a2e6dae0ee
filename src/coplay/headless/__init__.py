"""Simulates without a browser: the browsers' own Python, under Node.

All peers of a game compute in the same WebAssembly build, whose mathematics differs from this machine's in
the last digits. So games are replayed and environments checked in that build. `node_simulation` starts it;
`replay` plays recorded games again, `check` examines environments.

`robots` is the other half: synthetic people in real, headless browsers. And `join` is a participant with no
browser at all, for environments that compute the same here as in WebAssembly.
"""

from coplay.headless.peer import Outcome, PeerError, PlayedGame, join

__all__ = ["Outcome", "PeerError", "PlayedGame", "join"]
