"""The waits, time-outs and rate limits of a server."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """Waits, time-outs and rate limits, in seconds or per second.

    Attributes:
        lobby_hold_s: How long the place of a disconnected participant is kept in a lobby. A seat in a game
            has the `hold` of its play scene.
        resume_s: The longest that a seat is kept for a page without a socket that goes on playing.
        begin_s: How long a page may take to upload the first frames of a game.
        tick_s: Interval at which lobbies and games are checked for time-outs.
        lobby_every_s: Interval at which pages in a lobby are sent its state, if nothing changes.
        token_s: How long a token is valid.
        arrivals_a_second: Rate limit of page loads from one address; a laboratory shares one address.
        arrival_burst: Page loads from one address that may come in one burst.
        uploads_a_second: Rate limit of one player's uploads.
        upload_burst: Uploads of one player that may come in one burst, as after a network outage.
    """

    lobby_hold_s: float = 10.0
    resume_s: float = 60.0
    begin_s: float = 120.0
    tick_s: float = 0.25
    lobby_every_s: float = 1.0
    token_s: float = 24 * 3600.0
    arrivals_a_second: float = 5.0
    arrival_burst: float = 100.0
    uploads_a_second: float = 20.0
    upload_burst: float = 200.0
