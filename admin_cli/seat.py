"""An officer's seat: settings, wording, who sits there and what they work on, each opened on first use."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from handlers.accounts import find_actor
from handlers.actors import Actor
from handlers.bootstrap import DeskServices, build_desk, utc_now
from handlers.office import Office
from handlers.queries import resolve_code
from handlers.settings import Settings, load_settings
from handlers.texts import Texts, load_texts
from storage.reader import Reader

if TYPE_CHECKING:  # the tables' classes cost half a second; only acts need them
    from handlers.desk import Desk


class Seat:
    """What one run of the command line stands on. ``subject`` is the report that it is about, for error messages."""

    def __init__(self, *, clock: Callable[[], datetime] = utc_now, patience: timedelta = timedelta(seconds=30)) -> None:
        self.clock = clock
        self.patience = patience  # how long --wait waits
        self.subject: str | None = None
        self._reader: Reader | None = None
        self._desk: Desk | None = None

    @cached_property
    def settings(self) -> Settings:
        return load_settings()

    @cached_property
    def words(self) -> Texts:
        return load_texts(language="desk_vi")

    @cached_property
    def services(self) -> DeskServices:
        return build_desk(self.settings, clock=self.clock)

    @property
    def office(self) -> Office:
        return self.services.office

    @property
    def reader(self) -> Reader:
        if self._reader is None:
            self._reader = Reader(self.settings.database)
        return self._reader

    @cached_property
    def actor(self) -> Actor:
        return find_actor(self.reader, self.settings, self.office.pack)

    @property
    def desk(self) -> "Desk":
        if self._desk is None:
            from handlers.desk import Desk

            self._desk = Desk(self.services, self.actor)
        return self._desk

    def now(self) -> datetime:
        return self.clock()

    def say(self, key: str, **values: object) -> str:
        """A sentence of the desk's wording."""
        return self.words.say(key, **values)

    def code(self, typed: str) -> str:
        """The whole code of what was typed; it becomes the subject. Raises UnknownCode."""
        self.subject = resolve_code(self.reader, self.actor, typed, self.office.pack.code_prefix)
        return self.subject

    def leave(self) -> None:
        """Close what was opened."""
        if self._desk is not None:
            self._desk.disconnect()
        if self._reader is not None:
            self._reader.close()
        self._desk = self._reader = None
