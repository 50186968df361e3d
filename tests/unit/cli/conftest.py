"""The command line on a database of its own, run in this process."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlmodel import Session
from typer.testing import CliRunner

from admin_cli.app import app
from admin_cli.seat import Seat
from storage.database import Database
from tests.desk_factories import NOW

T = TypeVar("T")
_SETTINGS = ("DATABASE_URL", "REDIS_URL", "PROVINCE_PACK", "TELEGRAM_TOKEN", "PUBLIC_URL")


@dataclass(frozen=True)
class Run:
    """What a command said and how it ended."""

    stdout: str
    stderr: str
    code: int

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)

    @property
    def cells(self) -> list[list[str]]:
        return [line.split("\t") for line in self.stdout.splitlines()]


class CommandLine:
    """Runs ``paht`` as who runs the tests, at a set time."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.folder = database, folder
        self.now = NOW
        self.patience = timedelta(seconds=10)

    def __call__(self, *words: str, input: str | None = None) -> Run:
        result = CliRunner().invoke(
            app, list(words), obj=Seat(clock=lambda: self.now, patience=self.patience), input=input
        )
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Run(result.stdout, result.stderr, result.exit_code)

    def fill(self, work: Callable[[Session], T]) -> T:
        """Write with the tables' classes."""
        return self.database.write_now(work)

    def read(self, work: Callable[[Session], T]) -> T:
        return self.database.read_now(work)

    def at(self, moment: datetime) -> "CommandLine":
        """The same at another time."""
        other = CommandLine(self.database, self.folder)
        other.now = moment
        return other


@pytest.fixture
def paht(migrated_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CommandLine]:
    """The command line of an embedded installation."""
    folder = tmp_path / "var"
    folder.mkdir()
    (folder / "paht.db").write_bytes(migrated_file.read_bytes())
    for name in _SETTINGS:
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("DATA_DIR", str(folder))
    database = Database(f"sqlite:///{folder}/paht.db")
    yield CommandLine(database, folder)
    database.close()
