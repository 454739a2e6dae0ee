"""Keeps the seats of running games while pages lose their sockets, are loaded anew, and come back."""

from coplay.messages.to_page import PlayerBack
from coplay.server.clock import Clock
from coplay.server.event_log import EventLog
from coplay.server.games.absence import HoldTimes
from coplay.server.games.game import RunningGame, RunningGames
from coplay.server.messenger import Messenger
from coplay.server.settings import Settings
from coplay.signaling import SignalRelay


class SeatKeeper:
    """Knows which page has which seat.

    Args:
        games: The games that are running.
        relay: Is told of new connections.
        settings: Limits and waits.
        messenger: Reaches the pages.
        event_log: Writes down what happens.
        clock: The time.
    """

    def __init__(
        self,
        games: RunningGames,
        relay: SignalRelay,
        settings: Settings,
        messenger: Messenger,
        event_log: EventLog,
        clock: Clock,
    ) -> None:
        self._games = games
        self._relay = relay
        self._settings = settings
        self._messenger = messenger
        self._event_log = event_log
        self._clock = clock

    def drop(self, participant_id: str, now: float) -> None:
        """A participant's socket is gone; their seat is held for a while."""
        game, player = self._games.seat_of(participant_id)
        if game is not None and game.seats[player].absence is None:
            game.seats[player].absence = self.patience(game).lost(now)
            self._event_log.event("connection_lost", participant_id, game_id=game.game_id, player_id=player)

    def replace_page(self, participant_id: str, now: float) -> None:
        """A new page was loaded for a participant: the former one is gone, its seat waits for the new one."""
        game, player = self._games.seat_of(participant_id)
        if game is not None:
            seat = game.seats[player]
            seat.absence = self.patience(game).replaced(seat.absence, now)

    def arrive(self, participant_id: str, visit: int) -> None:
        """A participant's page has a socket: the one that had the seat, or a new one, which takes it."""
        game, player = self._games.seat_of(participant_id)
        if game is None:
            return
        seat = game.seats[player]
        if seat.absence is not None:
            seat.absence = None
            self._event_log.event("connection_back", participant_id, game_id=game.game_id, player_id=player)
        if seat.visit != visit:
            seat.visit = visit
            self._begin_incarnation(game, player)

    def receive_batch(self, game_id: str, player: int, incarnation: int, frames: int) -> None:
        """Extend held seats after an upload, which is a sign of life.

        Args:
            game_id: The game.
            player: The player whose page uploaded.
            incarnation: How many pages had the seat before that page.
            frames: How many confirmed frames the batch holds.
        """
        game = self._games.get(game_id)
        # An upload of a replaced page says nothing about the page that has the seat now.
        if game is None or incarnation != game.incarnations.get(player):
            return
        now = self._clock.now()
        for each, seat in game.seats.items():
            if seat.absence is not None and (each == player or frames > 0):
                seat.absence = self.patience(game).lives(seat.absence, now)
        if player in game.seats and frames > 0:
            game.seats[player].has_state = True

    def patience(self, game: RunningGame) -> HoldTimes:
        """How long the seats of a game are held."""
        hold_s, resume_s = game.setup.scene.hold_s, self._settings.resume_s
        # Alone, nobody waits for anybody.
        return HoldTimes(hold_s if len(game.setup.humans) > 1 else max(hold_s, resume_s), resume_s)

    def _begin_incarnation(self, game: RunningGame, player: int) -> None:
        """A new page has the seat: the others meet it as they met the former one."""
        seat = game.seats[player]
        seat.has_state = False
        seat.incarnation += 1
        game.incarnations[player] = seat.incarnation
        others = [other for other in game.setup.humans if other != player]
        epochs = {other: self._relay.raise_epoch(game.game_id, player, other) for other in others}
        self._event_log.event(
            "rejoined",
            seat.participant_id,
            game_id=game.game_id,
            player_id=player,
            visit=seat.visit,
            incarnation=seat.incarnation,
            epochs={str(other): epoch for other, epoch in epochs.items()},
        )
        for other, neighbour in game.others(player).items():
            back = PlayerBack(
                game_id=game.game_id,
                player_id=player,
                incarnation=seat.incarnation,
                epoch=epochs[other],
            )
            self._messenger.post(neighbour.participant_id, back)
