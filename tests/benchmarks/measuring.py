"""What the benchmarks share: databases as in production, a fast loop, percentiles, a table."""

import asyncio
import contextlib
import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from rich.console import Console
from rich.table import Table

from storage import migrate
from storage.database import Database
from tests import servers


def utc_now() -> datetime:
    """The real clock."""
    return datetime.now(UTC)


@contextlib.contextmanager
def databases() -> Iterator[dict[str, Callable[[], Database]]]:
    """Makers of fresh databases, by kind; both write through to the disk at every commit."""
    with tempfile.TemporaryDirectory() as folder, servers.postgres(is_durable=True) as server:
        count = iter(range(1000))

        def a_file() -> Database:
            database = Database(f"sqlite:///{Path(folder) / f'{next(count)}.db'}")
            migrate.upgrade(database)
            return database

        yield {"SQLite": a_file, "PostgreSQL": lambda: Database(server.create_database())}


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """As the bot runs: on uvloop where there is one, logging only what is wrong."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    if sys.platform == "win32":
        asyncio.run(main())
        return
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


def percentile(values: Sequence[float], share: float) -> float:
    """In milliseconds, of values in seconds."""
    ordered = sorted(values)
    return 1000 * ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table."""
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, justify="right" if column != columns[0] else "left")
    for row in rows:
        table.add_row(*(f"{cell:,.1f}" if isinstance(cell, float) else str(cell) for cell in row))
    Console(width=120).print(table)
