"""What becomes of a test whose program is not installed."""

import os
from typing import NoReturn

import pytest


def do_without(reason: str) -> NoReturn:
    """Skip on somebody's machine; fail in CI, where what is missing would prove nothing in silence.

    Args:
        reason: What is missing, and how it is had.
    """
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
