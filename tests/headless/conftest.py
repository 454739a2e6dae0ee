"""A TURN server for headless peers."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.lacking import NO_TURNSERVER, do_without

if TYPE_CHECKING:
    from playtest import TurnServer


@pytest.fixture
def turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Iterator[TurnServer]":
    """A TURN server that every study server started from now on gives to its participants."""
    # The browser tests' package; it registers itself with pytest before it may be imported.
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "browser")
    from playtest import TurnServer

    if not TurnServer.is_there():
        do_without(NO_TURNSERVER)
    turn = TurnServer(tmp_path)
    monkeypatch.setenv("COPLAY_TURN", turn.address)
    monkeypatch.setenv("COPLAY_TURN_SECRET", turn.secret)
    yield turn
    turn.stop()
