"""Relays signals and datagrams between the players of a game, and gives them STUN and TURN servers."""

import logging
from typing import Any

from coplay.messages.game import IceServer
from coplay.messages.signals import IncomingSignal
from coplay.server.clock import Clock
from coplay.server.event_log import EventLog
from coplay.server.games.game import RunningGame, RunningGames
from coplay.server.messenger import Messenger
from coplay.signaling import DatagramRelay, IceServers, RefusedSignal, SignalRelay

_log = logging.getLogger(__name__)


class GameRelay:
    """The relay for all running games of a server.

    Args:
        games: The running games.
        hide_addresses: True if players must not learn each other's addresses.
        messenger: Sends signals to the pages.
        event_log: Records refused signals.
        ice: STUN and TURN servers.
        clock: The source of time.

    Attributes:
        signals: The signaling rules, with counters.
        datagrams: The rules for relayed datagrams, with counters.
    """

    def __init__(
        self,
        games: RunningGames,
        hide_addresses: bool,
        messenger: Messenger,
        event_log: EventLog,
        ice: IceServers,
        clock: Clock,
    ) -> None:
        self._games = games
        self._messenger = messenger
        self._event_log = event_log
        self._ice = ice
        self._clock = clock
        self.signals = SignalRelay(hide_addresses=hide_addresses)
        self.datagrams = DatagramRelay()

    def relay_signal(self, participant_id: str, message: object) -> dict[str, Any]:
        """Relay an SDP or ICE message, as `GameCoordinator.handle_webrtc_signal` describes."""
        outcome = self.signals.relay(participant_id, message, self._clock.now())
        if not isinstance(outcome, RefusedSignal):
            self._messenger.forward(outcome.member, IncomingSignal.EVENT, outcome.message)
            return {"ok": True}
        # Only the first refusal of each kind and participant becomes a row: a flood must not fill the disk.
        if self.signals.refused_by[participant_id, outcome.reason] == 1:
            self._event_log.event(
                "signal_refused", participant_id, reason=outcome.reason, detail=outcome.detail
            )
        if outcome.kick:
            _log.warning("closing the socket of %s: %s", participant_id, outcome.detail)
            self._messenger.close(participant_id)
        return {
            "ok": False,
            "error": f"This signal was refused: {outcome.detail}.",
            "reason": outcome.reason,
        }

    def relay_datagram(self, participant_id: str, data: object) -> tuple[str, bytes] | None:
        """Address a datagram to another player of the sender's game.

        Args:
            participant_id: The participant whose socket the datagram came from.
            data: The target's `player_id` as one byte, then the datagram; not validated yet.

        Returns:
            The recipient and the bytes to send, or None if the datagram is dropped.
        """
        game, player = self._games.seat_of(participant_id)
        members = {} if game is None else game.members
        relayed = self.datagrams.relay(player, members, data, self._clock.now())
        return None if relayed is None else (members[relayed.target], relayed.data)

    def ice_servers(self, game: RunningGame, player: int) -> tuple[IceServer, ...]:
        """Return STUN and TURN servers for a player, with fresh credentials."""
        servers = self._ice.for_player(f"{game.game_id}-{player}", self._clock.wall())
        return tuple(IceServer(**server) for server in servers)

    def ice_servers_of(self, participant_id: str) -> tuple[IceServer, ...] | None:
        """Return STUN and TURN servers for a participant; None for someone who is in no game."""
        game, player = self._games.seat_of(participant_id)
        return None if game is None else self.ice_servers(game, player)

    def forget(self, game_id: str, player: int, participant_id: str) -> None:
        """Stop relaying for a player who has left a game."""
        self.signals.remove_player(game_id, player)
        self.datagrams.forget(participant_id)
