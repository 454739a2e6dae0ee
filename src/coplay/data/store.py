"""The database: SQLite beside the other data by default, another engine by `COPLAY_DATABASE_URL`.

One thread does all the work, in the order it was asked: the event loop never waits for a disk. What was asked
while the disk was busy shares the next transaction, so that many small writes cost one wait.
"""

import logging
import os
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Final, TypeAlias, TypeVar

from sqlalchemy import Connection, Engine, Executable, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from coplay.data.records import metadata
from coplay.errors import StoreError

DATABASE_VARIABLE = "COPLAY_DATABASE_URL"
DATABASE_FILE = "coplay.sqlite"
MOST_AT_ONCE: Final = 256

_log = logging.getLogger(__name__)
_Result = TypeVar("_Result")
_Job: TypeAlias = "tuple[Callable[[Connection], Any], Future[Any]]"


class Store:
    """The records of the studies of one data directory.

    Args:
        directory: The data directory; made when missing.

    Raises:
        StoreError: It cannot be opened.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._engine = _engine(directory)
            with self._engine.begin() as connection:
                metadata.create_all(connection)
        except (OSError, SQLAlchemyError) as error:
            reason = str(getattr(error, "orig", None) or error)
            raise StoreError(
                f"the data in {directory} cannot be opened ({reason})", "Check the path and its permissions."
            ) from error
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread = Thread(target=self._work, name="store", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[Connection], _Result]) -> "Future[_Result]":
        """Do `work` in the store's thread; the future is done once it is committed.

        `work` may be done again if something else in the same transaction fails. A failure is logged here as
        well, since not every caller waits for the answer.
        """
        future: Future[_Result] = Future()
        # From here on nobody can cancel it: a page that closes while it waits must not take a write along.
        future.set_running_or_notify_cancel()
        future.add_done_callback(_log_failure)
        self._jobs.put((work, future))
        return future

    def execute(self, statement: Executable) -> "Future[None]":
        """Execute one statement whose answer is of no interest."""

        def work(connection: Connection) -> None:
            connection.execute(statement)

        return self.submit(work)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            jobs, closing = [job], False
            while len(jobs) < MOST_AT_ONCE and not closing:
                try:
                    another = self._jobs.get_nowait()
                except Empty:
                    break
                if another is None:
                    closing = True
                else:
                    jobs.append(another)
            self._transact(jobs)
            if closing:
                break
        self._engine.dispose()

    def _transact(self, jobs: list[_Job]) -> None:
        try:
            with self._engine.begin() as connection:
                results = [work(connection) for work, _ in jobs]
        except BaseException as error:
            if len(jobs) == 1:
                jobs[0][1].set_exception(error)
                return
            # One of them is to blame; alone, the others succeed.
            for job in jobs:
                self._transact([job])
            return
        for (_, future), result in zip(jobs, results, strict=True):
            future.set_result(result)

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
        self._jobs.put(None)
        self._thread.join()


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
