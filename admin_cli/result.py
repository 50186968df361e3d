"""``paht result``: what came of a report, submitted to the leader with after-photos."""

from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from admin_cli import choices
from admin_cli.acting import Manner, act
from admin_cli.errors import FileMissing
from admin_cli.help import DeskCommand
from admin_cli.seat import Seat
from storage.workflow import NoPhotoReason, Outcome

app = typer.Typer()


@app.command("result", cls=DeskCommand)
def result(
    ctx: typer.Context,
    code: Annotated[str, typer.Argument(autocompletion=choices.complete_code)],
    outcome: Annotated[Outcome, typer.Option("--outcome", "-o")],
    answer: Annotated[str, typer.Option("--answer", "-a")],
    photo: Annotated[list[Path] | None, typer.Option("--photo", "-p")] = None,
    no_photo: Annotated[NoPhotoReason | None, typer.Option("--no-photo")] = None,
    why: Annotated[str, typer.Option("--why")] = "",
    head: Annotated[str, typer.Option("--head")] = "",
    on: Annotated[str, typer.Option("--on")] = "",
    visited_at: Annotated[str, typer.Option("--visited-at")] = "",
    document: Annotated[str, typer.Option("--document")] = "",
    preview: Annotated[bool, typer.Option("--preview", "--dry-run")] = False,
    json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Submit a result."""
    from handlers.closing import ResultDraft  # the tables' classes: only an act needs them

    seat: Seat = ctx.obj
    whole = seat.code(code)
    photos = tuple(photo or ())
    for path in photos:
        if not path.is_file():
            raise FileMissing(path)
    data = {"head": head, "on": _day(on), "visited_at": visited_at, "document": document}
    given: dict[str, Any] = {key: value.strip() for key, value in data.items() if value.strip()}
    draft = ResultDraft(answer, outcome, no_photo=no_photo, no_photo_why=why, data=given)
    act(
        seat,
        lambda preview, seen: seat.desk.result(whole, draft, photos=photos, preview=preview),
        Manner(preview, False, json, is_result=True),
    )


def _day(typed: str) -> str:
    """An ISO day, also from "31/12/2026"."""
    if not typed:
        return ""
    day, _, rest = typed.partition("/")
    month, _, year = rest.partition("/")
    try:
        return date(int(year), int(month), int(day)).isoformat() if rest else date.fromisoformat(typed).isoformat()
    except ValueError:
        raise typer.BadParameter(typed, param_hint="--on") from None
