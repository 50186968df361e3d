"""``paht outbox``: messages to citizens, those that did not arrive first of all."""

from typing import Annotated

import typer

from admin_cli import choices
from admin_cli.errors import NoLetter, UnknownChoice
from admin_cli.help import DeskCommand, DeskGroup
from admin_cli.render import Cell, Column, choose_form, line, message, print_json, print_table, short_time
from admin_cli.seat import Seat
from handlers.letters import UNTOLD, Letter, list_letters, load_letter

app = typer.Typer(name="outbox", cls=DeskGroup, invoke_without_command=True)
DEFAULT_LIMIT = 50
_STYLES = {"sent": "green", "failed": "red", "expired": "red", "uncertain": "yellow", "blocked": "yellow"}

Number = Annotated[int, typer.Argument(metavar="SỐ")]
Json = Annotated[bool, typer.Option("--json")]


@app.callback()
def outbox(ctx: typer.Context) -> None:
    """Without a command: the list."""
    if ctx.invoked_subcommand is None:
        list_(ctx)


@app.command("list", cls=DeskCommand)
def list_(
    ctx: typer.Context,
    state: Annotated[list[str] | None, typer.Option("--state", "-s")] = None,
    report: Annotated[str | None, typer.Option("--report", "-r", autocompletion=choices.complete_code)] = None,
    all_: Annotated[bool, typer.Option("--all")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n")] = DEFAULT_LIMIT,
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv")] = False,
) -> None:
    """List messages to citizens."""
    seat: Seat = ctx.obj
    known = (*UNTOLD, "sent")
    for name in state or ():
        if name not in known:
            raise UnknownChoice("UnknownState", name, known)
    code = seat.code(report) if report else None
    states = known if all_ else tuple(state or ())
    letters = list_letters(seat.reader, seat.actor, states=states, code=code, limit=max(limit, 0))
    columns = [
        Column(key, seat.say(f"column.{title}"), width)
        for key, title, width in (
            ("id", "id", 8),
            ("code", "report", 10),
            ("purpose", "purpose", 14),
            ("state", "state", 16),
            ("created_at", "created", 12),
            ("text", "text", None),
            ("error", "error", 24),
        )
    ]
    print_table(columns, [_cells(seat, letter) for letter in letters], choose_form(as_json=as_json, as_csv=as_csv))
    if not letters:
        message(seat.say("word.no_letters"))


@app.command("show", cls=DeskCommand)
def show(ctx: typer.Context, id: Number, as_json: Json = False) -> None:
    """Show one message."""
    seat: Seat = ctx.obj
    letter = load_letter(seat.reader, seat.actor, id)
    if as_json:
        print_json(letter)
        return
    say, now = seat.say, seat.now()
    line(say("outbox.header", id=id, purpose=say(f"purpose.{letter.purpose}"), state=say(f"state.{letter.state}")))
    if letter.code:
        line(say("outbox.report", code=letter.code))
    sent = say("outbox.sent", at=short_time(letter.sent_at, now)) if letter.sent_at else say("outbox.not_sent")
    line(say("outbox.times", created=short_time(letter.created_at, now), sent=sent))
    line(say("outbox.tries", n=letter.tries))
    if letter.state == "retry":
        line(say("outbox.next", at=short_time(letter.next_at, now)))
    if letter.error:
        line(say("outbox.error", error=letter.error))
    line(f"\n{letter.text}")
    if letter.buttons:
        line(" ".join(f"[{button}]" for button in letter.buttons))
    if letter.state in ("failed", "expired"):
        message(f"{say('word.next')}\n  paht outbox retry {id}")


@app.command("retry", cls=DeskCommand)
def retry(ctx: typer.Context, id: Number) -> None:
    """Send a given-up message again."""
    seat: Seat = ctx.obj
    load_letter(seat.reader, seat.actor, id)  # what one may not see one may not send either
    if not seat.desk.resend(id):
        raise NoLetter(id)
    line(seat.say("outbox.retried", id=id))
    message(f"{seat.say('word.next')}\n  paht outbox show {id}")


def _cells(seat: Seat, letter: Letter) -> list[Cell]:
    return [
        Cell(str(letter.id), letter.id),
        Cell(letter.code or "", letter.code or "", "bold"),
        Cell(seat.say(f"purpose.{letter.purpose}"), letter.purpose),
        Cell(seat.say(f"state.{letter.state}"), letter.state, _STYLES.get(letter.state, "")),
        Cell(short_time(letter.created_at, seat.now()), letter.created_at),
        Cell(letter.text, letter.text),
        Cell(letter.error or "", letter.error or ""),
    ]
