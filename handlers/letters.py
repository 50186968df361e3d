"""Messages to citizens as a desk lists them: where each stands, never in which chat."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from handlers.actors import Actor
from handlers.queries import scope_of
from storage.errors import NotFound
from storage.reader import Reader, Row, as_instant, as_json, marks

UNTOLD = ("queued", "sending", "retry", "uncertain", "waiting", "blocked", "failed", "expired")


@dataclass(frozen=True, slots=True)
class Letter:
    """A message to a citizen. ``code`` None = it belongs to no report (the talk before one)."""

    id: int
    code: str | None
    channel: str
    purpose: str
    state: str
    tries: int
    text: str
    buttons: tuple[str, ...]
    photos: int
    created_at: datetime
    next_at: datetime
    sent_at: datetime | None
    error: str | None


@dataclass(frozen=True, slots=True)
class DeadInbox:
    """A citizen's message that was given up; its words are not for this list."""

    id: int
    channel: str
    received_at: datetime
    tries: int
    error: str | None


_COLUMNS = (
    "o.id, r.code, o.channel, o.purpose, o.state, o.tries, o.body, o.created_at, o.next_at, o.sent_at, o.error"
    " FROM outbox o LEFT JOIN report r ON r.id = o.report_id"
)


def list_letters(
    reader: Reader, actor: Actor, *, states: Sequence[str] = (), code: str | None = None, limit: int = 0
) -> tuple[Letter, ...]:
    """Newest first; ``states`` empty = those that did not arrive yet and were not overtaken by something newer."""
    where, values = scope_of(actor)
    if states:
        where += f" AND o.state IN ({marks(states)})"
        values += states
    else:
        where += f" AND o.state IN ({marks(UNTOLD)}) AND (o.error IS NULL OR o.error NOT LIKE 'superseded%')"
        values += UNTOLD
    if code is not None:
        where += " AND r.code = ?"
        values.append(code)
    cut = f" LIMIT {limit}" if limit else ""
    rows = reader.rows(f"SELECT {_COLUMNS} WHERE {where} ORDER BY o.id DESC{cut}", *values)
    return tuple(_letter(row) for row in rows)


def load_letter(reader: Reader, actor: Actor, id: int) -> Letter:
    """One message. Raises NotFound, also for what the actor may not see."""
    where, values = scope_of(actor)
    row = reader.first(f"SELECT {_COLUMNS} WHERE o.id = ? AND {where}", id, *values)
    if row is None:
        raise NotFound("message", str(id))
    return _letter(row)


def list_dead(reader: Reader, *, limit: int = 50) -> tuple[DeadInbox, ...]:
    """Citizens' messages that were given up, newest first."""
    dead = "is_dead = 1" if reader.is_sqlite else "is_dead"
    rows = reader.rows(
        f"SELECT id, channel, received_at, tries, error FROM inbox WHERE {dead} ORDER BY id DESC LIMIT {limit}"
    )
    return tuple(
        DeadInbox(row["id"], row["channel"], _at(row["received_at"]), row["tries"], row["error"]) for row in rows
    )


def _letter(row: Row) -> Letter:
    body = as_json(row["body"])
    return Letter(
        id=row["id"],
        code=row["code"],
        channel=row["channel"],
        purpose=row["purpose"],
        state=row["state"],
        tries=row["tries"],
        text=body["text"],
        buttons=tuple(option["label"] for option in body.get("options", ())),
        photos=len(body.get("photos", ())),
        created_at=_at(row["created_at"]),
        next_at=_at(row["next_at"]),
        sent_at=as_instant(row["sent_at"]),
        error=row["error"],
    )


def _at(value: object) -> datetime:
    instant = as_instant(value)
    assert instant is not None
    return instant
