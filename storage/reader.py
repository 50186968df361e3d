"""Plain reading for commands that must start fast: SQL on sqlite3 or psycopg, without the tables' classes."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from storage.errors import StorageError

Row = Mapping[str, Any]
_BUSY_SECONDS = 10


class DatabaseMissing(StorageError):
    """There is no database yet, or none with our tables; whoever sets up comes first."""

    def __init__(self, where: str) -> None:
        self.where = where
        super().__init__(f"no database at {where}")


class DatabaseAway(StorageError):
    """The database server does not answer, or holds its lock too long; try again later."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(f"the database does not answer: {why}")


class Reader:
    """One read-only connection. Statements carry ``?``; instants go in and come out aware."""

    def __init__(self, url: str) -> None:
        """Open the database of this URL. Raises DatabaseMissing, DatabaseAway."""
        self.is_sqlite = url.startswith("sqlite")
        self._connection = _open_sqlite(url) if self.is_sqlite else _open_postgres(url)

    def rows(self, sql: str, *values: object) -> list[Row]:
        """Every row of the answer, by column name."""
        try:
            if self.is_sqlite:
                found = self._connection.execute(sql, [_to_sqlite(value) for value in values]).fetchall()
                return [dict(row) for row in found]
            return list(self._connection.execute(sql.replace("%", "%%").replace("?", "%s"), values).fetchall())
        except Exception as error:  # two drivers, one meaning; what is not about the server goes on unchanged
            raise _translated(error) from error

    def first(self, sql: str, *values: object) -> Row | None:
        """The first row, None where there is none."""
        return next(iter(self.rows(sql, *values)), None)

    def number(self, sql: str, *values: object) -> int:
        """The one figure of a counting statement."""
        row = self.first(sql, *values)
        return int(next(iter(row.values())) or 0) if row else 0

    def copy_to(self, path: Path) -> None:
        """A whole copy of an SQLite database, consistent while others write."""
        with sqlite3.connect(path) as copy:
            self._connection.backup(copy)
        copy.close()

    def close(self) -> None:
        self._connection.close()


def as_instant(value: object) -> datetime | None:
    """A stored instant, aware in UTC."""
    if value is None:
        return None
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    assert isinstance(value, datetime)
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def as_json(value: object) -> Any:
    """A stored JSON value: text on SQLite, read already on PostgreSQL."""
    return json.loads(value) if isinstance(value, str) else value


def marks(values: Sequence[object]) -> str:
    """Placeholders for ``IN (…)``."""
    return ",".join("?" * len(values))


def _open_sqlite(url: str) -> Any:
    path = Path(url.partition(":///")[2])
    if not path.is_file():
        raise DatabaseMissing(str(path))
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=_BUSY_SECONDS)
        connection.row_factory = sqlite3.Row
        return connection
    except sqlite3.OperationalError as error:
        raise DatabaseAway(str(error)) from error


def _open_postgres(url: str) -> Any:
    import psycopg  # only where there is a server
    from psycopg.rows import dict_row

    try:
        return psycopg.connect(
            "postgresql://" + url.partition("://")[2],
            autocommit=True,
            connect_timeout=5,
            row_factory=dict_row,
            options="-c timezone=UTC -c default_transaction_read_only=on",
        )
    except psycopg.OperationalError as error:
        raise DatabaseAway(_first_line(error)) from error


def _to_sqlite(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")  # as the tables' classes write it
    return value


def _translated(error: Exception) -> Exception:
    text = str(error)
    if "no such table" in text or ("relation" in text and "does not exist" in text):
        return DatabaseMissing(_first_line(error))
    if type(error).__name__ == "OperationalError":
        return DatabaseAway(_first_line(error))
    return error


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
