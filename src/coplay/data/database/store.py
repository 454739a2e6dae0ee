"""The records of the studies of one data directory: SQLite beside the other data by default, PostgreSQL by
`COPLAY_DATABASE_URL`.

One thread does all the work, in the order it was asked: the event loop never waits for a disk. What was
asked while the disk was busy shares the next transaction, so that many small writes cost one wait. While the
database is away or full, the same transaction is tried again until it succeeds; what waits is counted, so
that a caller can refuse more before memory grows.
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

MAX_AT_ONCE: Final = 256
MOST_WAITING: Final = 4096
"""Records that may wait before an upload is refused."""
MOST_WAITING_BYTES: Final = 64 * 1024 * 1024
OVERFLOW: Final = 100_000
"""Records that may wait at all."""
SILENT_AFTER_S: Final = 2.5
CLOSE_AFTER_S: Final = 15.0
_FIRST_WAIT_S: Final = 0.1
_LONGEST_WAIT_S: Final = 2.0

_log = logging.getLogger(__name__)
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class _RowInsert:
    table: Table
    column: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _StoreJob:
    work: Callable[[Connection], Any] | _RowInsert
    size: int
    future: "Future[Any]" = field(default_factory=Future)


class Store:
    """The database, and the files beside it.

    Args:
        directory: The data directory; made when missing.

    Raises:
        StoreError: It cannot be opened.
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
                "Check the address, and whether it runs."
                if os.environ.get(DATABASE_VARIABLE)
                else "Check the path and its permissions.",
            ) from error
        self._jobs: SimpleQueue[_StoreJob | None] = SimpleQueue()
        self._counting = Lock()
        self._waiting = self._waiting_bytes = 0
        self._busy_since: float | None = None
        self._trouble = ""
        self._trouble_since = 0.0
        self._closing = Event()
        self._thread = Thread(target=self._work, name="store", daemon=True)
        self._thread.start()

    # Asking

    def submit(self, work: Callable[[Connection], _Result], size: int = 0) -> "Future[_Result]":
        """Do `work` in the store's thread; the future is done once it is committed.

        `work` may be done again if something else in the same transaction fails, or the database does. A
        failure of its own is logged here as well, since not every caller waits for the answer.

        Args:
            work: What to do; its result is the future's.
            size: Bytes of memory that it holds while it waits.
        """
        return self._ask(_StoreJob(work, size))

    def insert(self, table: Table, row: Mapping[str, Any], column: str, size: int = 0) -> "Future[Any]":
        """Insert a row unless its primary key is there.

        Rows for one table that were asked for one after another are inserted together.

        Args:
            table: Where to.
            row: Always with the same columns for one table.
            column: Whose value is the answer: of the row that was there; None if there was none. One column
                for each table.
            size: Bytes of memory that the row holds while it waits.
        """
        return self._ask(_StoreJob(_RowInsert(table, column, row), size))

    def _ask(self, job: _StoreJob) -> "Future[Any]":
        # From here on nobody can cancel it: a page that closes while it waits must not take a write along.
        job.future.set_running_or_notify_cancel()
        if self._waiting >= OVERFLOW:
            job.future.set_exception(StoreError("too much waits for the database", "See the log."))
            return job.future
        job.future.add_done_callback(_log_failure)
        with self._counting:
            self._waiting += 1
            self._waiting_bytes += job.size
        self._jobs.put(job)
        return job.future

    def execute(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> "Future[None]":
        """Execute one statement whose answer is of no interest.

        Args:
            statement: What to do. One that is made once, with its values as parameters, costs a third of one
                that is made for each row.
            parameters: Its values by name.
        """

        def work(connection: Connection) -> None:
            connection.execute(statement, parameters)

        return self.submit(work)

    def has_room(self, size: int = 0) -> bool:
        """Whether `size` more bytes may wait. If not, more should be refused until later."""
        with self._counting:
            return self._waiting < MOST_WAITING and self._waiting_bytes + size <= MOST_WAITING_BYTES

    @property
    def trouble(self) -> str:
        """Why nothing is stored at the moment, in a few words; empty when all is well."""
        busy_since = self._busy_since
        if self._trouble or busy_since is None or time.monotonic() - busy_since < SILENT_AFTER_S:
            return self._trouble
        self._note_trouble("it does not answer")
        return self._trouble

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
        """Finish what was asked, and close; a database that is away is waited for 15 seconds at most."""
        self._closing.set()
        self._jobs.put(None)
        self._thread.join(CLOSE_AFTER_S)
        if self._thread.is_alive():
            _log.error("%d records were not written: the database does not answer", self._waiting)

    # The thread

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            jobs, closing = [job], False
            while len(jobs) < MAX_AT_ONCE and not closing:
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
        except Exception as error:
            if len(jobs) == 1:
                jobs[0].future.set_exception(error)
                return
            # One of them is to blame; alone, the others succeed.
            for job in jobs:
                self._transact([job])
            return
        finally:
            self._busy_since = None
        self._note_success()
        for job, result in zip(jobs, results, strict=True):
            job.future.set_result(result)

    def _persist(self, jobs: list[_StoreJob]) -> list[Any]:
        """Try one transaction until it is committed, or fails for a reason that does not pass."""
        wait_s = _FIRST_WAIT_S
        doubtful: tuple[str, list[Any]] | None = None
        while True:
            try:
                if doubtful is not None:
                    receipt, results = doubtful
                    committed = was_committed(self._engine, receipt)
                    if committed:
                        return results
                    if committed is False:
                        doubtful = None
                if doubtful is None:
                    with self._engine.connect() as connection:
                        results = _do(jobs, connection)
                        given = transaction_id(connection)
                        doubtful = None if given is None else (given, results)
                        connection.commit()
                    return results
            except Exception as error:
                if not is_transient(error):
                    raise
                self._note_trouble(plain_reason(error))
            if self._closing.is_set() and time.monotonic() - self._trouble_since > CLOSE_AFTER_S / 3:
                raise StoreError("the database is away, and the server was stopped", "See the log.")
            if self._closing.is_set():
                time.sleep(_FIRST_WAIT_S)
            else:
                self._closing.wait(wait_s)
            wait_s = min(_LONGEST_WAIT_S, 2 * wait_s)

    def _note_trouble(self, reason: str) -> None:
        with self._counting:
            if self._trouble:
                return
            self._trouble = reason
            self._trouble_since = self._busy_since or time.monotonic()
        _log.error(
            "nothing can be stored (%s); %d records wait, none is acknowledged; trying again until it works",
            reason,
            self._waiting,
        )

    def _note_success(self) -> None:
        with self._counting:
            if not self._trouble:
                return
            since, self._trouble = self._trouble_since, ""
        _log.warning("everything is stored again, after %.1f s", time.monotonic() - since)


def _do(jobs: Sequence[_StoreJob], connection: Connection) -> list[Any]:
    """The results of all, in order; rows for one table that come one after another are one statement."""
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
