"""Games of three and four people: one leaves or reloads, and all others record the same game."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from playtest import Chromium, CoplayServer, Export, Servers, arrive, finish

NAMES = ("ada", "bob", "cyd", "dan")


def gather(people: Sequence[Chromium], url: str) -> None:
    """Bring everyone from the start of a study into one game, and let them press random keys."""
    for person in people:
        arrive(person, url)
    for person in people:
        person.click_continue()
    for seed, person in enumerate(people):
        person.wait_for("play", "playing")
        person.play(seed)


def by_player(people: Sequence[Chromium]) -> dict[int, Chromium]:
    return {person.stats()["player_id"]: person for person in people}


def game_of(server: CoplayServer, people: Sequence[Chromium], folder: Path) -> tuple[Export, dict[str, Any]]:
    """Return the export and the game's row, after a check that all participants reported the same game."""
    (game_id,) = {person.stats()["game_id"] for person in people}
    export = Export(server.data, folder / "export")
    (game,) = export.rows("games", game_id=game_id)
    for person in people:
        for report in person.uploads.games[game_id].reports:
            assert report["chain_hash"] == game["chain_hash"]
            assert report["last_frame"] == game["frames"] - 1
    return export, game


def actions_of(export: Export, game: dict[str, Any], player: int) -> list[int]:
    rows = export.rows("inputs", game_id=game["game_id"], player_id=player)
    actions = [row["action"] for row in sorted(rows, key=lambda row: row["frame"])]
    assert len(actions) == game["frames"]
    return actions


@pytest.mark.parametrize("leaver", [pytest.param(0, marks=pytest.mark.long), 2])
def test_game_of_four_goes_on_with_a_bot_after_a_tab_is_closed(
    leaver: int, chromium: Callable[..., Chromium], servers: Servers, tmp_path: Path
) -> None:
    server = servers.serve("orchard/study.py", countdown=0, max_frames=450, hold="2 s")
    people = [chromium(name) for name in NAMES]
    gather(people, server.url)
    seats = by_player(people)
    gone = seats.pop(leaver)
    gone.wait_until("confirmed_frame", 120)
    gone.close()
    finish(*seats.values())

    export, game = game_of(server, list(seats.values()), tmp_path)
    assert game["verdict"] == "identical", game
    assert game["frames"] == 450
    assert list(game["left_early"]) == [leaver]
    (cut,) = game["cuts"]
    assert (cut["player_id"], cut["fate"]) == (leaver, "bot")
    assert 120 <= cut["last_frame"] < 250
    for player in seats:
        assert len(set(actions_of(export, game, player))) == 5
    after = actions_of(export, game, leaver)[cut["last_frame"] + 1 :]
    assert len(set(after)) > 2, "the bot walks about"


def test_reloaded_page_of_three_returns_to_the_same_seat(
    chromium: Callable[..., Chromium], servers: Servers, tmp_path: Path
) -> None:
    server = servers.serve("orchard/trio.py", countdown=0, max_frames=600, hold="30 s")
    people = [chromium(name) for name in NAMES[:3]]
    cyd = people[2]
    url = f"{server.url}/?participant=cyd"
    for person in people:
        arrive(person, url if person is cyd else server.url)
    for person in people:
        person.click_continue()
    for seed, person in enumerate(people):
        person.wait_for("play", "playing")
        person.play(seed)
    before = cyd.wait_until("confirmed_frame", 150)
    cyd.open(url)
    cyd.wait_for("play", "playing")
    back = cyd.stats()
    assert (back["game_id"], back["player_id"]) == (before["game_id"], before["player_id"])
    cyd.play(seed=9)
    finish(*people)

    export, game = game_of(server, people, tmp_path)
    assert game["verdict"] == "identical", game
    assert game["frames"] == 600
    assert not game["left_early"]
    for player in range(3):
        assert len(set(actions_of(export, game, player)[-200:])) == 5, "everyone plays to the end"


def test_game_of_three_ends_truncated_after_a_tab_is_closed(
    chromium: Callable[..., Chromium], servers: Servers, tmp_path: Path
) -> None:
    server = servers.serve(
        "orchard/trio.py", countdown=0, max_frames=600, hold="2 s", when_someone_leaves="end"
    )
    people = [chromium(name) for name in NAMES[:3]]
    gather(people, server.url)
    seats = by_player(people)
    gone = seats.pop(1)
    gone.wait_until("confirmed_frame", 150)
    gone.close()
    finish(*seats.values())
    for person in seats.values():
        assert "has left, so the game ended early" in person.page.inner_text("body")

    _, game = game_of(server, list(seats.values()), tmp_path)
    assert game["verdict"] == "truncated", game
    assert 150 <= game["frames"] < 300
    (cut,) = game["cuts"]
    assert (cut["player_id"], cut["last_frame"], cut["fate"]) == (1, game["frames"] - 1, "end")
