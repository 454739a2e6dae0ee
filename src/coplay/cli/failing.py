"""How a command fails: one plain line and a hint, with a log file for unexpected errors."""

import logging
import sys
from pathlib import Path
from typing import Any, NoReturn

import click

from coplay.errors import CoplayError

_INTERRUPTED = 130
"""128 plus the number of SIGINT, the convention of shells."""


class Commands(click.Group):
    """A click group that reports errors, and Ctrl-C, as one plain line and a hint."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command, turning exceptions into messages and exit codes."""
        try:
            return super().invoke(ctx)
        except CoplayError as error:
            _fail(error.message, error.hint)
        except KeyboardInterrupt:
            click.echo("coplay: interrupted", err=True)
            sys.exit(_INTERRUPTED)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:  # noqa: BLE001 (the last resort: nobody should see a traceback)
            log = _log_error(error)
            _fail(
                f"something unexpected went wrong ({type(error).__name__}: {error})",
                f"The details are in {log}.",
            )


def _log_error(error: BaseException) -> Path:
    file = Path("coplay-error.log").resolve()
    handler = logging.FileHandler(file)
    record = logging.LogRecord(
        "coplay", logging.ERROR, __file__, 0, "unexpected", None, (type(error), error, error.__traceback__)
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    handler.emit(record)
    handler.close()
    return file


def _fail(message: str, hint: str) -> NoReturn:
    click.echo(f"coplay: {message}", err=True)
    if hint:
        click.echo(f"  hint: {hint}", err=True)
    sys.exit(2)
