"""What a server that was restarted, or killed, finds in the store: games that go on without it, and groups.

The players' browsers need no server while they play. When it is back, their pages open new sockets with the
tokens they have, and must find their seats as they were.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select

from coplay.data.database.tables import batches, events, games, groups, participants
from coplay.server.clock import iso_utc
from coplay.server.games.coordinator import GameCoordinator
from coplay.server.games.game import RunningGame, Seat, StudyIdentity, game_config
from coplay.server.games.play_setup import PlaySetup
from coplay.server.games.seats import INCARNATION_BITS
from coplay.server.people.participants import Group, Participants

RESUMABLE_S: Final = 600.0
"""Games of which nothing was heard for longer are over."""


@dataclass(slots=True)
class RestoredGame:
    """A game that nobody has ended.

    Attributes:
        row: Its row in the store.
        members: player_id → participant, of those who had not ended it for themselves.
        left: Who went before the end.
        visits: player_id → the page that has the seat.
        incarnations: player_id → how many pages had it before.
        epochs: Pair of players → connection epoch.
        numbers: player_id → the highest number of a batch.
    """

    row: Row[Any]
    members: dict[int, str]
    left: set[int] = field(default_factory=set)
    visits: dict[int, int] = field(default_factory=dict)
    incarnations: dict[int, int] = field(default_factory=dict)
    epochs: dict[tuple[int, int], int] = field(default_factory=dict)
    numbers: dict[int, int] = field(default_factory=dict)


def read_running(
    identity: StudyIdentity, stages: Mapping[int, PlaySetup], wall: float, connection: Connection
) -> list[RestoredGame]:
    """The games of this study, code and runtime that may still be played (at `wall`, seconds since 1970)."""
    heard_since = iso_utc(wall - RESUMABLE_S)
    chosen = select(games).where(
        games.c.study == identity.study,
        games.c.ended_utc.is_(None),
        games.c.code_hash == identity.code_hash,
        games.c.lock_hash == identity.lock_hash,
    )
    found = []
    for row in connection.execute(chosen).all():
        running = _read(row, connection)
        last = connection.execute(select(func.max(batches.c.utc)).where(batches.c.game_id == row.game_id))
        heard = max(row.started_utc, last.scalar_one() or "")
        if heard >= heard_since and running.members and row.scene in stages:
            found.append(running)
    return found


def _read(row: Row[Any], connection: Connection) -> RestoredGame:
    people = {seat["player_id"]: seat["participant_id"] for seat in row.seats if seat["participant_id"]}
    running = RestoredGame(row, people)
    running.incarnations = dict.fromkeys(people, 0)
    chosen = select(events).where(events.c.game_id == row.game_id).order_by(events.c.id)
    for event in connection.execute(chosen):
        player = event.player_id
        match event.kind:
            case "game_joined":
                running.visits[player] = event.detail["visit"]
            case "rejoined":
                running.visits[player] = event.detail["visit"]
                running.incarnations[player] = event.detail["incarnation"]
                for other, epoch in event.detail["epochs"].items():
                    running.epochs[player, int(other)] = epoch
            case "left_game" | "game_lost":
                running.left.add(player)
                running.members.pop(player, None)
            case "game_over":
                running.members.pop(player, None)
    numbers = (
        select(batches.c.peer, func.max(batches.c.number))
        .where(batches.c.game_id == row.game_id)
        .group_by(batches.c.peer)
    )
    running.numbers = {row[0]: row[1] for row in connection.execute(numbers)}
    return running


def restore_games(
    found: list[RestoredGame],
    identity: StudyIdentity,
    stages: Mapping[int, PlaySetup],
    visitors: Participants,
    coordinator: GameCoordinator,
    now: float,
) -> None:
    """Let games go on; their seats are held until the pages are back."""
    for running in found:
        row, stage = running.row, stages[running.row.scene]
        seats = {}
        for player, member in running.members.items():
            incarnation = running.incarnations[player]
            has_state = incarnation == 0 or running.numbers.get(player, 0) >> INCARNATION_BITS == incarnation
            seats[player] = Seat(member, running.visits.get(player, 0), incarnation, has_state)
            visitors[member].game_id = row.game_id
            visitors[member].away_since = now
        config = game_config(identity, stage, row.game_id, row.seed)
        game = RunningGame(row.game_id, stage, seats, config, now, None, running.left, running.incarnations)
        coordinator.resume_game(game, running.epochs, now)


def read_groups(study: str, connection: Connection) -> dict[str, Group]:
    """The last group of every participant."""
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
    found: dict[str, Group] = {}
    for row in connection.execute(
        select(groups).where(groups.c.study == study).order_by(groups.c.formed_utc, groups.c.group_id)
    ):
        members = tuple(row.members)
        absent = {member for member in members if member in quitters or (row.group_id, member) in gone}
        found |= dict.fromkeys(members, Group(row.group_id, members, absent))
    return found
