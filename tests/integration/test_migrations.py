"""The schema: from nothing to the newest step, the same as the models, once however many start together."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory

from storage import migrate
from storage.database import Database
from storage.errors import SchemaMismatch
from tests import servers


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/empty.db"
        return
    server: servers.Postgres = request.getfixturevalue("postgres_server")
    url = server.create_empty_database()
    yield url
    server.drop(url)


@pytest.fixture
def empty(empty_url: str) -> Iterator[Database]:
    """A database without tables."""
    database = Database(empty_url)
    yield database
    database.close()


def test_an_empty_database_is_brought_to_the_newest_step(empty: Database) -> None:
    assert migrate.current(empty) is None
    with pytest.raises(SchemaMismatch, match="missing"):
        migrate.check(empty)

    migrate.upgrade(empty)

    assert migrate.is_current(empty)
    migrate.check(empty)
    migrate.upgrade(empty)


def test_the_steps_end_where_the_models_are(empty: Database) -> None:
    migrate.upgrade(empty)

    with empty.engine.begin() as connection:
        command.check(migrate._config(connection))


def test_the_newest_step_is_the_one_that_the_program_expects(empty: Database) -> None:
    with empty.engine.begin() as connection:
        assert ScriptDirectory.from_config(migrate._config(connection)).get_heads() == [migrate.HEAD]


def test_processes_that_start_together_upgrade_once(empty_url: str) -> None:
    databases = [Database(empty_url) for _ in range(3)]
    failures: list[Exception] = []

    def upgrade(database: Database) -> None:
        try:
            migrate.upgrade(database)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=upgrade, args=[database]) for database in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert all(migrate.is_current(database) for database in databases)
    for database in databases:
        database.close()
