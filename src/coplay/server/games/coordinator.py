"""Runs the games of a server: opens them, relays between their players, and ends them."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from coplay.messages.encoding import fields_of
from coplay.messages.game import GameConfig
from coplay.messages.to_page import PlayerLeft
from coplay.server.clock import Clock
from coplay.server.event_log import EventLog
from coplay.server.games.game import RunningGame, RunningGames, Seat
from coplay.server.games.game_config import StudyIdentity, game_config, game_row, new_seed
from coplay.server.games.game_relay import GameRelay
from coplay.server.games.play_setup import PlaySetup
from coplay.server.games.seats import SeatKeeper
from coplay.server.messenger import Messenger
from coplay.server.settings import Settings
from coplay.server.uploads.ledger import Ledger
from coplay.signaling import IceServers, TokenSigner
from coplay.signaling.turn import CREDENTIALS_S


class SeatStatus(Enum):
    """Whether a page that has opened a socket has a game to play."""

    NO_SEAT = "no seat"
    """The participant is in no game."""
    PLAYING = "playing"
    """The participant is in a running game."""
    DONE = "done"
    """The participant's game is over: an earlier page has reported its end."""


@dataclass(frozen=True, slots=True)
class LostSeat:
    """The seat of a participant whose game was lost, because no page has its state any more.

    Attributes:
        participant_id: The participant who had the seat.
        can_restart: True if everybody is still there, so that the game can start over.
    """

    participant_id: str
    can_restart: bool


