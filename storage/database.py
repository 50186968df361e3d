"""One way to run work on SQLite or PostgreSQL: synchronous functions on a session, each call one transaction."""

import asyncio
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import NullPool
from sqlmodel import Session

T = TypeVar("T")

POSTGRES_THREADS = 8
_SERIALIZATION = ("40P01", "40001")  # deadlock, serialization failure: the same work again is right
_TRIES = 6


class Database:
    """The engine and the threads that use it.

    SQLite has one writer thread (a thread hop a statement costs more than the statements) and one engine for reads
    that never takes the write lock. PostgreSQL has a few threads on one pool. The
    command line calls the ``_now`` forms.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        if self.is_sqlite:
            path = url.partition(":///")[2]
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            self.path: Path | None = Path(path)
            self.engine = _sqlite_engine(url, begin="BEGIN IMMEDIATE")
            self.read_engine = _sqlite_engine(url, begin="BEGIN")
            self._writer = ThreadPoolExecutor(1, thread_name_prefix="db-write")
            self._reader = ThreadPoolExecutor(2, thread_name_prefix="db-read")
        else:
            self.path = None
            self.engine = self.read_engine = _postgres_engine(url)
            self._writer = self._reader = ThreadPoolExecutor(POSTGRES_THREADS, thread_name_prefix="db")

    async def write(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` in one transaction off the event loop and commit; any exception rolls all of it back."""
        return await asyncio.get_running_loop().run_in_executor(self._writer, self.write_now, work)

    async def read(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` on a session that is never committed."""
        return await asyncio.get_running_loop().run_in_executor(self._reader, self.read_now, work)

    def write_now(self, work: Callable[[Session], T]) -> T:
        """``write`` in the caller's thread. Deadlocks and serialization failures are tried again."""
        for attempt in range(_TRIES):
            # close() alone rolls back; a rollback() would expire the rows that the caller still holds
            session = Session(self.engine, expire_on_commit=False)
            try:
                result = work(session)
                session.commit()
                return result
            except DBAPIError as error:
                if attempt == _TRIES - 1 or not _is_worth_another_try(error):
                    raise
            finally:
                session.close()
            time.sleep(random.uniform(0.005, 0.03) * (attempt + 1))
        raise AssertionError("unreachable")

    def read_now(self, work: Callable[[Session], T]) -> T:
        """``read`` in the caller's thread."""
        session = Session(self.read_engine, expire_on_commit=False)
        try:
            return work(session)
        finally:
            session.close()

    def close(self) -> None:
        """Finish what runs, then let go of threads and connections."""
        self._writer.shutdown(wait=True)
        self._reader.shutdown(wait=True)
        self.engine.dispose()
        self.read_engine.dispose()


def _is_worth_another_try(error: DBAPIError) -> bool:
    code = getattr(error.orig, "sqlstate", None)
    return code in _SERIALIZATION or (isinstance(error, OperationalError) and "database is locked" in str(error.orig))


def _postgres_engine(url: str) -> Engine:
    scheme, _, rest = url.partition("://")
    driver = "postgresql+psycopg" if scheme in ("postgres", "postgresql") else scheme
    return create_engine(
        f"{driver}://{rest}",
        pool_size=POSTGRES_THREADS,
        max_overflow=4,
        pool_pre_ping=True,
        pool_timeout=10,
        hide_parameters=True,  # what citizens write must not get into logs by way of an error message
        # a process that stands still inside a transaction would hold its locks over everybody
        connect_args={
            "connect_timeout": 5,
            "keepalives_idle": 10,
            "tcp_user_timeout": 10_000,  # milliseconds until a server that no longer answers counts as gone
            "options": "-c timezone=UTC -c idle_in_transaction_session_timeout=5s",
        },
    )


def _sqlite_engine(url: str, *, begin: str) -> Engine:
    pool: dict[str, Any] = {"poolclass": NullPool} if begin == "BEGIN" else {"pool_size": 2, "max_overflow": 2}
    engine = create_engine(url, connect_args={"timeout": 30, "check_same_thread": False}, hide_parameters=True, **pool)

    # Deferred transactions that read first and write later fail with "database is locked" whatever the timeout, and
    # two of them can both act on the same old status: the write lock is taken at the beginning.
    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "busy_timeout=30000",
            "foreign_keys=ON",
            "synchronous=FULL",
            "cache_size=-16000",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine
