"""The exception for refused requests, and the report of the server's own faults, for HTTP and sockets."""

import logging
import secrets
from typing import Final

from coplay.errors import CoplayError
from coplay.messages.to_page import Failure

STORE_TIMEOUT_S: Final = 2.5
"""An upload that is not stored by then is answered with 503; it may still be stored later."""
RETRY_AFTER_S: Final = 3
"""Seconds after which a page retries an upload that a slow or broken store has not taken."""

_log = logging.getLogger(__name__)


class RequestRefusedError(CoplayError):
    """Raised for a request, an upload or a connection that the server refuses.

    Args:
        status: HTTP status, 400 to 599. Sockets send only the sentences.
        message: What is wrong; a sentence for the participant.
        hint: What the participant can do; a sentence, or empty.
        retry_after_s: Seconds after which to retry; 0 for never.
    """

    def __init__(self, status: int, message: str, hint: str = "", retry_after_s: int = 0) -> None:
        super().__init__(message, hint)
        self.status = status
        self.retry_after_s = retry_after_s

    def for_page(self) -> Failure:
        """Return the message for the page."""
        return Failure(error=self.message, hint=self.hint, reference="")


def log_fault(what: str, error: Exception) -> Failure:
    """Log a fault of the server with its traceback. Return a message for the page with the log's reference.

    Args:
        what: The request or event that failed, for the log.
        error: The exception.
    """
    reference = secrets.token_hex(4)
    _log.error("%s failed (reference %s)", what, reference, exc_info=error)
    return Failure(
        error="Something went wrong on the study's server.",
        hint="Reload the page in a minute.",
        reference=reference,
    )


def is_worth_logging(count: int) -> bool:
    """Return True for the 1st, 10th, 100th … occurrence, so that a flood cannot fill the log."""
    return str(count).strip("0") == "1"
