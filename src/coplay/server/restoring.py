"""Restores running games and groups from the store when a server starts.

The players' browsers need no server while they play, so a game may outlive its server. After a restart its
pages open new sockets with the tokens that they have, and must find their seats unchanged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select

from coplay.data.batches import NUMBERS_OF_A_PAGE
from coplay.data.database.tables import batches, events, games, groups, participants
from coplay.server.clock import iso_utc
from coplay.server.games.coordinator import GameCoordinator
from coplay.server.games.game import RunningGame, Seat
from coplay.server.games.game_config import StudyIdentity, game_config
from coplay.server.games.play_setup import PlaySetup
from coplay.server.people.participants import Participants
from coplay.server.people.path_position import Group

RESUMABLE_S: Final = 600.0
"""Seconds after the last upload of a game from which on it counts as over."""


@dataclass(slots=True)
class RestoredGame:
    """A game in the store without an end, which its players may still be playing.

    Attributes:
        row: Its row in the table `games`.
        members: `player_id` → participant id, for everyone who is still in the game.
        left: The players who left before its end.
        visits: `player_id` → visit of the page that has the seat.
        incarnations: `player_id` → number of pages that had the seat before.
        epochs: Pair of players → connection epoch.
        numbers: `player_id` → highest number of the player's batches.
    """

    row: Row[Any]
    members: dict[int, str]
    left: set[int] = field(default_factory=set)
    visits: dict[int, int] = field(default_factory=dict)
    incarnations: dict[int, int] = field(default_factory=dict)
    epochs: dict[tuple[int, int], int] = field(default_factory=dict)
    numbers: dict[int, int] = field(default_factory=dict)

    def seats(self) -> dict[int, Seat]:
        """Return the seats as they were before the restart, by player."""
        return {
            player: Seat(
                participant_id, self.visits.get(player, 0), self.incarnations[player], self._has_state(player)
            )
            for player, participant_id in self.members.items()
        }

    def _has_state(self, player: int) -> bool:
        incarnation = self.incarnations[player]
        # A page that replaced another has the state once it uploads; batch numbers name their page.
        return incarnation == 0 or self.numbers.get(player, 0) // NUMBERS_OF_A_PAGE == incarnation


def read_running(
    identity: StudyIdentity, play_setups: Mapping[int, PlaySetup], wall: float, connection: Connection
) -> list[RestoredGame]:
    """Read the games of this study, code and runtime that may still be played.

    Args:
        identity: The study, its code and its runtime.
        play_setups: The study's play scenes, by scene index.
        wall: The current time, in seconds since 1970.
        connection: The database.
    """
    # A page that is reloaded gets the current code, with which it cannot join a game of other code.
    heard_since = iso_utc(wall - RESUMABLE_S)
    chosen = select(games).where(
        games.c.study == identity.study,
        games.c.ended_utc.is_(None),
        games.c.code_hash == identity.code_hash,
        games.c.lock_hash == identity.lock_hash,
    )
    found = []
    for row in connection.execute(chosen).all():
        game = _read(row, connection)
        last = connection.execute(select(func.max(batches.c.utc)).where(batches.c.game_id == row.game_id))
        heard = max(row.started_utc, last.scalar_one() or "")
        if heard >= heard_since and game.members and row.scene in play_setups:
            found.append(game)
    return found


def restore_games(
    found: Sequence[RestoredGame],
    identity: StudyIdentity,
    play_setups: Mapping[int, PlaySetup],
    people: Participants,
    coordinator: GameCoordinator,
    now: float,
) -> None:
    """Resume games; their seats are held until the pages are back.

    Args:
        found: The games, from `read_running`.
        identity: The study, its code and its runtime.
        play_setups: The study's play scenes, by scene index.
        people: The participants.
        coordinator: Runs the games.
        now: Monotonic seconds.
    """
    for restored in found:
        row, play_setup = restored.row, play_setups[restored.row.scene]
        for participant_id in restored.members.values():
            people.restore_game(participant_id, row.game_id, now)
        game = RunningGame(
            row.game_id,
            play_setup,
            restored.seats(),
            game_config(identity, play_setup, row.game_id, row.seed),
            began_at=now,
            stored=None,
            left=restored.left,
            incarnations=restored.incarnations,
        )
        coordinator.resume_game(game, restored.epochs, now)


def read_groups(study: str, connection: Connection) -> dict[str, Group]:
    """Return participant id → last group; members who left a game or the study count as gone."""
    left = (
        select(games.c.group_id, events.c.participant_id)
        .join(events, events.c.game_id == games.c.game_id)
        .where(games.c.study == study, events.c.kind == "left_game")
    )
    gone = {(row.group_id, row.participant_id) for row in connection.execute(left)}
    quitters = set(
        connection.execute(
            select(participants.c.participant_id).where(
                participants.c.study == study, participants.c.ended_how == "left"
            )
        ).scalars()
    )
    # In order of formation: a participant's later group replaces the earlier one.
    found: dict[str, Group] = {}
    for row in connection.execute(
        select(groups).where(groups.c.study == study).order_by(groups.c.formed_utc, groups.c.group_id)
    ):
        members = tuple(row.members)
        absent = {member for member in members if member in quitters or (row.group_id, member) in gone}
        found |= dict.fromkeys(members, Group(row.group_id, members, absent))
    return found


def _read(row: Row[Any], connection: Connection) -> RestoredGame:
    people = {seat["player_id"]: seat["participant_id"] for seat in row.seats if seat["participant_id"]}
    game = RestoredGame(row, people, incarnations=dict.fromkeys(people, 0))
    # In the order in which they were recorded: the last event about a seat counts.
    chosen = select(events).where(events.c.game_id == row.game_id).order_by(events.c.id)
    for event in connection.execute(chosen):
        player = event.player_id
        match event.kind:
            case "game_joined":
                game.visits[player] = event.detail["visit"]
            case "rejoined":
                game.visits[player] = event.detail["visit"]
                game.incarnations[player] = event.detail["incarnation"]
                for other, epoch in event.detail["epochs"].items():
                    game.epochs[player, int(other)] = epoch
            case "left_game" | "game_lost":
                game.left.add(player)
                game.members.pop(player, None)
            case "game_over":
                game.members.pop(player, None)
    numbers = (
        select(batches.c.peer, func.max(batches.c.number))
        .where(batches.c.game_id == row.game_id)
        .group_by(batches.c.peer)
    )
    game.numbers = {row[0]: row[1] for row in connection.execute(numbers)}
    return game
