"""Lists of reports as a desk shows them: plain SQL, light to import, never more than the reader's scope."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from handlers.actors import Actor
from handlers.codes import clean_code_part
from handlers.errors import UnknownCode
from handlers.folding import fold
from storage.reader import Reader, Row, as_instant, marks
from storage.workflow import OPEN, Role, Status, UrgencyClass

NOBODY = "none"  # of a filter: reports without a commune, or without an agency
LISTED_MATCHES = 10

# a report is late while somebody's clock runs: not before it has one, not while the citizen is asked
_LATE = ("assigned", "in_progress", "pending_approval")
_IS_LATE = f"r.due_at < ? AND r.status IN ({','.join(repr(status) for status in _LATE)})"
_URGENT_FIRST = "CASE r.urgency WHEN 'K' THEN 0 ELSE 1 END"

SORTS: Mapping[str, str] = {
    "attention": f"CASE WHEN r.status IN ('resolved','closed','rejected','merged') THEN 1 ELSE 0 END, {_URGENT_FIRST},"
    " COALESCE(r.due_at, r.created_at), r.id",
    "due": "CASE WHEN r.due_at IS NULL THEN 1 ELSE 0 END, r.due_at, r.id",
    "newest": "r.created_at DESC, r.id DESC",
    "oldest": "r.created_at, r.id",
    "code": "r.code",
    "commune": "r.commune_name, r.id",
    "field": "r.subfield, r.id",
    "status": "r.status, r.id",
}


@dataclass(frozen=True, slots=True)
class Filter:
    """Which reports. ``statuses`` empty = those still to be worked on; ``text`` matches with or without accents."""

    statuses: tuple[Status, ...] = ()
    field: str | None = None  # a field or a subfield
    commune: str | None = None  # code, or NOBODY
    agency: str | None = None  # key, key@commune, or NOBODY
    is_overdue: bool = False
    is_mine: bool = False
    text: str = ""
    sort: str = "attention"
    limit: int = 0  # 0 = all


@dataclass(frozen=True, slots=True)
class ReportLine:
    """A report in a list."""

    code: str
    status: Status
    urgency: UrgencyClass
    field: str
    subfield: str
    commune_code: str | None
    commune_name: str
    address_text: str
    lead_agency: str | None
    officer: str | None
    text: str
    photos: int
    created_at: datetime
    due_at: datetime | None
    is_overdue: bool
    redirect: str | None


@dataclass(frozen=True, slots=True)
class ReportList:
    """The lines asked for, and how many there are without the limit."""

    lines: tuple[ReportLine, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Overview:
    """What wants attention now."""

    by_status: Mapping[Status, int]
    overdue: int
    urgent_open: int
    waiting_for_me: int
    undelivered: int  # messages that no citizen got
    dead_inbox: int  # citizens' messages that were given up


def list_reports(reader: Reader, actor: Actor, wanted: Filter, *, now: datetime) -> ReportList:
    """The reports that fit, as far as this actor may see them."""
    where, values = _conditions(actor, wanted, now)
    limit = f" LIMIT {wanted.limit}" if wanted.limit else ""
    rows = reader.rows(
        "SELECT r.code, r.status, r.urgency, r.field, r.subfield, r.commune_code, r.commune_name, r.address_text,"
        " r.lead_agency, r.officer, r.text, r.created_at, r.due_at, r.redirect,"
        " (SELECT count(*) FROM report_photo p WHERE p.report_id = r.id AND p.kind = 'before') AS photos"
        f" FROM report r WHERE {where} ORDER BY {SORTS[wanted.sort]}{limit}",
        *values,
    )
    is_cut = wanted.limit and len(rows) == wanted.limit
    total = reader.number(f"SELECT count(*) AS n FROM report r WHERE {where}", *values) if is_cut else len(rows)
    return ReportList(tuple(_line(row, now) for row in rows), total)


def overview(reader: Reader, actor: Actor, *, now: datetime) -> Overview:
    """Figures of the desk's first page."""
    scope, values = scope_of(actor)
    counted = reader.rows(f"SELECT r.status, count(*) AS n FROM report r WHERE {scope} GROUP BY r.status", *values)
    late, late_values = _conditions(actor, Filter(is_overdue=True), now)
    mine, mine_values = _conditions(actor, Filter(is_mine=True), now)
    urgent = f"SELECT count(*) AS n FROM report r WHERE {scope} AND r.urgency = 'K' AND {_is_in(OPEN)}"
    unheard = (
        "SELECT count(*) AS n FROM outbox o JOIN report r ON r.id = o.report_id"
        f" WHERE {scope} AND (o.state IN ('failed','blocked')"
        " OR (o.state = 'expired' AND o.error NOT LIKE 'superseded%'))"
    )
    return Overview(
        by_status={Status(row["status"]): row["n"] for row in counted},
        overdue=reader.number(f"SELECT count(*) AS n FROM report r WHERE {late}", *late_values),
        urgent_open=reader.number(urgent, *values),
        waiting_for_me=reader.number(f"SELECT count(*) AS n FROM report r WHERE {mine}", *mine_values),
        undelivered=reader.number(unheard, *values),
        dead_inbox=reader.number(
            "SELECT count(*) AS n FROM inbox WHERE is_dead"
            if not reader.is_sqlite
            else "SELECT count(*) AS n FROM inbox WHERE is_dead = 1"
        ),
    )


