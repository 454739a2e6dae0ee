"""Keeps the seats of running games while pages lose their sockets, are reloaded, and come back."""

from coplay.messages.to_page import PlayerBack
from coplay.server.clock import Clock
from coplay.server.event_log import EventLog
from coplay.server.games.game import RunningGame, RunningGames
from coplay.server.games.hold_times import HoldTimes
from coplay.server.messenger import Messenger
from coplay.server.settings import Settings
from coplay.signaling import SignalRelay


class SeatKeeper:
    """Holds seats for absent pages, and gives the seats of replaced pages to their successors.

    Args:
        games: The running games.
        relay: Issues the epochs of new connections.
        settings: Limits and waits.
        messenger: Sends events to the pages.
        event_log: Records connections that are lost, come back or are replaced.
        clock: The source of time.
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
        self._resume_s = settings.resume_s
        self._messenger = messenger
        self._event_log = event_log
        self._clock = clock

    def drop(self, participant_id: str, now: float) -> None:
        """Hold the seat of a participant whose page has lost its socket.

        Args:
            participant_id: The participant.
            now: Monotonic seconds.
        """
        game, player = self._games.seat_of(participant_id)
        if game is not None and game.seats[player].absence is None:
            game.seats[player].absence = self.hold_times(game).start(now)
            self._event_log.event("connection_lost", participant_id, game_id=game.game_id, player_id=player)

    def replace_page(self, participant_id: str, now: float) -> None:
        """Hold a participant's seat for a new page that was loaded; the page that had the seat is gone.

        Args:
            participant_id: The participant.
            now: Monotonic seconds.
        """
        game, player = self._games.seat_of(participant_id)
        if game is not None:
            seat = game.seats[player]
            seat.absence = self.hold_times(game).replace_page(seat.absence, now)

    def arrive(self, participant_id: str, visit: int) -> None:
        """End the absence of a participant's seat. A page that did not have the seat before takes it over.

        Args:
            participant_id: The participant whose page has opened a socket.
            visit: Which of the participant's pages it is.
        """
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
            # Confirmed frames took the inputs of all players, so that they prove that every page plays.
            if seat.absence is not None and (each == player or frames > 0):
                seat.absence = self.hold_times(game).extend(seat.absence, now)
        if player in game.seats and frames > 0:
            game.seats[player].has_state = True

    def hold_times(self, game: RunningGame) -> HoldTimes:
        """Return how long the seats of a game are held."""
        hold_s = game.setup.scene.hold_s
        # A person who plays alone keeps nobody waiting.
        return HoldTimes(hold_s if game.is_shared else max(hold_s, self._resume_s), self._resume_s)

    def _begin_incarnation(self, game: RunningGame, player: int) -> None:
        """Give a seat to a new page, and make the other pages connect to it."""
        seat = game.seats[player]
        seat.has_state = False
        seat.incarnation += 1
        game.incarnations[player] = seat.incarnation
        # Also for seats that are absent or vacated: a page that comes back must not reuse a stale epoch.
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
        for other, other_seat in game.others(player).items():
            back = PlayerBack(
                game_id=game.game_id,
                player_id=player,
                incarnation=seat.incarnation,
                epoch=epochs[other],
            )
            self._messenger.post(other_seat.participant_id, back)
