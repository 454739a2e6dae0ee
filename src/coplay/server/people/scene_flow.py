"""Leads participants from scene to scene: lobbies, groups, games, endings, and what each page shows."""

import secrets
from typing import Final

from coplay.messages.to_page import Notice, Removed
from coplay.server.clock import Clock
from coplay.server.event_log import EventLog
from coplay.server.games.coordinator import GameCoordinator, Seated
from coplay.server.games.play_setup import PlaySetup
from coplay.server.messenger import Messenger
from coplay.server.people.forming_groups import FormingGroups
from coplay.server.people.lobbies import Lobbies
from coplay.server.people.participants import Group, Participant, Participants
from coplay.server.people.scene_props import SceneProps
from coplay.server.settings import Settings
from coplay.study.matching import Matched, PatienceExceeded
from coplay.study.progress import PathEvent, after, scene_of
from coplay.study.scenes import Finish, Lobby, Play
from coplay.study.study import Study

_INCOMPLETE: Final = "Your group is not complete any more, so this game is not played. You go on from here."
_REMOVED: Final = "You were away for too long, so the game ended for you. You go on from here."
_OVER: Final = "The game ended while your page was loading. You go on from here."
_AGAIN: Final = "The game could not go on after this page was loaded again. It begins anew."


class SceneFlow:
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
        clock: The time.
    """

    def __init__(
        self,
        study: Study,
        stages: dict[int, PlaySetup],
        settings: Settings,
        showing: SceneProps,
        visitors: Participants,
        messenger: Messenger,
        recorder: EventLog,
        coordinator: GameCoordinator,
        clock: Clock,
    ) -> None:
        self._study = study
        self._stages = stages
        self._showing = showing
        self._visitors = visitors
        self._messenger = messenger
        self._recorder = recorder
        self._coordinator = coordinator
        self._clock = clock
        self._lobbies = Lobbies(study, settings, messenger, recorder)
        self._gathering = FormingGroups(study, settings, visitors)

    # What pages do

    def arrived(self, visitor: Participant, resumed: bool = False) -> None:
        """A page has opened its socket: it is shown where its participant is.

        Args:
            visitor: The participant.
            resumed: Whether the page has a former socket's place, and gets what it missed.
        """
        visitor.away_since = None
        seated = self._coordinator.arrive(visitor.participant_id, visitor.visit)
        shown = self._take_given_up()
        if seated is Seated.DONE:
            visitor.game_id = None
            self._advance(visitor, PathEvent.PLAYED)
        elif visitor.participant_id not in shown and not (resumed and seated is Seated.PLAYING):
            self._show(visitor)

    def dropped(self, visitor: Participant) -> None:
        """A page's socket is gone."""
        now = self._clock.now()
        visitor.away_since = now
        self._recorder.event("disconnected", visitor.participant_id)
        self._coordinator.seats.drop(visitor.participant_id, now)
        self._lobbies.drop(visitor.progress.index, visitor.participant_id, now)

    def reloaded(self, visitor: Participant) -> None:
        """A new page was loaded for a participant; a seat of theirs waits for its socket."""
        self._messenger.forget(visitor.participant_id)
        self._coordinator.seats.replace_page(visitor.participant_id, self._clock.now())

    def continue_from(self, visitor: Participant, index: object) -> bool:
        """The participant pressed the button of scene `index`; False if they are not there (any more)."""
        if index != visitor.progress.index:
            return False
        return self._advance(visitor, PathEvent.CONTINUED)

    def leave(self, visitor: Participant) -> None:
        """The participant chose to leave the study."""
        self._lobbies.leave(visitor.progress.index, visitor.participant_id, self._clock.now())
        self._coordinator.leave(visitor.participant_id, "left the study")
        self._leave_group(visitor)
        self._advance(visitor, PathEvent.LEFT)

    def game_over(self, visitor: Participant, game_id: object) -> bool:
        """The participant's page is done with its game, data and all."""
        if not isinstance(game_id, str) or not self._coordinator.finish(visitor.participant_id, game_id):
            return False
        visitor.game_id = None
        return self._advance(visitor, PathEvent.PLAYED)

    def take_left_report(self, game_id: str, player: int, incarnation: int) -> None:
        """A page has reported the end of a game. If its participant has another page by now, which came for
        the same game, that one need not look for it: it was over before."""
        member = self._coordinator.successor_of(game_id, player, incarnation)
        if member is not None:
            self.game_over(self._visitors[member], game_id)

    def tick(self, now: float) -> None:
        """Do what time brings; to be called several times a second, with monotonic seconds."""
        for member in self._coordinator.tick(now):
            visitor = self._visitors[member]
            visitor.removed_from = visitor.game_id
            self._leave_group(visitor)
            # Someone who closed the page has not completed anything; if they come back, they go on from here.
            if visitor.away_since is None:
                self._show(visitor)
        self._take_given_up()
        for index in self._lobbies.indices:
            self._tick_lobby(index, now)
        for visitor in self._gathering.tick(now):
            self._show(visitor)

    # Paths

    def _advance(self, visitor: Participant, event: PathEvent) -> bool:
        moved = self._move(visitor, event)
        if moved:
            self._show(visitor)
        return moved

    def _move(self, visitor: Participant, event: PathEvent) -> bool:
        progress = after(self._study, visitor.progress, event)
        if progress is visitor.progress:
            return False
        self._gathering.stop(visitor)
        visitor.progress = progress
        visitor.removed_from = None
        scene = scene_of(self._study, progress)
        code = scene.code if isinstance(scene, Finish) else ""
        self._recorder.event(event.value, visitor.participant_id, scene=progress.index)
        visitor.stored = self._recorder.progress(
            visitor.participant_id, progress.index, progress.ending, code
        )
        return True

    def _pass_by(self, visitor: Participant, text: str) -> None:
        """A game is not played; they have done nothing wrong and go on."""
        self._recorder.event("game_skipped", visitor.participant_id, scene=visitor.progress.index)
        self._messenger.post(visitor.participant_id, Notice(text=text))
        self._advance(visitor, PathEvent.PLAYED)

    def _show(self, *visitors: Participant) -> None:
        """Show participants where they are; those of a group at once, for a game is told before its scene."""
        for visitor in [visitor for visitor in visitors if self._take_place(visitor)]:
            index, scene = visitor.progress.index, scene_of(self._study, visitor.progress)
            props = self._showing.props(index, scene)
            self._messenger.post(visitor.participant_id, props, after=visitor.stored)
            if isinstance(scene, Lobby):
                self._lobbies.tell(index, self._clock.now())

    def _take_place(self, visitor: Participant) -> bool:
        """In a lobby or a game, where the scene is one; False if there is no staying: the next is shown."""
        member, progress = visitor.participant_id, visitor.progress
        index, scene = progress.index, scene_of(self._study, progress)
        if isinstance(scene, Lobby):
            self._lobbies.join(index, member, self._clock.now())
            self._tick_lobby(index, self._clock.now())
            # Where the others were waiting there is no lobby to be seen, and no time to lose with one.
            return visitor.progress is progress
        if not isinstance(scene, Play):
            return True
        if visitor.game_id is None:
            if visitor.removed_from is not None:
                self._messenger.post(member, Removed(game_id=visitor.removed_from))
                self._pass_by(visitor, _REMOVED)
                return False
            if self._gathering.is_broken(visitor, self._stages[index]):
                self._pass_by(visitor, _INCOMPLETE)
                return False
        if not self._coordinator.send_config(member):
            self._seek_game(visitor)
        return True

    # Lobbies

    def _tick_lobby(self, index: int, now: float) -> None:
        for effect in self._lobbies.tick(index, now):
            match effect:
                case Matched(members):
                    self._form_group(index, members)
                case PatienceExceeded(member):
                    self._advance(self._visitors[member], PathEvent.WAITED)

    def _form_group(self, index: int, members: tuple[str, ...]) -> None:
        group = Group(secrets.token_hex(10), members, set())
        stored = self._recorder.group(group.group_id, index, members)
        visitors = [self._visitors[member] for member in members]
        for visitor in visitors:
            visitor.group = group
            visitor.stored = stored
        for visitor in visitors:
            self._move(visitor, PathEvent.MATCHED)
        self._show(*visitors)

    # Games

    def _seek_game(self, visitor: Participant) -> None:
        stage = self._stages[visitor.progress.index]
        if len(stage.humans) == 1:
            self._open_game(stage, (visitor,))
        elif group := self._gathering.wait(visitor, self._clock.now()):
            self._open_game(stage, group)

    def _open_game(self, stage: PlaySetup, visitors: tuple[Participant, ...]) -> None:
        for visitor in visitors:
            self._gathering.stop(visitor)
        group = visitors[0].group if len(stage.humans) > 1 else None
        game = self._coordinator.open_game(stage, visitors, group.group_id if group else None)
        for visitor in visitors:
            visitor.game_id = game.game_id

    def _take_given_up(self) -> set[str]:
        """Games that no page can play on begin anew if everyone is there, and are over if not; answers whose
        they were."""
        given_up = self._coordinator.take_given_up()
        for member, again in given_up:
            visitor = self._visitors[member]
            game_id, visitor.game_id = visitor.game_id, None
            if again:
                self._messenger.post(member, Notice(text=_AGAIN))
                if visitor.away_since is None:
                    self._show(visitor)
            else:
                self._leave_group(visitor)
                if game_id is not None:
                    self._messenger.post(member, Removed(game_id=game_id))
                self._pass_by(visitor, _OVER)
        return {member for member, _ in given_up}

    def _leave_group(self, visitor: Participant) -> None:
        visitor.game_id = None
        for stranded in self._gathering.break_up(visitor):
            self._show(stranded)
