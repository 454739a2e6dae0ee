"""Leads participants from scene to scene: lobbies, groups, games, endings, and what each page shows."""

import logging
import secrets
from dataclasses import asdict
from typing import Any

from coplay.server import clock
from coplay.server.coordinator import GameCoordinator
from coplay.server.messenger import Messenger
from coplay.server.recorder import Recorder
from coplay.server.settings import Settings
from coplay.server.showing import Showing
from coplay.server.stages import Stage
from coplay.server.visitors import Group, Visitor, Visitors
from coplay.study.matching import LobbyQueue, Matched, PatienceExceeded, WentAway
from coplay.study.progress import PathEvent, after, scene_of
from coplay.study.scenes import Finish, Lobby, Play
from coplay.study.study import Study

_log = logging.getLogger(__name__)

_INCOMPLETE = "Your group is not complete any more, so this game is not played. You go on from here."


class Usher:
    """The paths of all participants.

    Args:
        study: The study.
        stages: Its play scenes, made concrete.
        settings: Limits and waits.
        showing: What pages are told of a scene.
        visitors: The participants.
        messenger: Reaches their pages.
        recorder: Writes down what happens.
        coordinator: Runs the games.
    """

    def __init__(
        self,
        study: Study,
        stages: dict[int, Stage],
        settings: Settings,
        showing: Showing,
        visitors: Visitors,
        messenger: Messenger,
        recorder: Recorder,
        coordinator: GameCoordinator,
    ) -> None:
        self._study = study
        self._stages = stages
        self._settings = settings
        self._showing = showing
        self._visitors = visitors
        self._messenger = messenger
        self._recorder = recorder
        self._coordinator = coordinator
        self._lobbies = {
            index: LobbyQueue(scene.size, scene.patience_s, settings.hold_s)
            for index, scene in enumerate(study.scenes)
            if isinstance(scene, Lobby)
        }
        self._told: dict[int, float] = {}
        self._waiting: set[str] = set()

    # What pages do

    def arrived(self, visitor: Visitor) -> None:
        """A page has opened its socket: it is shown where its participant is."""
        visitor.away_since = None
        self._coordinator.back(visitor.participant_id)
        self._show(visitor)

    def dropped(self, visitor: Visitor) -> None:
        """A page's socket is gone."""
        now = clock.now()
        visitor.away_since = now
        self._recorder.event("disconnected", visitor.participant_id)
        self._coordinator.drop(visitor.participant_id, now)
        lobby = self._lobby_of(visitor)
        if lobby is not None:
            lobby.drop(visitor.participant_id, now)
            self._tell_lobby(visitor.progress.index, now)

    def reloaded(self, visitor: Visitor) -> None:
        """A new page was loaded for a participant: what the former one was playing is lost with it."""
        if visitor.game_id is not None:
            self._coordinator.leave(visitor.participant_id, "page reloaded")
            self._out_of_game(visitor)

    def continue_from(self, visitor: Visitor, index: object) -> bool:
        """The participant pressed the button of scene `index`; False if they are not there (any more)."""
        if index != visitor.progress.index:
            return False
        return self._advance(visitor, PathEvent.CONTINUED)

    def leave(self, visitor: Visitor) -> None:
        """The participant chose to leave the study."""
        lobby = self._lobby_of(visitor)
        if lobby is not None:
            lobby.leave(visitor.participant_id)
            self._tell_lobby(visitor.progress.index, clock.now())
        self._coordinator.leave(visitor.participant_id, "left the study")
        self._out_of_game(visitor)
        self._advance(visitor, PathEvent.LEFT)

    def game_over(self, visitor: Visitor, game_id: object) -> bool:
        """The participant's page is done with its game, data and all."""
        if not isinstance(game_id, str) or not self._coordinator.finish(visitor.participant_id, game_id):
            return False
        visitor.game_id = None
        return self._advance(visitor, PathEvent.PLAYED)

    def tick(self) -> None:
        """Do what time brings; to be called several times a second."""
        now = clock.now()
        for member in self._coordinator.tick(now):
            visitor = self._visitors[member]
            self._out_of_game(visitor)
            # Someone who closed the page has not completed anything; if they come back, they go on from here.
            if visitor.away_since is None:
                self._show(visitor)
        for index in self._lobbies:
            self._tick_lobby(index, now)
        for member in list(self._waiting):
            self._tick_waiting(self._visitors[member], now)

    # Paths

    def _advance(self, visitor: Visitor, event: PathEvent) -> bool:
        progress = after(self._study, visitor.progress, event)
        if progress is visitor.progress:
            return False
        self._waiting.discard(visitor.participant_id)
        visitor.progress = progress
        visitor.waiting_since = None
        scene = scene_of(self._study, progress)
        code = scene.code if isinstance(scene, Finish) else ""
        self._recorder.event(event.value, visitor.participant_id, scene=progress.index)
        visitor.stored = self._recorder.progress(
            visitor.participant_id, progress.index, progress.ending, code
        )
        self._show(visitor)
        return True

    def _show(self, visitor: Visitor) -> None:
        member = visitor.participant_id
        scene = scene_of(self._study, visitor.progress)
        props = self._showing.props(visitor.progress.index, scene)
        if isinstance(scene, Play) and visitor.game_id is None and self._group_is_broken(visitor):
            # Nobody is left to play with; they have done nothing wrong and go on.
            self._recorder.event("game_skipped", member, scene=visitor.progress.index)
            self._messenger.post(member, "notice", {"text": _INCOMPLETE})
            self._advance(visitor, PathEvent.PLAYED)
            return
        self._messenger.post(member, "scene", props, after=visitor.stored)
        match scene:
            case Lobby():
                self._lobbies[visitor.progress.index].join(member, clock.now())
                self._tick_lobby(visitor.progress.index, clock.now(), changed=True)
            case Play() if not self._coordinator.send_config(member):
                self._seek_game(visitor)
            case _:
                pass

    # Lobbies

    def _lobby_of(self, visitor: Visitor) -> LobbyQueue | None:
        lobby = self._lobbies.get(visitor.progress.index)
        return lobby if lobby is not None and visitor.participant_id in lobby else None

    def _tick_lobby(self, index: int, now: float, changed: bool = False) -> None:
        lobby = self._lobbies[index]
        effects = lobby.tick(now)
        for effect in effects:
            match effect:
                case Matched(members):
                    self._form_group(index, members)
                case PatienceExceeded(member):
                    self._advance(self._visitors[member], PathEvent.WAITED)
                case WentAway(member):
                    self._recorder.event("went_away", member, scene=index)
        if effects or changed or now - self._told.get(index, 0.0) >= self._settings.lobby_every_s:
            self._tell_lobby(index, now)

    def _tell_lobby(self, index: int, now: float) -> None:
        self._told[index] = now
        lobby = self._lobbies[index]
        for member in lobby.members:
            self._messenger.post(member, "lobby", asdict(lobby.state(member, now)))

    def _form_group(self, index: int, members: tuple[str, ...]) -> None:
        group = Group(secrets.token_hex(10), members, set())
        stored = self._recorder.group(group.group_id, index, members)
        visitors = [self._visitors[member] for member in members]
        for visitor in visitors:
            visitor.group = group
            visitor.stored = stored
        for visitor in visitors:
            self._advance(visitor, PathEvent.MATCHED)

    # Games

    def _seek_game(self, visitor: Visitor) -> None:
        stage = self._stages[visitor.progress.index]
        if len(stage.humans) == 1:
            self._open_game(stage, (visitor,))
            return
        group = visitor.group
        if group is None:
            return
        self._waiting.add(visitor.participant_id)
        visitor.waiting_since = visitor.waiting_since or clock.now()
        members = tuple(self._visitors[member] for member in group.members)
        if all(member.participant_id in self._waiting and member.away_since is None for member in members):
            self._open_game(stage, members)

    def _open_game(self, stage: Stage, visitors: tuple[Visitor, ...]) -> None:
        for visitor in visitors:
            self._waiting.discard(visitor.participant_id)
            visitor.waiting_since = None
        group = visitors[0].group if len(stage.humans) > 1 else None
        members = tuple(visitor.participant_id for visitor in visitors)
        game = self._coordinator.open_game(stage, members, group.group_id if group else None)
        for visitor in visitors:
            visitor.game_id = game.game_id

    def _tick_waiting(self, visitor: Visitor, now: float) -> None:
        group, since, away = visitor.group, visitor.waiting_since, visitor.away_since
        if group is None or since is None:
            return
        if away is not None and now - away >= self._settings.hold_s:
            self._break_up(group, {visitor.participant_id})
        elif now - since >= self._patience_before(visitor.progress.index):
            self._break_up(group, set(group.members) - self._waiting)

    def _patience_before(self, index: int) -> float:
        lobbies = [scene for scene in self._study.scenes[:index] if isinstance(scene, Lobby)]
        return lobbies[-1].patience_s if lobbies else 0.0

    def _group_is_broken(self, visitor: Visitor) -> bool:
        needed = len(self._stages[visitor.progress.index].humans)
        return needed > 1 and (visitor.group is None or bool(visitor.group.gone))

    def _out_of_game(self, visitor: Visitor) -> None:
        visitor.game_id = None
        if visitor.group is not None:
            self._break_up(visitor.group, {visitor.participant_id})

    def _break_up(self, group: Group, gone: set[str]) -> None:
        """Some members are gone: whoever waits for them to play goes on."""
        group.gone |= gone
        self._waiting -= gone
        for member in group.members:
            if member in self._waiting:
                self._show(self._visitors[member])


def failure(error: str, hint: str, reference: str = "") -> dict[str, Any]:
    """What a page is told when something went wrong."""
    return {"error": error, "hint": hint, "reference": reference}
