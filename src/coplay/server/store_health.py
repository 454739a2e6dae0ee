"""Tells pages that nothing can be stored at the moment: what they wait for comes only after it was stored."""

from coplay.data.database.store import Store
from coplay.messages.to_page import Storing
from coplay.server.messenger import Messenger


class StoreHealth:
    """Looks whether the store works, and says so when that changes.

    Args:
        store: The store.
        messenger: Reaches the pages.
    """

    def __init__(self, store: Store, messenger: Messenger) -> None:
        self._store = store
        self._messenger = messenger
        self._ok = True

    def tick(self) -> None:
        """Look; to be called several times a second."""
        ok = not self._store.trouble
        if ok is not self._ok:
            self._ok = ok
            self._messenger.announce(Storing(ok=ok), lasting=not ok)
