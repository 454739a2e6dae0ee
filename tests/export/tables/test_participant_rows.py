"""How people dropped out is derived from the events that the server recorded."""

from typing import Any

import pytest

from coplay.export.tables.participant_rows import dropped_out, participant_rows


def told(*kinds: str) -> list[dict[str, Any]]:
    """Events of these kinds; `left_game` with its reason after a colon."""
    return [{"kind": kind.partition(":")[0], "detail": {"reason": kind.partition(":")[2]}} for kind in kinds]


@pytest.mark.parametrize(
    ("kinds", "how"),
    [
        ((), "never connected"),
        (("arrived",), "never connected"),
        (("arrived", "connected"), "still there"),
        (("arrived", "connected", "continued"), "still there"),
        (("arrived", "connected", "disconnected"), "page closed"),
        (("arrived", "connected", "disconnected", "went_away"), "page closed"),
        (("connected", "disconnected", "arrived", "connected"), "still there"),
        (("connected", "game_joined", "connection_lost", "disconnected", "left_game:connection lost"),
         "page closed"),
        (("connected", "game_joined", "left_game:never began"), "game never began"),
        (("connected", "game_joined", "left_game:never began", "disconnected"), "game never began"),
        (("connected", "game_joined", "left_game:never began", "connected", "continued"), "still there"),
    ],
)  # fmt: skip
def test_drop_out_is_derived_from_the_events(kinds: tuple[str, ...], how: str) -> None:
    assert dropped_out(told(*kinds)) == how


def test_only_people_without_an_end_dropped_out_and_studies_are_kept_apart() -> None:
    people = [
        {"study": "a", "participant_id": "x", "ended_how": None, "scene": 2},
        {"study": "b", "participant_id": "x", "ended_how": None, "scene": 0},
        {"study": "a", "participant_id": "y", "ended_how": "completed", "scene": 3},
    ]
    events = [{"study": "a", "participant_id": "x", "kind": "connected", "detail": {}}]
    rows = participant_rows(people, events)
    assert [row["dropped_out"] for row in rows] == ["still there", "never connected", None]
    assert [row["last_scene"] for row in rows] == [2, 0, 3]
