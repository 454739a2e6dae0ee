"""Every kind of event in the table `events`: who tells of it, and what it says."""

from typing import Final

SERVER: Final[dict[str, str]] = {
    # A person's path
    "arrived": "a page of the study was loaded; `visit` counts a person's pages",
    "connected": "the page opened its connection to the server; `resumed` if it went on with a former one",
    "disconnected": "the page lost its connection to the server, or was closed",
    "continued": "they pressed the button of a page; `scene` is where they are now",
    "matched": "the lobby put them into a group; `scene` is where they are now",
    "waited": "the lobby's patience ended; nobody came",
    "left": "they pressed the button that leaves the study",
    "played": "their game is over; `scene` is where they are now",
    "went_away": "the lobby gave their place up: their page was gone for too long",
    "prepared": "the page has loaded what the game of `scene` needs",
    # Games
    "game_joined": "they got a seat in a game",
    "connection_lost": "the page of a seat lost the server, or was closed; its seat is held for a while",
    "connection_back": "the page of a seat has the server again",
    "rejoined": "a page that was loaded anew got its seat back",
    "left_game": "they are out of the game before its end; `reason` says why",
    "game_over": "their page reported the end of the game, and all its data is stored",
    "game_lost": "no page has the game's state any more; it cannot go on",
    "game_skipped": "their game was not played; they went on",
    # What was uploaded
    "copies_differ": "two players' copies of the inputs differ, first at `frame`",
    "batch_conflict": "another batch came with the number of one that is stored; the first one stands",
    "report_conflict": "another report of the end came than the one that is stored; the first one stands",
    # What a page of ours does not do
    "signal_refused": "a message to another player was not passed on; `reason` says why",
    "resume_kept": "the page has its next token: the one before is worth nothing any more",
    "token_replayed": "somebody came with a token that is worth nothing any more",
}

BROWSER: Final[dict[str, str]] = {
    "hidden": "the page was hidden: another tab or window is in front",
    "shown": "the page was shown again",
    "link_open": "the data channel to `peer` is open",
    "link_closed": "the data channel to `peer` is closed",
    "link_changed": "`peer` is reached another way: direct, turn, or relay (through the study's server)",
    "running": "all players are there: frame 0 is next",
    "delay_chosen": "the frames between a key and its effect, `delay`, were chosen or changed",
    "peer_suspected": "nothing was heard of `peer` for a second",
    "peer_back": "`peer` was heard again",
    "peer_left": "`peer` is no longer part of the game, for all that remain",
    "peer_returned": "the page of `peer` was loaded anew and comes back into the game",
    "rejoined": "this page came back into its game, and plays from `frame` on",
    "seat_cut": "all agree that `last_frame` is the last one with an input of `player`'s person",
    "desync_found": "the state before `frame` differs from that of `peer`",
    "desync_located": "`frame` is the first one whose state differs",
    "desync_explained": "what differs: `paths`",
    "resynced": "this page took over the state of `peer`, from `frame` on",
    "datagram_rejected": "a datagram from `peer` could not be used; only the first ones are told",
}
"""In CamelCase in a browser's own words."""
