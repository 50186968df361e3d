"""Reports in a list: which columns there are and what stands in them."""

import shutil
import sys
from collections.abc import Sequence
from datetime import datetime

from admin_cli.errors import UnknownChoice
from admin_cli.render import Cell, Column, Form, print_table, short_time, span
from admin_cli.seat import Seat
from handlers.queries import ReportLine
from storage.workflow import Status, UrgencyClass

# how wide a column may grow at a terminal; the text takes what is left
_WIDTHS: dict[str, int | None] = {
    "code": 10,
    "status": 10,
    "urgency": 10,
    "due": 12,
    "field": 22,
    "commune": 16,
    "agency": 26,
    "officer": 12,
    "photos": 4,
    "created": 12,
    "text": None,
}
COLUMNS = tuple(_WIDTHS)
_NARROW = ("code", "status", "due", "commune", "text")
_WIDE = ("code", "status", "due", "field", "commune", "agency", "text")
_WIDE_FROM = 120
_STYLES = {Status.RECEIVED: "cyan", Status.PENDING_APPROVAL: "magenta", Status.NEED_INFO: "dim"}


def print_lines(seat: Seat, lines: Sequence[ReportLine], form: Form, wanted: str | None) -> None:
    """The list in the asked shape with the asked columns."""
    names = _chosen(form, wanted)
    now = seat.now()
    if form is Form.JSON:
        keys = (*names, *_MORE) if wanted is None else names
        columns = [Column(_PROGRAM_KEYS.get(key, key), key) for key in keys]
        print_table(columns, [_json_cells(seat, line, keys) for line in lines], form)
        return
    columns = [
        Column(_PROGRAM_KEYS.get(name, name), seat.say(f"column.{name}"), _WIDTHS[name], is_right=name == "photos")
        for name in names
    ]
    print_table(columns, [[_cell(seat, line, name, now) for name in names] for line in lines], form)


_PROGRAM_KEYS = {"due": "due_at", "created": "created_at", "agency": "lead_agency"}
_MORE = ("subfield", "commune_code", "address_text", "is_overdue", "redirect", "agency_name", "field_name")


def due_words(seat: Seat, due_at: datetime | None, status: Status, since: datetime) -> tuple[str, str]:
    """How long there is still, or how late it is, and in which style."""
    now = seat.now()
    if status is Status.RECEIVED:
        unit, number = span(now - since)
        return seat.say(f"due.waiting_{unit}", n=number), ""
    if status is Status.NEED_INFO:
        return seat.say("due.stopped"), "dim"
    if due_at is None or status in (Status.RESOLVED, Status.CLOSED, Status.REJECTED, Status.MERGED):
        return seat.say("due.none"), "dim"
    unit, number = span(due_at - now)
    if due_at < now:
        return seat.say(f"due.late_{unit}", n=number), "bold red"
    return seat.say(f"due.left_{unit}", n=number), "" if unit == "days" else "yellow"


def _chosen(form: Form, wanted: str | None) -> tuple[str, ...]:
    if wanted is not None:
        names = tuple(name.strip() for name in wanted.split(",") if name.strip())
        for name in names:
            if name not in COLUMNS:
                raise UnknownChoice("UnknownColumn", name, COLUMNS)
        return names
    if form is Form.TABLE:
        is_wide = sys.stdout.isatty() and shutil.get_terminal_size().columns >= _WIDE_FROM
        return _WIDE if is_wide else _NARROW
    return COLUMNS if form is not Form.TSV else _WIDE


def _cell(seat: Seat, line: ReportLine, name: str, now: datetime) -> Cell:
    pack = seat.office.pack
    is_urgent = line.urgency is UrgencyClass.URGENT
    match name:
        case "code":
            return Cell(line.code, line.code, "bold red" if is_urgent else "bold")
        case "status":
            return Cell(seat.say(f"status_short.{line.status.value}"), line.status.value, _STYLES.get(line.status, ""))
        case "urgency":
            return Cell(seat.say(f"urgency.{line.urgency.value}"), line.urgency.value, "red" if is_urgent else "")
        case "due":
            text, style = due_words(seat, line.due_at, line.status, line.created_at)
            return Cell(text, line.due_at or "", style)
        case "field":
            return Cell(pack.subfield_label(line.subfield), line.field)
        case "commune":
            return Cell(line.commune_name or seat.say("word.no_commune"), line.commune_name)
        case "agency":
            agency = pack.agency_name(line.lead_agency, line.commune_name) if line.lead_agency else ""
            return Cell(agency or seat.say("word.no_agency"), line.lead_agency or "")
        case "officer":
            return Cell(line.officer or "", line.officer or "")
        case "photos":
            return Cell(str(line.photos), line.photos)
        case "created":
            return Cell(short_time(line.created_at, now), line.created_at)
    words = line.text or seat.say("word.no_text")
    return Cell(f"{seat.say('word.urgent')} {words}" if is_urgent else words, line.text, "red" if is_urgent else "")


def _json_cells(seat: Seat, line: ReportLine, keys: Sequence[str]) -> list[Cell]:
    pack = seat.office.pack
    values: dict[str, object] = {
        "code": line.code,
        "status": line.status.value,
        "urgency": line.urgency.value,
        "due": line.due_at,
        "field": line.field,
        "commune": line.commune_name or None,
        "agency": line.lead_agency,
        "officer": line.officer,
        "photos": line.photos,
        "created": line.created_at,
        "text": line.text,
        "subfield": line.subfield,
        "commune_code": line.commune_code,
        "address_text": line.address_text,
        "is_overdue": line.is_overdue,
        "redirect": line.redirect,
        "agency_name": pack.agency_name(line.lead_agency, line.commune_name) if line.lead_agency else None,
        "field_name": pack.label(line.subfield),
    }
    return [Cell("", values[key]) for key in keys]
