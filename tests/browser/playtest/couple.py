"""Two people going through a study together, with the conditions in place before their browsers connect."""

import time

from playtest.chromium import Chromium
from playtest.conditions import Conditions
from playtest.participant import Participant


def arrive(participant: Participant, url: str) -> None:
    """Open a study and read its first page until the runtime behind it is loaded."""
    participant.open(url)
    participant.wait_for(scene="instructions")
    participant.wait_for_runtime()


def meet(first: Participant, second: Participant, url: str, conditions: Conditions | None = None) -> float:
    """Bring two people from the start of a study into their game.

    Args:
        first: Who clicks first, and so waits in the lobby.
        second: Who clicks then.
        url: Of the study.
        conditions: What the path between them is to be like; both must be Chromium.

    Returns:
        Seconds from the second click to both of them playing.
    """
    for participant in (first, second):
        arrive(participant, url)
        # Only connections made from here on are shaped; the runtime has been fetched at full speed.
        if conditions is not None and isinstance(participant, Chromium):
            participant.emulate(conditions)
    first.click_continue()
    first.wait_for(scene="lobby")
    clicked = time.time()
    second.click_continue()
    return max(participant.wait_for("play", "playing") for participant in (first, second)) - clicked


def reload_at_once(*participants: Chromium) -> None:
    """Load all these pages anew, none of them after another has come back."""
    for participant in participants:
        participant.begin_reload()
    for participant in participants:
        participant.end_reload()


def finish(*participants: Participant, timeout_s: float = 90) -> None:
    """Wait until everyone's game has ended and everyone is at the end of the study."""
    for participant in participants:
        participant.wait_for("play", "ended", timeout_s)
    for participant in participants:
        participant.wait_for("finish", timeout_s=30)
