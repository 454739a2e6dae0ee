"""The rows of the table `participants`, with the way in which each person dropped out."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

StoredRow: TypeAlias = Mapping[str, Any]
DroppedOut: TypeAlias = Literal["never connected", "page closed", "game never began", "still there"]

_MOVES: Final = frozenset({"continued", "matched", "played", "game_joined"})


def participant_rows(people: Sequence[StoredRow], events: Iterable[StoredRow]) -> list[dict[str, Any]]:
    """Return the rows of `participants`.

    Args:
        people: The rows of the database's table of participants.
        events: All events that the server recorded, in order.
    """
    by_person: dict[tuple[str, str], list[StoredRow]] = defaultdict(list)
    for event in events:
        by_person[event["study"], event["participant_id"]].append(event)
    return [
        {
            **row,
            "last_scene": row["scene"],
            "dropped_out": None
            if row["ended_how"]
            else dropped_out(by_person[row["study"], row["participant_id"]]),
        }
        for row in people
    ]


def dropped_out(events: Iterable[StoredRow]) -> DroppedOut:
    """Return how a person who reached no end of the study dropped out.

    Args:
        events: The events that the server recorded of the person, in order.
    """
    state: DroppedOut = "never connected"
    for event in events:
        match event["kind"], state:
            case "left_game", _ if event["detail"].get("reason") == "never began":
                state = "game never began"
            case kind, "game never began" if kind not in _MOVES:
                pass
            case "disconnected", _:
                state = "page closed"
            case kind, _ if kind == "connected" or kind in _MOVES:
                state = "still there"
    return state
