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
        first: The participant who clicks first, and waits in the lobby.
        second: The participant who clicks second.
        url: The address of the study.
        conditions: The conditions of the path between them; both must be in Chromium.

    Returns:
        Seconds from the second click until both of them play.
    """
    for participant in (first, second):
        arrive(participant, url)
        # This affects only connections made from now on; the runtime has been fetched at full speed.
        if conditions is not None and isinstance(participant, Chromium):
            participant.emulate(conditions)
    first.click_continue()
    first.wait_for(scene="lobby")
    clicked = time.time()
    second.click_continue()
    return max(participant.wait_for("play", "playing") for participant in (first, second)) - clicked


def reload_at_once(*participants: Chromium) -> None:
    """Reload all these pages together, so that none is back before the others have begun."""
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