def count_dead_inbox(reader: Reader) -> int:
    """Citizens' messages that were given up. Spelt as the partial index of each database is."""
    return reader.number(f"SELECT count(*) AS n FROM inbox WHERE {'is_dead = 1' if reader.is_sqlite else 'is_dead'}")


def resolve_code(reader: Reader, actor: Actor, typed: str, prefix: str) -> str:
    """The whole code of what was typed: whole, its beginning or its end. Raises UnknownCode with what fits."""
    part = clean_code_part(typed, prefix)
    bodies = dict.fromkeys((part, "".join(letter for letter in typed.upper() if letter.isalnum())))
    found: dict[str, None] = {}
    scope, values = scope_of(actor)
    for body in bodies:
        if not body.isascii() or not body.isalnum():
            continue
        exact = reader.first("SELECT code FROM report WHERE code = ?", f"{prefix}-{body}")
        if exact is not None:
            return str(exact["code"])
        patterns = (f"{prefix}-{body}%", f"{prefix}-%{body}")
        rows = reader.rows(
            f"SELECT r.code FROM report r WHERE (r.code LIKE ? OR r.code LIKE ?) AND {scope}"
            f" ORDER BY r.created_at DESC LIMIT {LISTED_MATCHES + 1}",
            *patterns,
            *values,
        )
        found |= {str(row["code"]): None for row in rows}
    if len(found) == 1:
        return next(iter(found))
    raise UnknownCode(typed, tuple(found)[:LISTED_MATCHES])


def open_codes(reader: Reader, actor: Actor, beginning: str, *, now: datetime, limit: int = 50) -> list[ReportLine]:
    """Newest open reports whose code begins so; what the shell offers on TAB."""
    lines = list_reports(reader, actor, Filter(sort="newest"), now=now).lines
    return [line for line in lines if line.code.startswith(beginning.upper())][:limit]


def commune_names(reader: Reader) -> dict[str, str]:
    """Communes that reports came from, code → name."""
    rows = reader.rows("SELECT DISTINCT commune_code, commune_name FROM report WHERE commune_code IS NOT NULL")
    return {row["commune_code"]: row["commune_name"] for row in rows}


def scope_of(actor: Actor, alias: str = "r") -> tuple[str, list[object]]:
    """The condition that keeps an agency to its own reports."""
    if actor.agency is None:
        return "1 = 1", []
    return f"({alias}.lead_agency = ? OR {alias}.lead_agency LIKE ?)", [actor.agency, f"{actor.agency}@%"]


def _conditions(actor: Actor, wanted: Filter, now: datetime) -> tuple[str, list[object]]:
    scope, values = scope_of(actor)
    parts = [scope]

    def add(condition: str, *more: object) -> None:
        parts.append(condition)
        values.extend(more)

    statuses = wanted.statuses or tuple(sorted(OPEN))
    if len(statuses) < len(Status):
        add(f"r.status IN ({marks(statuses)})", *(status.value for status in statuses))
    if wanted.field is not None:
        add("(r.field = ? OR r.subfield = ?)", wanted.field, wanted.field)
    if wanted.commune is not None:
        add(*(("r.commune_code IS NULL",) if wanted.commune == NOBODY else ("r.commune_code = ?", wanted.commune)))
    if wanted.agency == NOBODY:
        add("r.lead_agency IS NULL")
    elif wanted.agency is not None:
        add("(r.lead_agency = ? OR r.lead_agency LIKE ?)", wanted.agency, f"{wanted.agency}@%")
    if wanted.is_overdue:
        add(_IS_LATE, now)
    if wanted.is_mine:
        add(*_mine(actor))
    for word in fold(wanted.text).split():
        # a code is found too, so that one search box serves both
        add("(r.folded LIKE ? ESCAPE '!' OR lower(r.code) LIKE ? ESCAPE '!')", *(2 * (f"%{_escaped(word)}%",)))
    return " AND ".join(parts), values


def _mine(actor: Actor) -> tuple[str, str]:
    """What waits for this person: own work, and what their roles are to take up."""
    waits = ["(r.officer = ? AND r.status = 'in_progress')"]
    if Role.INTAKE in actor.roles:
        waits.append("r.status = 'received'")
    if Role.OFFICER in actor.roles:
        waits.append("r.status = 'assigned'")
    if Role.LEADER in actor.roles:
        waits.append("r.status = 'pending_approval'")
    return f"({' OR '.join(waits)})", actor.account


def _is_in(statuses: frozenset[Status]) -> str:
    return f"r.status IN ({','.join(repr(status.value) for status in sorted(statuses))})"


def _escaped(word: str) -> str:
    return word.replace("!", "!!").replace("%", "!%").replace("_", "!_")


def _line(row: Row, now: datetime) -> ReportLine:
    due_at, created_at = as_instant(row["due_at"]), as_instant(row["created_at"])
    assert created_at is not None
    return ReportLine(
        code=row["code"],
        status=Status(row["status"]),
        urgency=UrgencyClass(row["urgency"]),
        field=row["field"],
        subfield=row["subfield"],
        commune_code=row["commune_code"],
        commune_name=row["commune_name"],
        address_text=row["address_text"],
        lead_agency=row["lead_agency"],
        officer=row["officer"],
        text=row["text"],
        photos=row["photos"],
        created_at=created_at,
        due_at=due_at,
        is_overdue=due_at is not None and due_at < now and row["status"] in _LATE,
        redirect=row["redirect"],
    )
