"""Runs the games: who sits where, who may signal to whom, who has left, and when a game is over."""

import logging
import secrets
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from coplay.server import clock
from coplay.server.ledger import Ledger
from coplay.server.messenger import Messenger
from coplay.server.recorder import Recorder
from coplay.server.settings import Settings
from coplay.server.stages import Stage
from coplay.signaling import Refused, SignalRelay, TokenSigner

PROTOCOL = "1"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Identity:
    """What all games of one server have in common; every peer of a game must agree on it.

    Attributes:
        study: The study's name.
        version: Its version.
        code_hash: Of the study's code, as it is served.
        lock_hash: Of the browser runtime.
    """

    study: str
    version: str
    code_hash: str
    lock_hash: str


@dataclass(slots=True)
class Game:
    """A game that is running.

    Attributes:
        game_id: Its id.
        stage: What is played.
        seats: player_id → participant, of those who are in it.
        config: What its pages are told, but for what differs between them.
        started: Monotonic seconds.
        left: Who went before the end.
        dropped: player_id → since when their connection is gone.
        stored: Done once it is in the store.
    """

    game_id: str
    stage: Stage
    seats: dict[int, str]
    config: dict[str, Any]
    started: float
    stored: "Future[None]"
    left: set[int] = field(default_factory=set)
    dropped: dict[int, float] = field(default_factory=dict)


