"""Brings a database to this program's schema, or says how far it is."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from storage.database import Database
from storage.errors import SchemaMismatch

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0001"  # the newest step; a test compares it with the steps on disk
_SCRIPTS = Path(__file__).parent / "migrations"
_LOCK = 0x70616874  # any number that nothing else locks in this database


def current(database: Database) -> str | None:
    """The step at which the database stands; None = empty."""
    with database.read_engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        step: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return step


def is_current(database: Database) -> bool:
    """Whether the database fits this program; cheap, loads no migration machinery."""
    return current(database) == HEAD


def check(database: Database) -> None:
    """Raise SchemaMismatch unless the database fits this program."""
    if (found := current(database)) != HEAD:
        raise SchemaMismatch(found, HEAD)


def upgrade(database: Database) -> None:
    """Bring the database to the newest step. Of several processes one does it and the others wait."""
    if is_current(database):
        return
    # a command that only looks at reports need not pay for loading Alembic
    from alembic import command

    with database.engine.begin() as connection:
        _lock(connection)
        command.upgrade(_config(connection), "head")


def _lock(connection: Connection) -> None:
    # a lease needs a table, and there may be none yet. SQLite holds its one write lock since BEGIN IMMEDIATE.
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def _config(connection: Connection) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
