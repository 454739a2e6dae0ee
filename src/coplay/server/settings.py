"""The waits and limits of a server."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """How long things may take.

    Attributes:
        hold_s: How long the place of a dropped connection is kept in a lobby; a play scene has its own.
        resume_s: The longest that a seat in a game is kept for a page that has no socket, but plays on.
        begin_s: How long a browser may take to bring the first frames of a game.
        tick_s: How often lobbies and games are looked after.
        lobby_every_s: How often those who wait are told how it stands, if nothing changes.
        token_s: How long a token is valid.
        arrivals_a_second: How many pages one address may load, in the long run; a laboratory shares one.
        arrival_burst: How many pages one address may load at once.
        uploads_a_second: How often one player may upload, in the long run.
        upload_burst: How many uploads may come at once, as after a network was away.
    """

    hold_s: float = 10.0
    resume_s: float = 60.0
    begin_s: float = 120.0
    tick_s: float = 0.25
    lobby_every_s: float = 1.0
    token_s: float = 24 * 3600.0
    arrivals_a_second: float = 5.0
    arrival_burst: float = 100.0
    uploads_a_second: float = 20.0
    upload_burst: float = 200.0
