"""The rows of `participants`: what is stored of a person, and how they dropped out."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

StoredRow: TypeAlias = Mapping[str, Any]
DroppedOut: TypeAlias = Literal["never connected", "page closed", "game never began", "still there"]

_MOVES: Final = frozenset({"continued", "matched", "played", "game_joined"})


def participant_rows(people: Sequence[StoredRow], events: Iterable[StoredRow]) -> list[dict[str, Any]]:
    """The people of a study.

    Args:
        people: Rows of the store.
        events: All that the server tells, in order.
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
    """How somebody went who reached no end of the study, from what the server tells of them, in order."""
    found: DroppedOut = "never connected"
    for event in events:
        match event["kind"], found:
            case "left_game", _ if event["detail"].get("reason") == "never began":
                found = "game never began"
            case kind, "game never began" if kind not in _MOVES:
                pass
            case "disconnected", _:
                found = "page closed"
            case kind, _ if kind == "connected" or kind in _MOVES:
                found = "still there"
    return found
