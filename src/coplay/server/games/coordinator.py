"""Runs the games: who sits where, who may signal to whom, whose page is gone, and when a game is over."""

import logging
import secrets
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from coplay.messages.encoding import fields_of
from coplay.messages.game import GameConfig, IceServer
from coplay.messages.signals import IncomingSignal
from coplay.messages.to_page import PlayerLeft
from coplay.server.clock import Clock
from coplay.server.event_log import EventLog
from coplay.server.games.game import (
    RunningGame,
    RunningGames,
    Seat,
    StudyIdentity,
    game_config,
    game_row,
    new_seed,
)
from coplay.server.games.play_setup import PlaySetup
from coplay.server.games.seats import SeatKeeper
from coplay.server.messenger import Messenger
from coplay.server.settings import Settings
from coplay.server.uploads.ledger import Ledger
from coplay.signaling import DatagramRelay, IceServers, RefusedSignal, SignalRelay, TokenSigner
from coplay.signaling.turn import CREDENTIALS_S

_log = logging.getLogger(__name__)


class Seated(Enum):
    """What a page finds when its socket is there."""

    NOWHERE = "nowhere"
    """Its participant is in no game."""
    PLAYING = "playing"
    """They are in one."""
    DONE = "done"
    """The game that they were in has their report: they are done with it."""


