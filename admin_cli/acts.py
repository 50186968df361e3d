"""The acts on a report, each one command: previewed, confirmed where it cannot be taken back, told."""

from typing import Annotated

import typer

from admin_cli import choices
from admin_cli.acting import Manner, act
from admin_cli.help import DeskCommand
from admin_cli.seat import Seat
from storage.workflow import UrgencyClass

app = typer.Typer()

Code = Annotated[str, typer.Argument(autocompletion=choices.complete_code)]
Preview = Annotated[bool, typer.Option("--preview", "--dry-run")]
Wait = Annotated[bool, typer.Option("--wait")]
Yes = Annotated[bool, typer.Option("--yes", "-y")]
Json = Annotated[bool, typer.Option("--json")]


@app.command("assign", cls=DeskCommand)
def assign(
    ctx: typer.Context,
    code: Code,
    agency: Annotated[str | None, typer.Argument(autocompletion=choices.complete_agency)] = None,
    field: Annotated[str | None, typer.Option("--field", "-f", autocompletion=choices.complete_subfield)] = None,
    commune: Annotated[str | None, typer.Option("--commune", "-c", autocompletion=choices.complete_commune)] = None,
    class_: Annotated[UrgencyClass | None, typer.Option("--class")] = None,
    reason: Annotated[str, typer.Option("--reason", "-r")] = "",
    preview: Preview = False,
    wait: Wait = False,
    json: Json = False,
) -> None:
    """Hand over to an agency."""
    seat: Seat = ctx.obj
    whole, pack = seat.code(code), seat.office.pack
    lead = choices.read_agency(pack, agency) if agency else None
    subfield = choices.read_subfield(pack, field) if field else None
    unit = choices.read_unit(seat, commune) if commune else None
    act(
        seat,
        lambda preview, seen: seat.desk.assign(
            whole,
            agency=lead,
            subfield=subfield,
            commune=unit,
            urgency=class_,
            reason=reason,
            preview=preview,
            seen=seen,
        ),
        Manner(preview, wait, json),
    )


@app.command("accept", cls=DeskCommand)
def accept(ctx: typer.Context, code: Code, preview: Preview = False, wait: Wait = False, json: Json = False) -> None:
    """Take a report up."""
    seat: Seat = ctx.obj
    whole = seat.code(code)
    act(seat, lambda preview, seen: seat.desk.accept(whole, preview=preview, seen=seen), Manner(preview, wait, json))


@app.command("ask", cls=DeskCommand)
def ask(
    ctx: typer.Context,
    code: Code,
    question: Annotated[str, typer.Argument()],
    preview: Preview = False,
    wait: Wait = False,
    json: Json = False,
) -> None:
    """Ask the citizen."""
    seat: Seat = ctx.obj
    whole = seat.code(code)
    act(
        seat,
        lambda preview, seen: seat.desk.ask(whole, question, preview=preview, seen=seen),
        Manner(preview, wait, json),
    )


@app.command("progress", cls=DeskCommand)
def progress(
    ctx: typer.Context,
    code: Code,
    text_: Annotated[str, typer.Argument(metavar="TEXT")],
    public: Annotated[bool, typer.Option("--public")] = False,
    preview: Preview = False,
    wait: Wait = False,
    json: Json = False,
) -> None:
    """Note how the work goes."""
    seat: Seat = ctx.obj
    whole = seat.code(code)
    act(
        seat,
        lambda preview, seen: seat.desk.progress(whole, text_, is_public=public, preview=preview, seen=seen),
        Manner(preview, wait, json),
    )


@app.command("approve", cls=DeskCommand)
def approve(
    ctx: typer.Context,
    code: Code,
    preview: Preview = False,
    yes: Yes = False,
    wait: Wait = False,
    json: Json = False,
) -> None:
    """Approve a result."""
    seat: Seat = ctx.obj
    whole = seat.code(code)
    act(
        seat,
        lambda preview, seen: seat.desk.approve(whole, preview=preview, seen=seen),
        Manner(preview, wait, json, asks_first=not yes),
    )


@app.command("send-back", cls=DeskCommand)
def send_back(
    ctx: typer.Context,
    code: Code,
    reason: Annotated[str, typer.Argument()],
    preview: Preview = False,
    json: Json = False,
) -> None:
    """Have a result done better."""
    seat: Seat = ctx.obj
    whole = seat.code(code)
    act(
        seat,
        lambda preview, seen: seat.desk.send_back(whole, reason, preview=preview, seen=seen),
        Manner(preview, False, json),
    )


@app.command("reject", cls=DeskCommand)
def reject(
    ctx: typer.Context,
    code: Code,
    reject_code: Annotated[str, typer.Argument(metavar="TCxx")],
    reason: Annotated[str, typer.Argument()],
    preview: Preview = False,
    yes: Yes = False,
    wait: Wait = False,
    json: Json = False,
) -> None:
    """Refuse a report."""
    seat: Seat = ctx.obj
    whole = seat.code(code)
    act(
        seat,
        lambda preview, seen: seat.desk.reject(whole, reject_code.upper(), reason, preview=preview, seen=seen),
        Manner(preview, wait, json, asks_first=not yes),
    )


@app.command("close", cls=DeskCommand)
def close(ctx: typer.Context, code: Code, preview: Preview = False, wait: Wait = False, json: Json = False) -> None:
    """Close a report whose feedback days are over."""
    seat: Seat = ctx.obj
    whole = seat.code(code)
    act(seat, lambda preview, seen: seat.desk.close(whole, preview=preview, seen=seen), Manner(preview, wait, json))


@app.command("note", cls=DeskCommand)
def note(
    ctx: typer.Context, code: Code, text_: Annotated[str, typer.Argument(metavar="TEXT")], json: Json = False
) -> None:
    """Leave an internal note."""
    seat: Seat = ctx.obj
    whole = seat.code(code)
    act(seat, lambda preview, seen: seat.desk.note(whole, text_), Manner(False, False, json))
