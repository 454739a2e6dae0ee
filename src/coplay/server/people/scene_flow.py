"""Leads participants from scene to scene: through lobbies into groups, into games, and to an ending."""

import secrets
from collections import deque
from typing import Final

from coplay.messages.to_page import Notice, Removed
from coplay.server.clock import Clock
from coplay.server.event_log import EventLog
from coplay.server.games.coordinator import GameCoordinator, SeatStatus
from coplay.server.games.game import Seat
from coplay.server.games.play_setup import PlaySetup
from coplay.server.messenger import Messenger
from coplay.server.people.forming_groups import FormingGroups
from coplay.server.people.lobbies import Lobbies
from coplay.server.people.participants import Participant, Participants
from coplay.server.people.path_position import Group
from coplay.server.people.scene_props import SceneProps
from coplay.server.settings import Settings
from coplay.study.matching import Matched, PatienceExceeded
from coplay.study.progress import PathEvent, after, scene_of
from coplay.study.scenes import Finish, Lobby, Play
from coplay.study.study import Study

_INCOMPLETE: Final = "Your group is not complete any more, so this game is not played. You go on from here."
_REMOVED: Final = "You were away for too long, so the game ended for you. You go on from here."
_OVER: Final = "The game ended while your page was loading. You go on from here."
_AGAIN: Final = "The game could not continue after this page was reloaded. It starts over."

Party = tuple[Participant, ...]
"""Participants who are shown their scenes together: all enter a game before any of them is shown it."""


