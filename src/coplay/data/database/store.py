"""The store of a data directory: a thread that owns the database, and the files beside it.

All work runs in one thread, in the order in which it was submitted, so that the event loop never waits for a
disk. Work that queues up while the disk is busy shares the next transaction, so that many small writes cost
one wait. While the database is away or full, the same transaction is retried until it succeeds; the queue is
counted, so that callers can apply back-pressure before memory grows.
"""

import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Executable, Table
from sqlalchemy.exc import SQLAlchemyError

from coplay.data.database.engines import (
    DATABASE_FILE,
    DATABASE_VARIABLE,
    check_version,
    is_transient,
    open_engine,
    plain_reason,
    transaction_id,
    was_committed,
)
from coplay.data.database.inserting import insert_missing
from coplay.data.database.upgrading import upgrade_database
from coplay.errors import StoreError

__all__ = ["DATABASE_FILE", "DATABASE_VARIABLE", "Store"]

MAX_JOBS_PER_TRANSACTION: Final = 256
MOST_WAITING: Final = 4096
"""How many jobs may wait before uploads are refused."""
MOST_WAITING_BYTES: Final = 64 * 1024 * 1024
OVERFLOW: Final = 100_000
"""How many jobs may wait before every further job is refused, not only uploads."""
SILENT_AFTER_S: Final = 2.5
"""A transaction that takes longer counts as a database that does not answer."""
CLOSE_AFTER_S: Final = 15.0
_FIRST_RETRY_S: Final = 0.1
_LONGEST_RETRY_S: Final = 2.0

_log = logging.getLogger(__name__)
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class _RowInsert:
    """A row to insert; consecutive ones for the same table become one statement."""

    table: Table
    column: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _StoreJob:
    """A piece of work for the store's thread, with the future of its result."""

    work: Callable[[Connection], Any] | _RowInsert
    size: int
    future: "Future[Any]" = field(default_factory=Future)