class GameCoordinator:
    """All running games of a server.

    Args:
        identity: What is played here.
        settings: Limits and waits.
        messenger: Reaches the pages.
        recorder: Writes down games and events.
        ledger: Takes what the peers upload.
        signer: Makes the games' tokens.

    Attributes:
        relay: The rules of signaling, with their counters.
    """

    def __init__(
        self,
        identity: Identity,
        settings: Settings,
        messenger: Messenger,
        recorder: Recorder,
        ledger: Ledger,
        signer: TokenSigner,
    ) -> None:
        self.relay = SignalRelay()
        self._identity = identity
        self._settings = settings
        self._messenger = messenger
        self._recorder = recorder
        self._ledger = ledger
        self._signer = signer
        self._games: dict[str, Game] = {}
        self._seats: dict[str, tuple[Game, int]] = {}

    # Beginning

    def open_game(self, stage: Stage, members: tuple[str, ...], group_id: str | None) -> Game:
        """Begin a game, and tell its members.

        Args:
            stage: What is played.
            members: Participants, for the people's seats in ascending order.
            group_id: Their group; None when one person plays.
        """
        scene = stage.scene
        game_id = secrets.token_hex(10)
        # JavaScript carries it as a number, so that it must be below 2**53.
        seed = secrets.randbits(53)
        seats = dict(zip(stage.humans, members, strict=True))
        row = {
            "game_id": game_id,
            "group_id": group_id,
            "version": self._identity.version,
            "scene": stage.index,
            "label": scene.label,
            "seats": [
                {"player_id": player, "participant_id": seats.get(player), "owner": stage.owners[player]}
                for player in range(stage.n_players)
            ],
            "input_sizes": list(stage.input_sizes),
            "codecs": list(stage.spaces),
            "seed": seed,
            "env": stage.env_name,
            "code_hash": self._identity.code_hash,
            "lock_hash": self._identity.lock_hash,
            "fps": stage.fps,
            "input_delay": None if scene.input_delay == "auto" else scene.input_delay,
            "window": scene.max_prediction,
            "episodes": scene.episodes,
            "max_frames": scene.max_frames,
            "countdown_frames": stage.countdown_frames,
        }
        config = {
            "game_id": game_id,
            "scene_index": stage.index,
            "owners": list(stage.owners),
            "peers": list(stage.humans),
            "seed": seed,
            "fps": stage.fps,
            "input_delay": scene.input_delay,
            "max_prediction": scene.max_prediction,
            "episodes": scene.episodes,
            "max_frames": scene.max_frames,
            "countdown_frames": stage.countdown_frames,
            "digest": self._digest(stage, seed),
            "ice_servers": [],
            "epoch": 0,
        }
        game = Game(game_id, stage, seats, config, clock.now(), self._recorder.game(row))
        self._games[game_id] = game
        self._ledger.open(game_id, stage.input_sizes, stage.humans, stage.fps)
        self.relay.open_game(game_id, seats)
        for player, member in seats.items():
            self._seats[member] = (game, player)
            self._recorder.event("game_joined", member, game_id=game_id, player_id=player)
            self.send_config(member)
        return game

    def send_config(self, member: str) -> bool:
        """Tell a participant's page about the game they are in; False if they are in none."""
        seat = self._seats.get(member)
        if seat is None:
            return False
        game, player = seat
        token = self._signer.sign(
            "game",
            {"game": game.game_id, "player": player, "participant": member},
            clock.wall() + self._settings.token_s,
        )
        self._messenger.post(
            member, "game", {**game.config, "player_id": player, "token": token}, after=game.stored
        )
        return True

    def _digest(self, stage: Stage, seed: int) -> dict[str, str]:
        scene = stage.scene
        return {
            "protocol": PROTOCOL,
            "env": stage.env_name,
            "code": self._identity.code_hash,
            "runtime": self._identity.lock_hash,
            "fps": repr(stage.fps),
            "delay": str(scene.input_delay),
            "window": str(scene.max_prediction),
            "seed": str(seed),
            "players": ",".join(map(str, stage.owners)),
            "length": f"{scene.episodes}x{scene.max_frames}+{stage.countdown_frames}",
        }

    # Signals

    def handle_webrtc_signal(self, member: str, message: object) -> dict[str, Any]:
        """Relay an SDP or ICE message to another player of the sender's game.

        The recipient gets `webrtc_signal {type, from_player_id, game_id, payload}`; `from_player_id` comes
        from the sender's seat, never from the message.

        Args:
            member: The participant whose socket it came from.
            message: `{type, game_id, target_player_id, payload}`; anything at all may be in it.

        Returns:
            The acknowledgement: `{ok}`, or `{ok: False, error, reason}`.
        """
        answer = self.relay.relay(member, message, clock.now())
        if not isinstance(answer, Refused):
            self._messenger.post(answer.member, "webrtc_signal", answer.message)
            return {"ok": True}
        # Only the first of each kind and participant is worth a row: a flood must not fill the disk.
        if self.relay.refused_by[member, answer.reason] == 1:
            self._recorder.event("signal_refused", member, reason=answer.reason, detail=answer.detail)
        if answer.kick:
            _log.warning("closing the socket of %s: %s", member, answer.detail)
            self._messenger.close(member)
        return {"ok": False, "error": f"This signal was refused: {answer.detail}.", "reason": answer.reason}

    # Ending

    def drop(self, member: str, now: float) -> None:
        """A participant's connection is gone; their seat is held for a while."""
        seat = self._seats.get(member)
        if seat is not None:
            game, player = seat
            game.dropped.setdefault(player, now)
            self._recorder.event("connection_lost", member, game_id=game.game_id, player_id=player)

    def back(self, member: str) -> None:
        """A participant's connection is there again."""
        seat = self._seats.get(member)
        if seat is not None:
            game, player = seat
            if game.dropped.pop(player, None) is not None:
                self._recorder.event("connection_back", member, game_id=game.game_id, player_id=player)

    def leave(self, member: str, reason: str) -> None:
        """A participant will not play on; the others are told, and their game ends fairly."""
        seat = self._seats.pop(member, None)
        if seat is None:
            return
        game, player = seat
        if not self._ledger.has_report(game.game_id, player):
            game.left.add(player)
            self._recorder.event("left_game", member, game_id=game.game_id, player_id=player, reason=reason)
            for other in game.seats.values():
                if other != member and other in self._seats:
                    left = {"game_id": game.game_id, "player_id": player, "reason": reason}
                    self._messenger.post(other, "player_left", left)
        self._vacate(game, player)

    def finish(self, member: str, game_id: str) -> bool:
        """A participant's page says that the game is over and all its data is here; False if they are not in
        it."""
        seat = self._seats.get(member)
        if seat is None or seat[0].game_id != game_id:
            return False
        game, player = seat
        if not self._ledger.has_report(game_id, player):
            self.leave(member, "ended without a report")
            return True
        del self._seats[member]
        self._recorder.event("game_over", member, game_id=game_id, player_id=player)
        self._vacate(game, player)
        return True

    def tick(self, now: float) -> list[str]:
        """Let those go whose connection did not come back, or who never began; answers who they are."""
        gone: list[str] = []
        for game in list(self._games.values()):
            # Alone, nobody waits for anybody.
            late = len(game.stage.humans) > 1 and now - game.started >= self._settings.begin_s
            for player, member in list(game.seats.items()):
                if (away := game.dropped.get(player)) is not None and now - away >= self._settings.hold_s:
                    self.leave(member, "connection lost")
                    gone.append(member)
                elif late and not self._ledger.has_frames(game.game_id, player):
                    self.leave(member, "never began")
                    gone.append(member)
        return gone

    def _vacate(self, game: Game, player: int) -> None:
        del game.seats[player]
        game.dropped.pop(player, None)
        self.relay.remove_player(game.game_id, player)
        if not game.seats:
            del self._games[game.game_id]
            self._ledger.close(game.game_id, game.left)