class SceneFlow:
    """The guide of all participants along the scenes of a study.

    Args:
        study: The study.
        play_setups: Its play scenes, by scene index.
        settings: Limits and waits.
        scene_props: Makes the messages with which pages show a scene.
        participants: The participants.
        messenger: Sends events to their pages.
        event_log: Records events, progress and groups.
        coordinator: Runs the games.
        clock: The server's clock.
    """

    def __init__(
        self,
        study: Study,
        play_setups: dict[int, PlaySetup],
        settings: Settings,
        scene_props: SceneProps,
        participants: Participants,
        messenger: Messenger,
        event_log: EventLog,
        coordinator: GameCoordinator,
        clock: Clock,
    ) -> None:
        self._study = study
        self._play_setups = play_setups
        self._scene_props = scene_props
        self._participants = participants
        self._messenger = messenger
        self._event_log = event_log
        self._coordinator = coordinator
        self._clock = clock
        self._lobbies = Lobbies(study, settings, messenger, event_log)
        self._forming_groups = FormingGroups(study, settings, participants)

    # What pages do

    def arrived(self, participant: Participant, resumed: bool = False) -> None:
        """Show a participant's scene on their page, which has opened a socket.

        Args:
            participant: The participant.
            resumed: True if the page resumes an earlier socket and is sent the events that it missed.
        """
        participant.attendance.away_since = None
        seat_status = self._coordinator.arrive(participant.participant_id, participant.attendance.visit)
        shown = self._handle_lost_games()
        if seat_status is SeatStatus.DONE:
            participant.position.game_id = None
            self._advance(participant, PathEvent.PLAYED)
        # A page that resumes in the middle of a game goes on with it, and must not be sent the scene again.
        elif participant.participant_id not in shown and not (resumed and seat_status is SeatStatus.PLAYING):
            self._show(participant)

    def dropped(self, participant: Participant) -> None:
        """Hold the places of a participant whose page has lost its socket."""
        now, participant_id = self._clock.now(), participant.participant_id
        participant.attendance.away_since = now
        self._event_log.event("disconnected", participant_id)
        self._coordinator.seats.drop(participant_id, now)
        self._lobbies.drop(participant.position.progress.index, participant_id, now)

    def reloaded(self, participant: Participant) -> None:
        """Hold the seat of a participant whose new page has been loaded and has no socket yet."""
        # The events that the old page missed are of no use to the new one, which is shown everything.
        self._messenger.forget(participant.participant_id)
        self._coordinator.seats.replace_page(participant.participant_id, self._clock.now())

    def continue_from(self, participant: Participant, index: object) -> bool:
        """Move a participant on who pressed the button of a scene. Return False if they are elsewhere.

        Args:
            participant: The participant.
            index: Scene index as the page sent it; any type.
        """
        # A second press, or a page that has not yet heard of the next scene, must not skip a scene.
        if index != participant.position.progress.index:
            return False
        return self._advance(participant, PathEvent.CONTINUED)

    def leave(self, participant: Participant) -> None:
        """End the path of a participant who chose to leave the study."""
        participant_id = participant.participant_id
        self._lobbies.leave(participant.position.progress.index, participant_id, self._clock.now())
        self._coordinator.leave(participant_id, "left the study")
        self._leave_group(participant)
        self._advance(participant, PathEvent.LEFT)

    def game_over(self, participant: Participant, game_id: object) -> bool:
        """Move a participant past a game that their page has finished. Return False if they are not in it.

        Args:
            participant: The participant.
            game_id: The game's id as the page sent it; any type.
        """
        if not isinstance(game_id, str) or not self._coordinator.finish(participant.participant_id, game_id):
            return False
        participant.position.game_id = None
        return self._advance(participant, PathEvent.PLAYED)

    def take_left_report(self, game_id: str, player: int, incarnation: int) -> None:
        """Move a participant past a game if an earlier page than the one in their seat reports its end.

        Args:
            game_id: The game.
            player: The seat whose page reported the end.
            incarnation: Which of the seat's pages reported it.
        """
        participant_id = self._coordinator.successor_of(game_id, player, incarnation)
        if participant_id is not None:
            self.game_over(self._participants[participant_id], game_id)

    def tick(self, now: float) -> None:
        """Apply time-outs and form groups. Call it several times a second.

        Args:
            now: Monotonic seconds.
        """
        for participant_id in self._coordinator.tick(now):
            participant = self._participants[participant_id]
            participant.position.removed_from = participant.position.game_id
            self._leave_group(participant)
            # Someone who closed the page is not moved on yet: they go on from here if they come back.
            if not participant.attendance.is_away:
                self._show(participant)
        self._handle_lost_games()
        for index in self._lobbies.indices:
            for party in self._tick_lobby(index, now):
                self._show(*party)
        for participant in self._forming_groups.tick(now):
            self._show(participant)

    # Paths

    def _advance(self, participant: Participant, event: PathEvent) -> bool:
        moved = self._move(participant, event)
        if moved:
            self._show(participant)
        return moved

    def _move(self, participant: Participant, event: PathEvent) -> bool:
        position = participant.position
        progress = after(self._study, position.progress, event)
        # `after` returns the same object if the event does not apply to this scene.
        if progress is position.progress:
            return False
        self._forming_groups.stop(participant)
        position.progress = progress
        position.removed_from = None
        scene = scene_of(self._study, progress)
        code = scene.code if isinstance(scene, Finish) else ""
        self._event_log.event(event.value, participant.participant_id, scene=progress.index)
        participant.stored = self._event_log.progress(
            participant.participant_id, progress.index, progress.ending, code
        )
        return True

    def _skip_game(self, participant: Participant, text: str) -> list[Party]:
        """Move a participant past a game that cannot be played; return them as a party if they moved."""
        participant_id = participant.participant_id
        self._event_log.event("game_skipped", participant_id, scene=participant.position.progress.index)
        self._messenger.post(participant_id, Notice(text=text))
        return [(participant,)] if self._move(participant, PathEvent.PLAYED) else []

    def _show(self, *party: Participant) -> None:
        """Show participants their scenes, and show theirs to everyone who is moved on as a consequence."""
        parties: deque[Party] = deque([party])
        while parties:
            placed = []
            for participant in parties.popleft():
                progress = participant.position.progress
                parties.extend(self._enter(participant))
                placed.append((participant, progress))
            for participant, progress in placed:
                # A participant who was moved on meanwhile is shown the later scene with a queued party.
                if participant.position.progress is progress:
                    self._show_scene(participant)

    def _show_scene(self, participant: Participant) -> None:
        index = participant.position.progress.index
        scene = scene_of(self._study, participant.position.progress)
        props = self._scene_props.props(index, scene)
        self._messenger.post(participant.participant_id, props, after=participant.stored)
        if isinstance(scene, Lobby):
            self._lobbies.tell(index, self._clock.now())

    def _enter(self, participant: Participant) -> list[Party]:
        """Put a participant into the lobby or the game of their scene; return everyone whom this moves on.

        A participant who completes a group is moved on with it immediately, and never sees the lobby.
        """
        index = participant.position.progress.index
        scene = scene_of(self._study, participant.position.progress)
        if isinstance(scene, Lobby):
            now = self._clock.now()
            self._lobbies.join(index, participant.participant_id, now)
            return self._tick_lobby(index, now)
        if isinstance(scene, Play):
            return self._enter_game(participant, self._play_setups[index])
        return []

    def _tick_lobby(self, index: int, now: float) -> list[Party]:
        """Move on the participants who leave a lobby, and return them."""
        parties: list[Party] = []
        for effect in self._lobbies.tick(index, now):
            match effect:
                case Matched(members):
                    parties.append(self._form_group(index, members))
                case PatienceExceeded(member):
                    participant = self._participants[member]
                    self._move(participant, PathEvent.WAITED)
                    parties.append((participant,))
        return parties

    def _form_group(self, index: int, members: tuple[str, ...]) -> Party:
        group = Group(secrets.token_hex(10), members, set())
        stored = self._event_log.group(group.group_id, index, members)
        party = tuple(self._participants[member] for member in members)
        for participant in party:
            participant.position.group = group
            participant.stored = stored
        for participant in party:
            self._move(participant, PathEvent.MATCHED)
        return party

    # Games

    def _enter_game(self, participant: Participant, play_setup: PlaySetup) -> list[Party]:
        """Seat a participant if their group is complete, or return them as a party if they are moved on."""
        position = participant.position
        if position.game_id is None:
            if position.removed_from is not None:
                self._messenger.post(participant.participant_id, Removed(game_id=position.removed_from))
                return self._skip_game(participant, _REMOVED)
            if self._forming_groups.is_broken(position, play_setup):
                return self._skip_game(participant, _INCOMPLETE)
        if not self._coordinator.send_config(participant.participant_id):
            self._seek_game(participant, play_setup)
        return []

    def _seek_game(self, participant: Participant, play_setup: PlaySetup) -> None:
        if len(play_setup.humans) == 1:
            self._open_game(play_setup, (participant,), None)
        elif party := self._forming_groups.wait(participant, self._clock.now()):
            group = participant.position.group
            self._open_game(play_setup, party, group.group_id if group else None)

    def _open_game(self, play_setup: PlaySetup, party: Party, group_id: str | None) -> None:
        for participant in party:
            self._forming_groups.stop(participant)
        seats = [Seat(participant.participant_id, participant.attendance.visit) for participant in party]
        game = self._coordinator.open_game(play_setup, seats, group_id)
        for participant in party:
            participant.position.game_id = game.game_id

    def _handle_lost_games(self) -> set[str]:
        """Restart lost games, or end them if someone is missing; return the ids of their participants."""
        lost_seats = self._coordinator.take_lost_seats()
        for lost_seat in lost_seats:
            participant_id = lost_seat.participant_id
            participant = self._participants[participant_id]
            game_id, participant.position.game_id = participant.position.game_id, None
            if lost_seat.can_restart:
                self._messenger.post(participant_id, Notice(text=_AGAIN))
                if not participant.attendance.is_away:
                    self._show(participant)
            else:
                self._leave_group(participant)
                if game_id is not None:
                    self._messenger.post(participant_id, Removed(game_id=game_id))
                for party in self._skip_game(participant, _OVER):
                    self._show(*party)
        return {lost_seat.participant_id for lost_seat in lost_seats}

    def _leave_group(self, participant: Participant) -> None:
        participant.position.game_id = None
        for stranded in self._forming_groups.break_up(participant):
            self._show(stranded)
