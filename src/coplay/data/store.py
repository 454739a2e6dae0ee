"""The database: SQLite beside the other data by default, another engine by `COPLAY_DATABASE_URL`.

One thread does all the work, one call after another, each in a transaction of its own: the event loop
never waits for a disk, and what was asked first is written first.
"""

import logging
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Executable, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from coplay.data.records import metadata
from coplay.errors import StoreError

DATABASE_VARIABLE = "COPLAY_DATABASE_URL"
DATABASE_FILE = "coplay.sqlite"

_log = logging.getLogger(__name__)
_Result = TypeVar("_Result")


class Store:
    """The records of the studies of one data directory.

    Args:
        directory: The data directory; made when missing.

    Raises:
        StoreError: It cannot be opened.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._engine = _engine(directory)
            self._thread.submit(metadata.create_all, self._engine).result()
        except (OSError, SQLAlchemyError) as error:
            self._thread.shutdown()
            reason = str(getattr(error, "orig", None) or error)
            raise StoreError(
                f"the data in {directory} cannot be opened ({reason})", "Check the path and its permissions."
            ) from error

    def submit(self, work: Callable[[Connection], _Result]) -> "Future[_Result]":
        """Do `work` in the store's thread, in one transaction; the future is done once it is committed.

        A failure is logged here as well, since not every caller waits for the answer.
        """
        future = self._thread.submit(self._transact, work)
        future.add_done_callback(_log_failure)
        return future

    def execute(self, statement: Executable) -> "Future[None]":
        """Execute one statement whose answer is of no interest."""

        def work(connection: Connection) -> None:
            connection.execute(statement)

        return self.submit(work)

    def _transact(self, work: Callable[[Connection], _Result]) -> _Result:
        with self._engine.begin() as connection:
            return work(connection)

    def keep_file(self, folder: str, name: str, content: bytes) -> None:
        """Keep a file beside the database, once; `name` is or contains a hash of `content`.

        Args:
            folder: A folder of the data directory.
            name: A plain file name, chosen by us.
            content: What it holds.
        """
        path = self.directory / folder / name
        if path.exists():
            return
        path.parent.mkdir(exist_ok=True)
        partial = path.with_name(f".{name}.{os.getpid()}")
        partial.write_bytes(content)
        partial.replace(path)

    def close(self) -> None:
        """Finish what was asked, and close."""
        self._thread.submit(self._engine.dispose).result()
        self._thread.shutdown()


def _engine(directory: Path) -> Engine:
    url = os.environ.get(DATABASE_VARIABLE)
    if url:
        return create_engine(url)
    engine = create_engine(f"sqlite:///{directory / DATABASE_FILE}")

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        # Readers (an export while people play) do not block the writer.
        cursor.execute("PRAGMA journal_mode=WAL")
        # An acknowledged batch survives a power cut.
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA busy_timeout=5000")
        cursor.close()

    return engine


def _log_failure(future: "Future[Any]") -> None:
    error = future.exception()
    if error is not None:
        _log.error("a record could not be written", exc_info=error)
