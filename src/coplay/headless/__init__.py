"""A participant without a browser: `join` goes through a study over HTTP, Socket.IO and WebRTC.

It simulates in this machine's CPython, so it is for environments that compute the same here as in
WebAssembly; `coplay check` reports whether they do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coplay.headless.outcome import Outcome, PeerError, PlayedGame

if TYPE_CHECKING:
    from coplay.headless.joining import join

__all__ = ["Outcome", "PeerError", "PlayedGame", "join"]


def __getattr__(name: str) -> Any:
    # `import coplay.headless` stays cheap and works without the optional packages: aiohttp and aiortc load
    # with the first use of `join`.
    if name != "join":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from coplay.headless.joining import join

    globals()[name] = join
    return join