class Store:
    """The database of a data directory, and the files beside it.

    Args:
        directory: The data directory; created if it does not exist.

    Raises:
        StoreError: The database cannot be opened.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._engine = open_engine(directory)
            try:
                check_version(self._engine)
                upgrade_database(self._engine)
            except BaseException:
                self._engine.dispose()
                raise
        except (OSError, SQLAlchemyError) as error:
            where = f"the database of {DATABASE_VARIABLE}" if os.environ.get(DATABASE_VARIABLE) else directory
            raise StoreError(
                f"the data in {where} cannot be opened ({plain_reason(error)})",
                "Check the address, and whether the database runs."
                if os.environ.get(DATABASE_VARIABLE)
                else "Check the path and its permissions.",
            ) from error
        self._jobs: SimpleQueue[_StoreJob | None] = SimpleQueue()
        self._counting = Lock()
        self._waiting = self._waiting_bytes = 0
        self._busy_since: float | None = None
        self._trouble: str | None = None
        self._trouble_since = 0.0
        self._closing = Event()
        # A daemon, so that a database that does not answer cannot keep the process from ending.
        self._thread = Thread(target=self._work, name="store", daemon=True)
        self._thread.start()

    # Any thread

    def submit(self, work: Callable[[Connection], _Result], size: int = 0) -> "Future[_Result]":
        """Run `work` in the store's thread; the future is done once the transaction is committed.

        `work` must be repeatable: it runs again if the database, or something else in the same transaction,
        fails. An error of its own is also logged, since not every caller waits for the result.

        Args:
            work: A function of a connection in a transaction; its result becomes the future's.
            size: The memory that it holds while it waits, in bytes.
        """
        return self._enqueue(_StoreJob(work, size))

    def insert(self, table: Table, row: Mapping[str, Any], column: str, size: int = 0) -> "Future[Any]":
        """Insert a row unless its primary key exists already.

        Consecutive rows for one table are inserted with one statement.

        Args:
            table: The table.
            row: The row; all rows of a table must have the same columns.
            column: The column of an existing row to return; always the same one for a table.
            size: The memory that the row holds while it waits, in bytes.

        Returns:
            A future of None if the row was inserted, or else of the existing row's value in `column`.
        """
        return self._enqueue(_StoreJob(_RowInsert(table, column, row), size))

    def _enqueue(self, job: _StoreJob) -> "Future[Any]":
        # From here on the future cannot be cancelled: when a page closes, the request that waits for it is
        # cancelled, but the write must still happen.
        job.future.set_running_or_notify_cancel()
        if self._waiting >= OVERFLOW:
            job.future.set_exception(
                StoreError(
                    "too many records wait for the database", "The log says why the database does not answer."
                )
            )
            return job.future
        job.future.add_done_callback(_log_failure)
        with self._counting:
            self._waiting += 1
            self._waiting_bytes += job.size
        self._jobs.put(job)
        return job.future

    def execute(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> "Future[None]":
        """Execute one statement without returning its result.

        Args:
            statement: The statement. Building it once and passing the values as parameters takes a third of
                the time of building it for each row.
            parameters: The values by name.
        """

        def work(connection: Connection) -> None:
            connection.execute(statement, parameters)

        return self.submit(work)

    def has_room(self, size: int = 0) -> bool:
        """Return True if `size` more bytes may be submitted; otherwise refuse uploads until later."""
        with self._counting:
            return self._waiting < MOST_WAITING and self._waiting_bytes + size <= MOST_WAITING_BYTES

    @property
    def trouble(self) -> str | None:
        """Why nothing can be stored at the moment, in a few words; None if the database works."""
        busy_since = self._busy_since
        if self._trouble or busy_since is None or time.monotonic() - busy_since < SILENT_AFTER_S:
            return self._trouble
        self._note_trouble("it does not answer")
        return self._trouble

    def keep_file(self, folder: str, name: str, content: bytes) -> None:
        """Write a file beside the database, unless it exists already.

        Args:
            folder: The name of a folder in the data directory.
            name: A plain file name that is or contains a hash of `content`; never from a client.
            content: The bytes of the file.
        """
        path = self.directory / folder / name
        if path.exists():
            return
        path.parent.mkdir(exist_ok=True)
        # Renamed when complete: other processes of the same study may write the same file.
        partial = path.with_name(f".{name}.{os.getpid()}")
        partial.write_bytes(content)
        partial.replace(path)

    def close(self) -> None:
        """Finish all submitted work and close; wait at most 15 seconds for a database that is away."""
        self._closing.set()
        self._jobs.put(None)
        self._thread.join(CLOSE_AFTER_S)
        if self._thread.is_alive():
            _log.error(
                "%d records were lost: the database did not answer before the server stopped", self._waiting
            )

    # The store's thread

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            jobs, closing = [job], False
            while len(jobs) < MAX_JOBS_PER_TRANSACTION and not closing:
                try:
                    another = self._jobs.get_nowait()
                except Empty:
                    break
                if another is None:
                    closing = True
                else:
                    jobs.append(another)
            self._transact(jobs)
            with self._counting:
                self._waiting -= len(jobs)
                self._waiting_bytes -= sum(job.size for job in jobs)
            if closing:
                break
        self._engine.dispose()

    def _transact(self, jobs: list[_StoreJob]) -> None:
        self._busy_since = time.monotonic()
        try:
            results = self._persist(jobs)
        except Exception as error:  # noqa: BLE001 (the error of a job belongs to its future)
            if len(jobs) == 1:
                jobs[0].future.set_exception(error)
                return
            # One job failed, and the whole transaction was rolled back: run each job in its own transaction.
            for job in jobs:
                self._transact([job])
            return
        finally:
            self._busy_since = None
        self._note_success()
        for job, result in zip(jobs, results, strict=True):
            job.future.set_result(result)

    def _persist(self, jobs: list[_StoreJob]) -> list[Any]:
        """Retry one transaction until it is committed, or fails with an error that is not transient."""
        wait_s = _FIRST_RETRY_S
        # A transaction that may have been committed although its commit raised an error, and its results.
        # Running it again without asking could store its rows twice.
        doubtful: tuple[str, list[Any]] | None = None
        while True:
            try:
                if doubtful is not None:
                    number, results = doubtful
                    committed = was_committed(self._engine, number)
                    if committed:
                        return results
                    # None: still in progress, so ask again after the pause.
                    if committed is False:
                        doubtful = None
                if doubtful is None:
                    with self._engine.connect() as connection:
                        results = _run(jobs, connection)
                        assigned = transaction_id(connection)
                        doubtful = None if assigned is None else (assigned, results)
                        connection.commit()
                    return results
            except Exception as error:
                if not is_transient(error):
                    raise
                self._note_trouble(plain_reason(error))
            if self._closing.is_set() and time.monotonic() - self._trouble_since > CLOSE_AFTER_S / 3:
                raise StoreError(
                    "the database is away, and the server was stopped",
                    "The log has the database's own error.",
                )
            if self._closing.is_set():
                time.sleep(_FIRST_RETRY_S)
            else:
                # Not `sleep`: closing must not wait for a long pause between retries.
                self._closing.wait(wait_s)
            wait_s = min(_LONGEST_RETRY_S, 2 * wait_s)

    def _note_trouble(self, reason: str) -> None:
        with self._counting:
            if self._trouble:
                return
            self._trouble = reason
            self._trouble_since = self._busy_since or time.monotonic()
        _log.error(
            "nothing can be stored (%s); %d records wait unacknowledged; retrying until it works",
            reason,
            self._waiting,
        )

    def _note_success(self) -> None:
        with self._counting:
            if not self._trouble:
                return
            since, self._trouble = self._trouble_since, None
        _log.warning("everything is stored again, after %.1f s", time.monotonic() - since)


def _run(jobs: Sequence[_StoreJob], connection: Connection) -> list[Any]:
    """Run all jobs in order and return their results; consecutive rows for one table are one statement."""
    results: list[Any] = []
    waiting: list[_RowInsert] = []
    for job in jobs:
        work = job.work
        if waiting and (not isinstance(work, _RowInsert) or work.table is not waiting[0].table):
            results += _insert(waiting, connection)
            waiting = []
        if isinstance(work, _RowInsert):
            waiting.append(work)
        else:
            results.append(work(connection))
    return results + (_insert(waiting, connection) if waiting else [])


def _insert(rows: Sequence[_RowInsert], connection: Connection) -> list[Any]:
    return insert_missing(connection, rows[0].table, [row.values for row in rows], rows[0].column)


def _log_failure(future: "Future[Any]") -> None:
    error = future.exception()
    if error is not None:
        _log.error("a record could not be written", exc_info=error)
