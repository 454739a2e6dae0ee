"""Announces failures of the store to all pages, whose events are held back until they are stored."""

from coplay.data.database.store import Store
from coplay.messages.to_page import Storing
from coplay.server.messenger import Messenger


class StoreHealth:
    """A watch on the store, which announces failure and recovery to all pages.

    Args:
        store: The store.
        messenger: Sends the announcements.
    """

    def __init__(self, store: Store, messenger: Messenger) -> None:
        self._store = store
        self._messenger = messenger
        self._ok = True

    def tick(self) -> None:
        """Announce a change of the store's health. Call it several times a second."""
        ok = not self._store.trouble
        if ok is not self._ok:
            self._ok = ok
            self._messenger.announce(Storing(ok=ok), lasting=not ok)
