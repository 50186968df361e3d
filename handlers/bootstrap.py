"""Wires settings to services; both roots, the server and the command line, start here."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from handlers.office import Office
from handlers.province import load_pack
from handlers.settings import Settings
from handlers.texts import load_texts

if TYPE_CHECKING:  # the command line lists reports without loading these
    from storage.database import Database
    from storage.media import MediaStore


def utc_now() -> datetime:
    """The one clock of the processes; everything else is handed it."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class DeskServices:
    """What the officers' commands need; the database opens on first use."""

    settings: Settings
    office: Office
    open_database: "Callable[[], Database]"
    open_media: "Callable[[], MediaStore]"


def build_office(settings: Settings, *, clock: Callable[[], datetime] = utc_now) -> Office:
    """Pack, wording and clock. Raises BadPack."""
    pack = load_pack(settings.province_pack)
    return Office(pack, load_texts(pack.texts), clock)


def build_desk(settings: Settings, *, clock: Callable[[], datetime] = utc_now) -> DeskServices:
    """Services of the command line. Raises BadPack."""
    return DeskServices(
        settings,
        build_office(settings, clock=clock),
        lambda: open_database(settings),
        lambda: open_media(settings),
    )


def open_database(settings: Settings) -> "Database":
    """The database of these settings; its schema is checked by the caller."""
    from storage.database import Database  # half a second of imports that a list of reports does without

    return Database(settings.database)


def open_media(settings: Settings) -> "MediaStore":
    """The store of pictures."""
    from storage.media import MediaStore

    return MediaStore(settings.media_dir)