class GameCoordinator:
    """The manager of a server's running games: opens, resumes and ends them, and relays between players.

    Args:
        identity: The study, its code and its runtime.
        settings: Limits and waits.
        messenger: Sends events to the pages.
        event_log: Records games and events.
        ledger: Stores what the peers upload.
        signer: Signs the games' tokens.
        ice: STUN and TURN servers.
        clock: The source of time.

    Attributes:
        games: The running games.
        relay: Relays signals and datagrams between players.
        seats: Holds seats while pages are absent.
    """

    def __init__(
        self,
        identity: StudyIdentity,
        settings: Settings,
        messenger: Messenger,
        event_log: EventLog,
        ledger: Ledger,
        signer: TokenSigner,
        ice: IceServers,
        clock: Clock,
    ) -> None:
        self._identity = identity
        self._settings = settings
        self._messenger = messenger
        self._event_log = event_log
        self._ledger = ledger
        self._signer = signer
        self._ice = ice
        self._clock = clock
        self.games = RunningGames()
        self.relay = GameRelay(self.games, identity.relay_only, messenger, event_log, ice, clock)
        self.seats = SeatKeeper(self.games, self.relay.signals, settings, messenger, event_log, clock)
        self._lost_seats: list[LostSeat] = []

    # Opening

    def open_game(self, setup: PlaySetup, people: Sequence[Seat], group_id: str | None) -> RunningGame:
        """Begin a game, and send its pages their configuration.

        Args:
            setup: The play scene.
            people: The people's seats, in ascending order of their players.
            group_id: The id of their group; None when one person plays.
        """
        game_id, seed = secrets.token_hex(10), new_seed()
        seats = dict(zip(setup.humans, people, strict=True))
        members = {player: seat.participant_id for player, seat in seats.items()}
        stored = self._event_log.game(game_row(self._identity, setup, game_id, group_id, seed, members))
        config = game_config(self._identity, setup, game_id, seed)
        game = RunningGame(game_id, setup, seats, config, self._clock.now(), stored)
        game.incarnations = dict.fromkeys(seats, 0)
        self.games.add(game)
        self._ledger.open(game_id, setup.input_sizes, setup.humans, setup.fps)
        self.relay.signals.open_game(game_id, members)
        for player, participant_id in members.items():
            visit = seats[player].visit
            self._event_log.event(
                "game_joined", participant_id, game_id=game_id, player_id=player, visit=visit
            )
            self.send_config(participant_id)
        return game

    def resume_game(self, game: RunningGame, epochs: Mapping[tuple[int, int], int], now: float) -> None:
        """Resume a game after the server was restarted, and hold its seats until the pages are back.

        Args:
            game: The game, as restored from the store.
            epochs: Pair of players → connection epoch.
            now: Monotonic seconds.
        """
        self.games.add(game)
        self.relay.signals.open_game(game.game_id, game.members)
        for (one, other), epoch in epochs.items():
            self.relay.signals.restore_epoch(game.game_id, one, other, epoch)
        for seat in game.seats.values():
            seat.absence = self.seats.hold_times(game).start_after_restart(now)

    def send_config(self, participant_id: str) -> bool:
        """Send a participant's page the configuration of its game. Return False if there is no game."""
        game, player = self.games.seat_of(participant_id)
        if game is None:
            return False
        incarnation = game.seats[player].incarnation
        claims: dict[str, str | int] = {
            "game": game.game_id,
            "player": player,
            "participant": participant_id,
            "incarnation": incarnation,
        }
        config = GameConfig(
            **fields_of(game.config),
            player_id=player,
            incarnations={str(each): count for each, count in game.incarnations.items()},
            epochs={
                str(other): self.relay.signals.epoch(game.game_id, player, other)
                for other in game.setup.humans
                if other != player
            },
            rejoining=incarnation > 0,
            left=tuple(sorted(game.left)),
            ice_servers=self.relay.ice_servers(game, player),
            token=self._signer.sign("game", claims, self._clock.wall() + self._settings.token_s),
        )
        # Not before the game is stored: a crash would otherwise leave a game that only its pages know.
        self._messenger.post(participant_id, config, after=game.stored)
        game.seats[player].configured_at = self._clock.now()
        return True

    # Relaying

    def handle_webrtc_signal(self, participant_id: str, message: object) -> dict[str, Any]:
        """Relay an SDP or ICE message to another player of the sender's game.

        The recipient gets `webrtc_signal {type, from_player_id, game_id, payload}`; `from_player_id` comes
        from the sender's seat, never from the message.

        Args:
            participant_id: The participant whose socket the message came from.
            message: `{type, game_id, target_player_id, payload}`, not validated yet; any type.

        Returns:
            The acknowledgement: `{ok}`, or `{ok: False, error, reason}`.
        """
        return self.relay.relay_signal(participant_id, message)

    # Arriving

    def arrive(self, participant_id: str, visit: int) -> SeatStatus:
        """Seat a page that has opened a socket, if its participant is in a game that still runs.

        Args:
            participant_id: The participant.
            visit: Which of the participant's pages it is.
        """
        game, player = self.games.seat_of(participant_id)
        if game is None:
            return SeatStatus.NO_SEAT
        if game.seats[player].visit != visit and self._ledger.has_report(game.game_id, player):
            # The participant's earlier page reported the end, and was closed before it could go on.
            self.finish(participant_id, game.game_id)
            return SeatStatus.DONE
        self.seats.arrive(participant_id, visit)
        self._end_if_lost(game)
        return SeatStatus.PLAYING if player in game.seats else SeatStatus.NO_SEAT

    # Ending

    def leave(self, participant_id: str, reason: str) -> None:
        """Remove a participant from the game, and tell the others, who play on or end the game.

        Args:
            participant_id: The participant; someone who is in no game is ignored.
            reason: Why, in a few words, for the others and for the data.
        """
        game, player = self.games.seat_of(participant_id)
        if game is None:
            return
        # A player who has reported the end played to the end, and does not leave anybody behind.
        if not self._ledger.has_report(game.game_id, player):
            game.left.add(player)
            self._event_log.event(
                "left_game", participant_id, game_id=game.game_id, player_id=player, reason=reason
            )
            for other in game.others(player).values():
                left = PlayerLeft(game_id=game.game_id, player_id=player, reason=reason)
                self._messenger.post(other.participant_id, left)
        self._vacate(game, player)
        self._end_if_lost(game)

    def finish(self, participant_id: str, game_id: str) -> bool:
        """End a game for a participant whose page is done with it. Return False if they are not in it.

        Args:
            participant_id: The participant.
            game_id: The game that the page names.
        """
        game, player = self.games.seat_of(participant_id)
        if game is None or game.game_id != game_id:
            return False
        if not self._ledger.has_report(game_id, player):
            # Pages report first. One that does not is treated like any other that leaves.
            self.leave(participant_id, "ended without a report")
            return True
        self._event_log.event("game_over", participant_id, game_id=game_id, player_id=player)
        self._vacate(game, player)
        return True

    def successor_of(self, game_id: str, player: int, incarnation: int) -> str | None:
        """Return the participant in a seat if a later page of theirs has it now; None otherwise.

        Args:
            game_id: The game; None is returned if it is not running.
            player: The seat.
            incarnation: The incarnation of the earlier page.
        """
        game = self.games.get(game_id)
        seat = None if game is None else game.seats.get(player)
        return seat.participant_id if seat is not None and seat.incarnation > incarnation else None

    def tick(self, now: float) -> list[str]:
        """Remove participants whose page did not come back in time or never began, and return them.

        Args:
            now: Monotonic seconds.
        """
        gone: list[str] = []
        for game in self.games.running():
            late = game.is_shared and now - game.began_at >= self._settings.begin_s
            for player, seat in list(game.seats.items()):
                # An earlier turn of this loop may have ended the whole game.
                if player not in game.seats:
                    continue
                if seat.absence is not None and now >= seat.absence.until:
                    self.leave(seat.participant_id, "connection lost")
                    gone.append(seat.participant_id)
                elif late and not self._ledger.has_frames(game.game_id, player):
                    self.leave(seat.participant_id, "never began")
                    gone.append(seat.participant_id)
                elif self._ice.expires and now - seat.configured_at >= CREDENTIALS_S / 2:
                    # At half their lifetime, so that the page always has valid TURN credentials to reconnect.
                    self.send_config(seat.participant_id)
        return gone

    def take_lost_seats(self) -> list[LostSeat]:
        """Return the seats of games that were lost since the last call."""
        lost_seats, self._lost_seats = self._lost_seats, []
        return lost_seats

    def _end_if_lost(self, game: RunningGame) -> None:
        """End a game whose state was lost, because every page was reloaded and none can send it to others."""
        playing = [
            seat for player, seat in game.seats.items() if not self._ledger.has_report(game.game_id, player)
        ]
        if not playing or any(seat.has_state for seat in playing):
            return
        can_restart = len(playing) == len(game.setup.humans)
        for player, seat in list(game.seats.items()):
            if seat in playing:
                game.left.add(player)
                self._event_log.event(
                    "game_lost", seat.participant_id, game_id=game.game_id, player_id=player
                )
                self._vacate(game, player)
                self._lost_seats.append(LostSeat(seat.participant_id, can_restart))

    def _vacate(self, game: RunningGame, player: int) -> None:
        participant_id = game.seats[player].participant_id
        self.games.vacate(game, player)
        self.relay.forget(game.game_id, player, participant_id)
        if not game.seats:
            self._ledger.close(game.game_id, game.left)
