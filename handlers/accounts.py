"""Who sits at the desk: the operating-system user, mapped to an officer's account."""

import json
import os
import sqlite3
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from handlers.actors import Actor
from handlers.errors import HandlerError, NoAccount
from handlers.province import ProvincePack
from handlers.settings import Settings
from storage.reader import Reader, as_json
from storage.workflow import Role

TRIAL_ROLES = (Role.INTAKE, Role.OFFICER, Role.LEADER, Role.ADMIN)


class NeedsRole(HandlerError):
    """This belongs to other roles, whatever the report."""

    def __init__(self, roles: frozenset[Role], needed: frozenset[Role]) -> None:
        self.roles, self.needed = roles, needed
        super().__init__(f"needs one of {', '.join(sorted(needed))}")


def require(actor: Actor, *needed: Role) -> None:
    """Raise NeedsRole unless the actor holds one of these."""
    if not actor.roles & set(needed):
        raise NeedsRole(actor.roles, frozenset(needed))


@dataclass(frozen=True, slots=True)
class Account:
    """An officer's account."""

    account: str
    name: str
    roles: frozenset[Role]
    agency: str | None
    os_user: str | None
    is_active: bool


def list_accounts(reader: Reader) -> tuple[Account, ...]:
    """Every account, by name."""
    rows = reader.rows("SELECT account, name, roles, agency, os_user, is_active FROM officer ORDER BY account")
    return tuple(
        Account(
            row["account"],
            row["name"],
            frozenset(Role(role) for role in as_json(row["roles"])),
            row["agency"],
            row["os_user"],
            bool(row["is_active"]),
        )
        for row in rows
    )


def os_user() -> str:
    """Who the operating system says we are; never the environment, which anybody may write."""
    if sys.platform == "win32":
        return os.getlogin()
    import pwd  # there is none on Windows

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid:{os.getuid()}"


def find_actor(reader: Reader, settings: Settings, pack: ProvincePack, *, door: str = "cli") -> Actor:
    """The officer who types. On an embedded first start in trial the owner of the data folder becomes one.

    Raises NoAccount.
    """
    user = os_user()
    actor = _mapped(reader, user, door)
    if actor is None and _may_found(reader, settings, pack):
        _found(settings, user)
        actor = _mapped(reader, user, door)
    if actor is None:
        raise NoAccount(user)
    return actor


def _mapped(reader: Reader, user: str, door: str) -> Actor | None:
    row = reader.first("SELECT account, name, agency, roles, is_active FROM officer WHERE os_user = ?", user)
    if row is None or not row["is_active"]:
        return None
    return Actor(
        row["account"], row["name"], frozenset(Role(role) for role in as_json(row["roles"])), row["agency"], door
    )


def _may_found(reader: Reader, settings: Settings, pack: ProvincePack) -> bool:
    is_embedded = reader.is_sqlite and not settings.database_url
    if not is_embedded or pack.mode != "trial" or not _owns(settings.data_dir):
        return False
    return reader.number("SELECT count(*) FROM officer") == 0


def _owns(folder: Path) -> bool:
    if sys.platform == "win32":
        return os.access(folder, os.W_OK)
    return folder.stat().st_uid == os.getuid()


def _found(settings: Settings, user: str) -> None:
    connection = sqlite3.connect(settings.data_dir / "paht.db", timeout=10)
    try:
        connection.execute(
            "INSERT INTO officer (account, name, agency, roles, os_user, is_active, created_at)"
            " SELECT ?, ?, NULL, ?, ?, 1, ? WHERE NOT EXISTS (SELECT 1 FROM officer)",
            (
                user,
                user,
                json.dumps([role.value for role in TRIAL_ROLES]),
                user,
                datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f"),
            ),
        )
        connection.commit()
    finally:
        connection.close()
