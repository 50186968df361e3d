"""``paht system``: what the operator does to the installation."""

from pathlib import Path
from typing import Annotated

import typer

from admin_cli import officers
from admin_cli.errors import NoLetter, NotReadable
from admin_cli.help import DeskCommand, DeskGroup
from admin_cli.render import Cell, Column, choose_form, line, message, print_table, short_time, size
from admin_cli.seat import Seat
from handlers.accounts import require
from handlers.letters import list_dead, list_letters
from storage.workflow import Role

app = typer.Typer(name="system", cls=DeskGroup, no_args_is_help=True)
officers.add_to(app)


@app.command("migrate", cls=DeskCommand)
def migrate(ctx: typer.Context, dry_run: Annotated[bool, typer.Option("--dry-run")] = False) -> None:
    """Bring the database to this program's schema."""
    from storage import migrate as steps  # half a second of imports

    seat: Seat = ctx.obj
    database = seat.services.open_database()
    try:
        before = steps.current(database)
        if before == steps.HEAD:
            line(seat.say("system.migrate_none", found=before))
        elif dry_run:
            line(seat.say("system.migrate_would", before=before or "0", after=steps.HEAD))
        else:
            steps.upgrade(database)
            line(seat.say("system.migrate_done", found=steps.HEAD))
    finally:
        database.close()


@app.command("dead-letters", cls=DeskCommand)
def dead_letters(
    ctx: typer.Context,
    retry: Annotated[int | None, typer.Option("--retry", metavar="SỐ")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n")] = 50,
    as_json: Annotated[bool, typer.Option("--json")] = False,
    as_csv: Annotated[bool, typer.Option("--csv")] = False,
) -> None:
    """List what was given up; or give one incoming message another chance."""
    seat: Seat = ctx.obj
    require(seat.actor, Role.ADMIN, Role.INTAKE)
    if retry is not None:
        if not seat.desk.reread(retry):
            raise NoLetter(retry)
        line(seat.say("system.revived", id=retry))
        return
    rows = _dead_rows(seat, max(limit, 1))
    keys = (("kind", "purpose", 8), ("id", "id", 8), ("channel", "channel", 10), ("at", "next", 12))
    columns = [Column(key, seat.say(f"column.{title}"), width) for key, title, width in keys]
    columns += [
        Column("tries", seat.say("column.tries"), 4),
        Column("error", seat.say("column.error"), is_wrapped=True),
    ]
    print_table(columns, rows, choose_form(as_json=as_json, as_csv=as_csv))
    message(f"{seat.say('word.next')} {seat.say('system.dead_next')}" if rows else seat.say("system.dead_none"))


@app.command("backup", cls=DeskCommand)
def backup(ctx: typer.Context, path: Annotated[Path, typer.Argument(metavar="TỆP")]) -> None:
    """Copy an SQLite database while the bot runs."""
    seat: Seat = ctx.obj
    require(seat.actor, Role.ADMIN)
    if not seat.reader.is_sqlite:
        raise NotReadable(path, seat.say("system.backup_sqlite_only"))
    if path.exists():
        raise NotReadable(path, seat.say("system.backup_exists", path=path))
    partial = path.with_name(path.name + ".part")
    try:
        seat.reader.copy_to(partial)
        partial.replace(path)
    except OSError as error:
        raise NotReadable(path, str(error)) from error
    line(seat.say("system.backup_done", path=path, size=size(path.stat().st_size)))


def _dead_rows(seat: Seat, limit: int) -> list[list[Cell]]:
    now = seat.now()
    rows = [
        [
            Cell(seat.say("system.inbox"), "inbox"),
            Cell(str(item.id), item.id),
            Cell(item.channel, item.channel),
            Cell(short_time(item.received_at, now), item.received_at),
            Cell(str(item.tries), item.tries),
            Cell(item.error or "", item.error or ""),
        ]
        for item in list_dead(seat.reader, limit=limit)
    ]
    given_up = list_letters(seat.reader, seat.actor, states=("failed", "expired"), limit=limit)
    return rows + [
        [
            Cell(seat.say("system.outbox"), "outbox"),
            Cell(str(item.id), item.id),
            Cell(item.channel, item.channel),
            Cell(short_time(item.created_at, now), item.created_at),
            Cell(str(item.tries), item.tries),
            Cell(item.error or "", item.error or ""),
        ]
        for item in given_up
        if not (item.error or "").startswith("superseded")
    ]
