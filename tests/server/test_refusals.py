"""How the server says no, and how it reports its own faults."""

import logging

import pytest

from coplay.server.refusals import RequestRefusedError, is_worth_logging, log_fault


def test_refusal_tells_the_page_what_is_wrong_and_what_to_do() -> None:
    failure = RequestRefusedError(503, "The store is away.", "Wait.", retry_after_s=3).for_page()
    assert (failure.error, failure.hint, failure.reference) == ("The store is away.", "Wait.", "")


def test_fault_is_logged_with_its_traceback_and_the_page_gets_the_reference_only(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR):
        failure = log_fault("connect", ValueError("secret detail"))
    assert failure.reference
    assert failure.reference in caplog.text
    assert "secret detail" in caplog.text
    assert "secret" not in failure.error


def test_flood_is_logged_once_per_power_of_ten() -> None:
    assert [count for count in range(1, 1001) if is_worth_logging(count)] == [1, 10, 100, 1000]