class GameCoordinator:
    """All running games of a server.

    Args:
        identity: What is played here.
        settings: Limits and waits.
        messenger: Reaches the pages.
        event_log: Writes down games and events.
        ledger: Takes what the peers upload.
        signer: Makes the games' tokens.
        ice: STUN and TURN servers.
        clock: The time.

    Attributes:
        relay: The rules of signaling, with their counters.
        datagrams: The rules of datagrams that go through the server, with theirs.
        games: Those that are running.
        seats: Keeps their seats while pages go and come.
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
        self.relay = SignalRelay(hide_addresses=identity.relay_only)
        self.datagrams = DatagramRelay()
        self._identity = identity
        self._settings = settings
        self._messenger = messenger
        self._event_log = event_log
        self._ledger = ledger
        self._signer = signer
        self._ice = ice
        self._clock = clock
        self.games = RunningGames()
        self.seats = SeatKeeper(self.games, self.relay, settings, messenger, event_log, clock)
        self._given_up: list[tuple[str, bool]] = []

    # Beginning

    def open_game(self, setup: PlaySetup, people: Sequence[Seat], group_id: str | None) -> RunningGame:
        """Begin a game, and tell its members.

        Args:
            setup: What is played.
            people: The people's seats, in ascending order of their players.
            group_id: Their group; None when one person plays.
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
        self.relay.open_game(game_id, members)
        for player, participant_id in members.items():
            visit = seats[player].visit
            self._event_log.event(
                "game_joined", participant_id, game_id=game_id, player_id=player, visit=visit
            )
            self.send_config(participant_id)
        return game

    def resume_game(self, game: RunningGame, epochs: Mapping[tuple[int, int], int], now: float) -> None:
        """A game goes on after the server was restarted; its seats are held until the pages are back.

        Args:
            game: The game, as the store has it.
            epochs: Pair of players → connection epoch.
            now: Monotonic seconds.
        """
        self.games.add(game)
        self.relay.open_game(
            game.game_id, {player: seat.participant_id for player, seat in game.seats.items()}
        )
        for (one, other), epoch in epochs.items():
            self.relay.restore_epoch(game.game_id, one, other, epoch)
        for seat in game.seats.values():
            seat.absence = self.seats.patience(game).restarted(now)

    def send_config(self, participant_id: str) -> bool:
        """Tell a participant's page about the game they are in; False if they are in none."""
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
                str(other): self.relay.epoch(game.game_id, player, other)
                for other in game.setup.humans
                if other != player
            },
            rejoining=incarnation > 0,
            left=tuple(sorted(game.left)),
            ice_servers=self._servers_for(game, player),
            token=self._signer.sign("game", claims, self._clock.wall() + self._settings.token_s),
        )
        self._messenger.post(participant_id, config, after=game.stored)
        game.seats[player].configured = self._clock.now()
        return True

    # Signals

    def handle_webrtc_signal(self, participant_id: str, message: object) -> dict[str, Any]:
        """Relay an SDP or ICE message to another player of the sender's game.

        The recipient gets `webrtc_signal {type, from_player_id, game_id, payload}`; `from_player_id` comes
        from the sender's seat, never from the message.

        Args:
            participant_id: The participant whose socket it came from.
            message: `{type, game_id, target_player_id, payload}`; anything at all may be in it.

        Returns:
            The acknowledgement: `{ok}`, or `{ok: False, error, reason}`.
        """
        answer = self.relay.relay(participant_id, message, self._clock.now())
        if not isinstance(answer, RefusedSignal):
            self._messenger.forward(answer.member, IncomingSignal.EVENT, answer.message)
            return {"ok": True}
        # Only the first of each kind and participant is worth a row: a flood must not fill the disk.
        if self.relay.refused_by[participant_id, answer.reason] == 1:
            self._event_log.event(
                "signal_refused", participant_id, reason=answer.reason, detail=answer.detail
            )
        if answer.kick:
            _log.warning("closing the socket of %s: %s", participant_id, answer.detail)
            self._messenger.close(participant_id)
        return {"ok": False, "error": f"This signal was refused: {answer.detail}.", "reason": answer.reason}

    def relay_datagram(self, participant_id: str, data: object) -> tuple[str, bytes] | None:
        """To whom a page's datagram goes, and as what; None if it is dropped."""
        game, player = self.games.seat_of(participant_id)
        members = {} if game is None else {each: seat.participant_id for each, seat in game.seats.items()}
        passed = self.datagrams.relay(player, members, data, self._clock.now())
        return None if passed is None else (members[passed.target], passed.data)

    def ice_servers(self, participant_id: str) -> tuple[IceServer, ...] | None:
        """STUN and TURN servers with fresh credentials; None for someone who is in no game."""
        game, player = self.games.seat_of(participant_id)
        return None if game is None else self._servers_for(game, player)

    # Pages that go and come

    def arrive(self, participant_id: str, visit: int) -> Seated:
        """A participant's page has a socket; answers whether there is a game that it should play.

        Args:
            participant_id: The participant.
            visit: Which of their pages it is.
        """
        game, player = self.games.seat_of(participant_id)
        if game is None:
            return Seated.NOWHERE
        if game.seats[player].visit != visit and self._ledger.has_report(game.game_id, player):
            self.finish(participant_id, game.game_id)
            return Seated.DONE
        self.seats.arrive(participant_id, visit)
        self._give_up_if_lost(game)
        return Seated.PLAYING if player in game.seats else Seated.NOWHERE

    # Ending

    def leave(self, participant_id: str, reason: str) -> None:
        """A participant will not play on; the others are told. Their game ends, or goes on without."""
        game, player = self.games.seat_of(participant_id)
        if game is None:
            return
        if not self._ledger.has_report(game.game_id, player):
            game.left.add(player)
            self._event_log.event(
                "left_game", participant_id, game_id=game.game_id, player_id=player, reason=reason
            )
            for other in game.others(player).values():
                left = PlayerLeft(game_id=game.game_id, player_id=player, reason=reason)
                self._messenger.post(other.participant_id, left)
        self._vacate(game, player)
        self._give_up_if_lost(game)

    def finish(self, participant_id: str, game_id: str) -> bool:
        """A participant's page says that the game is over and all its data is here; False if they are not in
        it."""
        game, player = self.games.seat_of(participant_id)
        if game is None or game.game_id != game_id:
            return False
        if not self._ledger.has_report(game_id, player):
            self.leave(participant_id, "ended without a report")
            return True
        self._event_log.event("game_over", participant_id, game_id=game_id, player_id=player)
        self._vacate(game, player)
        return True

    def successor_of(self, game_id: str, player: int, incarnation: int) -> str | None:
        """The participant who has a seat of a running game in a later page than this one."""
        game = self.games.get(game_id)
        seat = None if game is None else game.seats.get(player)
        return seat.participant_id if seat is not None and seat.incarnation > incarnation else None

    def tick(self, now: float) -> list[str]:
        """Let those go whose page did not come back, or who never began; answers who they are."""
        gone: list[str] = []
        for game in self.games.running():
            # Alone, nobody waits for anybody.
            late = len(game.setup.humans) > 1 and now - game.began >= self._settings.begin_s
            for player, seat in list(game.seats.items()):
                if player not in game.seats:  # given up together with the one before
                    continue
                if seat.absence is not None and now >= seat.absence.until:
                    self.leave(seat.participant_id, "connection lost")
                    gone.append(seat.participant_id)
                elif late and not self._ledger.has_frames(game.game_id, player):
                    self.leave(seat.participant_id, "never began")
                    gone.append(seat.participant_id)
                elif self._ice.expires and now - seat.configured >= CREDENTIALS_S / 2:
                    # Repeated, so that the page's credentials are good whenever it has to connect anew.
                    self.send_config(seat.participant_id)
        return gone

    def take_given_up(self) -> list[tuple[str, bool]]:
        """Who lost their game since this was asked last, because no page has its state any more; for each,
        whether it should begin again: everybody is still there."""
        given_up, self._given_up = self._given_up, []
        return given_up

    def _give_up_if_lost(self, game: RunningGame) -> None:
        playing = [
            seat for player, seat in game.seats.items() if not self._ledger.has_report(game.game_id, player)
        ]
        if not playing or any(seat.has_state for seat in playing):
            return
        again = len(playing) == len(game.setup.humans)
        for player, seat in list(game.seats.items()):
            if seat in playing:
                game.left.add(player)
                self._event_log.event(
                    "game_lost", seat.participant_id, game_id=game.game_id, player_id=player
                )
                self._vacate(game, player)
                self._given_up.append((seat.participant_id, again))

    def _servers_for(self, game: RunningGame, player: int) -> tuple[IceServer, ...]:
        servers = self._ice.for_player(f"{game.game_id}-{player}", self._clock.wall())
        return tuple(IceServer(**server) for server in servers)

    def _vacate(self, game: RunningGame, player: int) -> None:
        participant_id = game.seats[player].participant_id
        self.games.vacate(game, player)
        self.relay.remove_player(game.game_id, player)
        self.datagrams.forget(participant_id)
        if not game.seats:
            self._ledger.close(game.game_id, game.left)
