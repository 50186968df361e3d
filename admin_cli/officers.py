"""``paht system officers`` and ``officer``: who may sit at the desk, and as what."""

from enum import StrEnum
from typing import Annotated

import typer

from admin_cli import choices
from admin_cli.failures import role_names
from admin_cli.help import DeskCommand
from admin_cli.render import Cell, Column, choose_form, line, print_table
from admin_cli.seat import Seat
from handlers.accounts import list_accounts, require
from handlers.bootstrap import open_database
from storage.workflow import Role


class DeskRole(StrEnum):
    """Roles that an account may hold."""

    INTAKE = "intake"
    OFFICER = "officer"
    LEADER = "leader"
    AUDITOR = "auditor"
    ADMIN = "admin"
    VIEWER = "viewer"


def add_to(app: typer.Typer) -> None:
    """Make these commands part of a group."""
    app.command("officers", cls=DeskCommand)(officers)
    app.command("officer", cls=DeskCommand)(officer)


def officers(
    ctx: typer.Context,
    as_json: Annotated[bool, typer.Option("--json")] = False,
    as_csv: Annotated[bool, typer.Option("--csv")] = False,
) -> None:
    """List the accounts."""
    seat: Seat = ctx.obj
    require(seat.actor, Role.ADMIN, Role.INTAKE)
    keys = (("account", 14), ("name", 20), ("roles", None), ("agency", 14), ("os_user", 14), ("is_active", 10))
    columns = [Column(key, seat.say(f"column.{key}"), width, is_wrapped=width is None) for key, width in keys]
    rows = [
        [
            Cell(item.account, item.account, "bold"),
            Cell(item.name, item.name),
            Cell(role_names(seat, item.roles), sorted(role.value for role in item.roles)),
            Cell(item.agency or seat.say("officers.everywhere"), item.agency or ""),
            Cell(item.os_user or "", item.os_user or ""),
            Cell(seat.say("officers.active" if item.is_active else "officers.locked"), item.is_active),
        ]
        for item in list_accounts(seat.reader)
    ]
    print_table(columns, rows, choose_form(as_json=as_json, as_csv=as_csv))


def officer(
    ctx: typer.Context,
    account: Annotated[str, typer.Argument()],
    name: Annotated[str | None, typer.Option("--name")] = None,
    role: Annotated[list[DeskRole] | None, typer.Option("--role")] = None,
    agency: Annotated[str | None, typer.Option("--agency", autocompletion=choices.complete_agency)] = None,
    os_user: Annotated[str | None, typer.Option("--os-user")] = None,
    lock: Annotated[bool, typer.Option("--lock")] = False,
    unlock: Annotated[bool, typer.Option("--unlock")] = False,
) -> None:
    """Make or change an account."""
    from handlers.staff import AccountChange, save_account  # the tables' classes

    seat: Seat = ctx.obj
    if list_accounts(seat.reader):  # the first one is made by whoever holds the database
        require(seat.actor, Role.ADMIN)
    change = AccountChange(
        name=name,
        roles=tuple(Role(item.value) for item in role) if role else None,
        agency=agency,
        os_user=os_user,
        is_active=False if lock else True if unlock else None,
    )
    database = open_database(seat.settings)
    try:
        saved = database.write_now(lambda session: save_account(session, seat.office, account, change))
    finally:
        database.close()
    roles = frozenset(Role(item) for item in saved.roles)
    key = "officers.saved" if saved.is_active else "officers.saved_locked"
    line(seat.say(key, account=saved.account, roles=role_names(seat, roles), user=saved.os_user or "–"))
