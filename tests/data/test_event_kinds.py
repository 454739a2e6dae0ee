"""Every kind of event that is recorded anywhere has its meaning in the export."""

import ast
import inspect
import re
from pathlib import Path

import coplay
from coplay.data.event_kinds import BROWSER, SERVER
from coplay.netcode import events
from coplay.study.progress import PathEvent

SOURCE = Path(coplay.__file__).parent
UNRECORDED = {"game_agreed", "hello_mismatch", "stalled"}
"""Told in the report, on the page, and in the figures of each second."""


def first_words(folder: str, *methods: str) -> set[str]:
    """The texts that calls of these methods have in their first argument."""
    found = set()
    for path in (SOURCE / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in methods and node.args:
                words = (word for word in ast.walk(node.args[0]) if isinstance(word, ast.Constant))
                found |= {word.value for word in words if isinstance(word.value, str)}
    return found


def test_every_kind_that_the_server_records_is_explained_and_no_other() -> None:
    recorded = first_words("server", "event") | {event.value for event in PathEvent}
    assert recorded == set(SERVER)


def test_every_kind_that_browsers_record_is_explained_and_no_other() -> None:
    classes = inspect.getmembers(events, inspect.isclass)
    of_netcode = {re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower() for name, _ in classes}
    recorded = first_words("browser", "_record_event") | (of_netcode - UNRECORDED)
    assert recorded == set(BROWSER)
