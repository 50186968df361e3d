"""``paht inbox``: the list of reports; kept light, for it is typed all day."""

from typing import Annotated

import typer

from admin_cli import choices
from admin_cli.errors import UnknownChoice
from admin_cli.help import DeskCommand
from admin_cli.lines import print_lines
from admin_cli.render import choose_form, message
from admin_cli.seat import Seat
from handlers.queries import SORTS, Filter, list_reports

app = typer.Typer()
DEFAULT_LIMIT = 50


@app.command("inbox", cls=DeskCommand)
def inbox(
    ctx: typer.Context,
    status: Annotated[list[str] | None, typer.Option("--status", "-s", autocompletion=choices.complete_status)] = None,
    field: Annotated[str | None, typer.Option("--field", "-f", autocompletion=choices.complete_field)] = None,
    commune: Annotated[str | None, typer.Option("--commune", "-c", autocompletion=choices.complete_commune)] = None,
    agency: Annotated[str | None, typer.Option("--agency", "-a", autocompletion=choices.complete_agency)] = None,
    overdue: Annotated[bool, typer.Option("--overdue")] = False,
    mine: Annotated[bool, typer.Option("--mine")] = False,
    text_: Annotated[str, typer.Option("--text", "-t", metavar="CHỮ")] = "",
    sort: Annotated[str, typer.Option("--sort")] = "attention",
    limit: Annotated[int, typer.Option("--limit", "-n")] = DEFAULT_LIMIT,
    columns: Annotated[str | None, typer.Option("--columns")] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
    as_csv: Annotated[bool, typer.Option("--csv")] = False,
) -> None:
    """List reports."""
    seat: Seat = ctx.obj
    if sort not in SORTS:
        raise UnknownChoice("UnknownSort", sort, tuple(SORTS))
    pack = seat.office.pack
    wanted = Filter(
        statuses=choices.read_statuses(seat, status or ()),
        field=choices.read_field(pack, field) if field else None,
        commune=choices.read_commune(seat, commune) if commune else None,
        agency=choices.read_agency(pack, agency) if agency else None,
        is_overdue=overdue,
        is_mine=mine,
        text=text_,
        sort=sort,
        limit=max(limit, 0),
    )
    found = list_reports(seat.reader, seat.actor, wanted, now=seat.now())
    print_lines(seat, found.lines, choose_form(as_json=as_json, as_csv=as_csv), columns)
    if not found.lines:
        message(f"{seat.say('word.none_found')} {seat.say('word.none_found_hint')}")
    elif found.total > len(found.lines):
        message(seat.say("word.shown", shown=len(found.lines), total=found.total))
