"""All kinds of events in the table `events`, by who records them, with their meanings."""

from typing import Final

SERVER: Final[dict[str, str]] = {
    # A person's path
    "arrived": "a page of the study was loaded; `visit` counts a person's pages",
    "connected": "the page connected to the server; `resumed` if it continued an earlier connection",
    "disconnected": "the page lost its connection to the server, or was closed",
    "continued": "they pressed the continue button; `scene` is where they are now",
    "matched": "the lobby put them into a group; `scene` is where they are now",
    "waited": "they waited in the lobby as long as the study allows, and no partner came",
    "left": "they pressed the button that leaves the study",
    "played": "their game is over; `scene` is where they are now",
    "went_away": "they lost their place in the lobby: their page was gone for too long",
    "prepared": "the page has loaded everything that the game of `scene` needs",
    # Games
    "game_joined": "they got a seat in a game",
    "connection_lost": "the page of a seat lost the server or was closed; the seat is held for a while",
    "connection_back": "the page of a seat is connected to the server again",
    "rejoined": "a page that was reloaded got its seat back",
    "left_game": "they are out of the game before its end; `reason` says why",
    "game_over": "their page reported the end of the game, and all its data is stored",
    "game_lost": "no page has the game's state any more, so the game cannot continue",
    "game_skipped": "their game was not played, and they moved on to the next scene",
    # Uploads
    "copies_differ": "two players' copies of the inputs differ, first at `frame`",
    "batch_conflict": "a different batch was uploaded with the number of a stored one; the first one is kept",
    "report_conflict": "a second, different report of the end was uploaded; the first one is kept",
    # Signals and tokens
    "signal_refused": "a signal to another player was not relayed; `reason` says why",
    "resume_kept": "the page confirmed its next token; the one before is stale",
    "token_replayed": "somebody connected with a stale token",
}

BROWSER: Final[dict[str, str]] = {
    "hidden": "the page was hidden: another tab or window is in front",
    "shown": "the page was shown again",
    "link_open": "the data channel to `peer` is open",
    "link_closed": "the data channel to `peer` is closed",
    "link_changed": "`peer` is reached by another link: direct, turn, or relay (through the study's server)",
    "running": "all players are connected: frame 0 is next",
    "delay_chosen": "`delay`, the number of frames between a key press and its effect, was chosen or changed",
    "peer_suspected": "nothing was received from `peer` for a second",
    "peer_back": "`peer` sends again",
    "peer_left": "`peer` left the game, as all remaining peers agree",
    "peer_returned": "the page of `peer` was reloaded and rejoins the game",
    "rejoined": "this page rejoined its game, and plays from `frame` on",
    "seat_cut": "all peers agree on the `last_frame` that has an input of the person in seat `player`",
    "desync_found": "the state before `frame` differs from that of `peer`",
    "desync_located": "`frame` is the first one whose state differs",
    "desync_explained": "what differs: `paths`",
    "resynced": "this page adopted the state of `peer`, from `frame` on",
    "datagram_rejected": "a malformed datagram from `peer` was discarded; only the first few are recorded",
}
"""In an uploaded batch, the events of the netcode are in CamelCase: `DelayChosen` for `delay_chosen`."""
