"""The people of a study and their games, without a network: sockets are lists, and time is moved by hand."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.server.virtual_clock import VirtualClock

from coplay.data.database.store import Store
from coplay.server.event_log import EventLog
from coplay.server.games.coordinator import GameCoordinator
from coplay.server.games.game_config import StudyIdentity
from coplay.server.games.play_setup import build_play_setups
from coplay.server.messenger import Messenger
from coplay.server.people.page_tokens import PageTokens
from coplay.server.people.participants import Participant, Participants
from coplay.server.people.scene_flow import SceneFlow
from coplay.server.people.scene_props import SceneProps
from coplay.server.settings import Settings
from coplay.server.uploads.ledger import Ledger
from coplay.signaling import IceServers, TokenSigner
from coplay.study import Study

SETTINGS = Settings()


class RecordingSockets:
    """Sockets that remember what was sent to them, and take everything."""

    def __init__(self) -> None:
        self.sent: dict[str, list[tuple[str, Any]]] = {}
        self.closed: list[str] = []

    async def emit(self, event: str, data: Any, *, to: str) -> None:
        self.sent.setdefault(to, []).append((event, data[0] if isinstance(data, tuple) else data))

    def backlog(self, sid: str) -> int:
        return 0

    async def disconnect(self, sid: str) -> None:
        self.closed.append(sid)


class World:
    """One study's people, on a store in a folder.

    Args:
        study: The study.
        folder: Where the data goes.
        store: The store.
        clock: The time.
    """

    def __init__(self, study: Study, folder: Path, store: Store, clock: VirtualClock) -> None:
        self.store = store
        self.clock = clock
        self.sockets = RecordingSockets()
        self.signer = TokenSigner(b"k" * 32)
        play_setups = build_play_setups(study)
        identity = StudyIdentity(study.name, study.version, "2" * 64, "1" * 64)
        self.event_log = EventLog(store, study.name, clock)
        self.ledger = Ledger(self.event_log, clock)
        self.participants = Participants(study, self.event_log)
        self.messenger = Messenger(self.sockets, clock)
        self.coordinator = GameCoordinator(
            identity, SETTINGS, self.messenger, self.event_log, self.ledger, self.signer, IceServers(), clock
        )
        self.scene_flow = SceneFlow(
            study,
            play_setups,
            SETTINGS,
            SceneProps(folder, play_setups),
            self.participants,
            self.messenger,
            self.event_log,
            self.coordinator,
            clock,
        )
        self.page_tokens = PageTokens(
            self.signer, self.participants, self.messenger, self.event_log, SETTINGS.token_s, clock
        )
        self._sockets_opened = 0

    def arrive(self, participant_id: str, secret: str | None = None) -> tuple[Participant, str]:
        """A page is loaded; answers its participant and their secret."""
        body = {"participant": participant_id, **({} if secret is None else {"secret": secret})}
        return self.participants.arrive(body, "a browser")

    def connect(self, participant: Participant, *, resumed: bool = False) -> str:
        """A participant's page opens a socket; answers it."""
        self._sockets_opened += 1
        sid = f"s{self._sockets_opened}"
        self.messenger.open(participant.participant_id, sid)
        self.scene_flow.arrived(participant, resumed)
        return sid

    def enter(self, participant_id: str) -> Participant:
        """Someone arrives for the first time, and their page opens a socket."""
        participant, _ = self.arrive(participant_id)
        self.connect(participant)
        return participant

    def drop(self, participant: Participant) -> None:
        """A participant's socket is gone."""
        sid = self.messenger.sid_of(participant.participant_id)
        assert sid is not None
        assert self.messenger.lost(participant.participant_id, sid)
        self.scene_flow.dropped(participant)

    def pass_time(self, seconds: float) -> None:
        """Let time pass, and look after everyone."""
        self.clock.advance(seconds)
        self.scene_flow.tick(self.clock.now())

    async def sent(self, participant: Participant, *, but: tuple[str, ...] = ("lobby",)) -> list[str]:
        """What the pages of a participant were sent: names of events, and the kinds of scenes."""
        await self.settle()
        sid = self.messenger.sid_of(participant.participant_id)
        messages = self.sockets.sent.get(sid or "", [])
        return [data["kind"] if event == "scene" else event for event, data in messages if event not in but]

    async def data(self, participant: Participant, event: str) -> list[Any]:
        """The data of all events of this name that a participant's socket was sent."""
        await self.settle()
        sid = self.messenger.sid_of(participant.participant_id)
        return [data for name, data in self.sockets.sent.get(sid or "", []) if name == event]

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What stands in the store by now."""

        def read(connection: Any) -> list[tuple[Any, ...]]:
            return [tuple(row) for row in connection.exec_driver_sql(query)]

        return await asyncio.wrap_future(self.store.submit(read))

    async def settle(self) -> None:
        """Let everything be stored that is in flight, and be sent."""
        await asyncio.wrap_future(self.store.submit(lambda connection: None))
        for _ in range(20):
            await asyncio.sleep(0)


@contextmanager
def world_of(study: Study, folder: Path, clock: VirtualClock | None = None) -> Iterator[World]:
    """The people of a study, whose store is closed afterwards."""
    store = Store(folder / "data")
    try:
        yield World(study, folder, store, clock or VirtualClock())
    finally:
        store.close()
