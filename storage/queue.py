"""The inbox and its lanes: store, claim, finish. Workers lease conversations, never single messages."""

import random
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import orjson
from sqlalchemy import TextClause, bindparam, delete, func, literal, or_, select, text, update
from sqlmodel import Session, UTCDateTime, col

from storage.models import InboxMessage, Lane
from storage.sql import Rows, insert_of, instant_text, is_sqlite, rows_parameter, table_of

LANES_A_CLAIM = 64
MESSAGES_A_LANE = 20
MAX_TRIES = 5
SYSTEM = "system"  # channel of rows that the scheduler writes

_PENDING = """
    FROM inbox WHERE lane = {key} AND done_at IS NULL
    ORDER BY lane, id LIMIT :per_lane
"""
_COLUMNS = "i.id, i.channel, i.external_id, i.lane, i.sent_at, i.received_at, i.body, i.tries"
# A window function would read the whole backlog of a spammer; these read its first rows and no more.
_FETCH_SQLITE = (
    f"SELECT {_COLUMNS} FROM json_each(:keys) AS k CROSS JOIN inbox AS i"
    f" WHERE i.id IN (SELECT id {_PENDING.format(key='k.value')}) ORDER BY i.id"
)
_FETCH_POSTGRES = (
    f"SELECT {_COLUMNS} FROM json_array_elements_text(CAST(:keys AS json)) AS k(key)"
    f" CROSS JOIN LATERAL (SELECT * {_PENDING.format(key='k.key')}) AS i ORDER BY i.id"
)


@dataclass(frozen=True, slots=True)
class NewMessage:
    """An update to be stored; ``lane`` is the key of the conversation at ``chat``."""

    channel: str
    account: str
    external_id: str
    lane: str
    chat: str
    body: str
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message of a claimed lane."""

    id: int
    channel: str
    external_id: str
    lane: str
    sent_at: datetime | None
    received_at: datetime
    body: str
    tries: int


@dataclass(frozen=True, slots=True)
class ClaimedLane:
    """A conversation leased by us, with its oldest messages. ``seq`` tells at release whether more came meanwhile."""

    key: str
    channel: str
    account: str
    chat: str
    seq: int
    messages: tuple[StoredMessage, ...]
    has_more: bool


def accept(session: Session, messages: Sequence[NewMessage], *, now: datetime) -> int:
    """Store what is new and make its lanes ready; known updates are left alone. Returns how many were new."""
    fresh = _insert(session, messages, now)
    chats = {message.lane: message for message in messages}
    lanes = [(key, chats[key].channel, chats[key].account, chats[key].chat) for key in sorted(set(fresh))]
    if lanes:
        session.connection().execute(
            _raise_lanes(for_sqlite=is_sqlite(session)), {"rows": rows_parameter(lanes), "now": now}
        )
    return len(fresh)


def insert_ticks(session: Session, *, now: datetime, limit: int = 500) -> int:
    """Tell lanes whose ``remind_at`` has come, by a message in the same lane; each instant only once."""
    lane = table_of(Lane).c
    due = session.connection().execute(
        select(lane.key, lane.account, lane.chat, lane.remind_at)
        .where(lane.remind_at <= now)
        .order_by(lane.remind_at)
        .limit(limit)
    )
    ticks = [
        NewMessage(SYSTEM, account, f"tick:{key}:{at.isoformat()}", key, chat, at.isoformat(), at)
        for key, account, chat, at in due
    ]
    fresh = sorted(_insert(session, ticks, now))
    if fresh:
        ready = func.coalesce(lane.ready_at, now)
        session.connection().execute(
            update(table_of(Lane)).where(lane.key.in_(fresh)).values(seq=lane.seq + 1, ready_at=ready)
        )
    return len(fresh)


def has_due_reminders(session: Session, *, now: datetime) -> bool:
    """Whether ``insert_ticks`` may have something to do; for a reading session."""
    return session.connection().scalar(select(col(Lane.key)).where(col(Lane.remind_at) <= now).limit(1)) is not None


def claim(
    session: Session,
    token: str,
    accounts: Collection[str],
    *,
    now: datetime,
    lease: timedelta,
    lanes: int = LANES_A_CLAIM,
    per_lane: int = MESSAGES_A_LANE,
) -> list[ClaimedLane]:
    """Lease the lanes that wait longest, of these ``channel:account``s, under a token that nobody used before."""
    lane = table_of(Lane).c
    free = session.connection().execute(
        select(lane.key, lane.channel, lane.account, lane.chat, lane.seq, lane.owner)
        .where(lane.ready_at <= now, or_(lane.lease_until.is_(None), lane.lease_until <= now))
        .where((lane.channel + ":" + lane.account).in_(sorted(accounts)))
        .order_by(lane.ready_at)
        .limit(lanes)
        .with_for_update(skip_locked=True)
    )
    rows = free.all()
    if not rows:
        return []
    # Whoever held such a lane died or stood still. Alone, so that a message that kills its worker takes no other along.
    abandoned = next((row for row in rows if row.owner is not None), None)
    rows = [abandoned] if abandoned is not None else list(rows)
    keys = [row.key for row in rows]
    session.connection().execute(
        update(table_of(Lane)).where(lane.key.in_(keys)).values(owner=token, lease_until=now + lease)
    )
    pending = _pending(session, keys, per_lane)
    if abandoned is not None:
        pending = _count_abandoned(session, pending, now)
    idle = [key for key in keys if key not in pending]
    if idle:
        done = {"ready_at": None, "owner": None, "lease_until": None}
        session.connection().execute(update(table_of(Lane)).where(lane.key.in_(idle)).values(done))
    return [
        ClaimedLane(
            row.key,
            row.channel,
            row.account,
            row.chat,
            row.seq,
            tuple(pending[row.key]),
            len(pending[row.key]) >= per_lane,
        )
        for row in rows
        if row.key in pending
    ]


def heartbeat(session: Session, tokens: Collection[str], until: datetime) -> None:
    """Keep the leases of these claims."""
    lane = table_of(Lane)
    session.connection().execute(update(lane).where(lane.c.owner.in_(sorted(tokens))).values(lease_until=until))


def hold(session: Session, token: str, keys: Iterable[str]) -> dict[str, Lane]:
    """Lock those of our lanes that are still ours, in sorted order. This is the fence: the others were lost."""
    statement = (
        select(Lane)
        .where(col(Lane.key).in_(sorted(keys)), col(Lane.owner) == token)
        .order_by(col(Lane.key))
        .with_for_update()
    )
    return {lane.key: lane for lane in session.scalars(statement, execution_options={"populate_existing": True})}


def finish(session: Session, ids: Sequence[int], *, now: datetime) -> None:
    """These messages are done."""
    if ids:
        inbox = table_of(InboxMessage)
        session.connection().execute(update(inbox).where(inbox.c.id.in_(ids)).values(done_at=now))


def release(
    lane: Lane, claimed: ClaimedLane, *, now: datetime, after: timedelta | None = None, has_more: bool = False
) -> None:
    """Let go of a lane held by ``hold``. It stays ready while there is more; ``after`` is how long it backs off."""
    lane.owner = lane.lease_until = None
    if after is not None:
        lane.ready_at = now + after
    elif has_more or claimed.has_more or lane.seq != claimed.seq:
        lane.ready_at = now  # behind all who wait already
    else:
        lane.ready_at = None


def abandon(session: Session, token: str, keys: Collection[str], *, ready_at: datetime) -> None:
    """Give lanes of a claim back untouched."""
    lane = table_of(Lane)
    free = {"owner": None, "lease_until": None, "ready_at": ready_at}
    session.connection().execute(update(lane).where(lane.c.key.in_(sorted(keys)), lane.c.owner == token).values(free))


def abandon_all(session: Session, owner: str, *, now: datetime, but: Collection[str] = ()) -> None:
    """Give all lanes of a process back, except those of the claims ``but``."""
    lane = table_of(Lane)
    free = {"owner": None, "lease_until": None, "ready_at": now}
    is_stray = lane.c.owner.startswith(f"{owner}#", autoescape=True) & lane.c.owner.not_in(sorted(but))
    session.connection().execute(update(lane).where(is_stray).values(free))


def note_failure(session: Session, message: StoredMessage, error: str, *, now: datetime) -> timedelta | None:
    """Count a failed try. Returns how long the lane backs off; None = given up, the lane goes on without it."""
    tries = message.tries + 1
    is_dead = tries > MAX_TRIES
    inbox = table_of(InboxMessage)
    values = {"tries": tries, "error": error[:500], "is_dead": is_dead, "done_at": now if is_dead else None}
    session.connection().execute(update(inbox).where(inbox.c.id == message.id).values(values))
    return None if is_dead else backoff(tries)


def bury(session: Session, message: StoredMessage, error: str, *, now: datetime) -> None:
    """Make a message that can never be understood a dead letter."""
    inbox = table_of(InboxMessage)
    values = {"tries": message.tries + 1, "error": error[:500], "is_dead": True, "done_at": now}
    session.connection().execute(update(inbox).where(inbox.c.id == message.id).values(values))


def dead_letters(session: Session, limit: int = 50) -> Sequence[InboxMessage]:
    """Messages given up, newest first."""
    statement = select(InboxMessage).where(col(InboxMessage.is_dead)).order_by(col(InboxMessage.id).desc()).limit(limit)
    return session.scalars(statement).all()


def revive(session: Session, message_id: int, *, now: datetime) -> bool:
    """Give a dead letter another chance; False if there is no such dead letter."""
    message = session.get(InboxMessage, message_id)
    if message is None or not message.is_dead:
        return False
    message.is_dead, message.done_at, message.tries, message.error = False, None, 0, None
    lane = table_of(Lane).c
    session.connection().execute(
        update(table_of(Lane))
        .where(lane.key == message.lane)
        .values(seq=lane.seq + 1, ready_at=func.coalesce(lane.ready_at, now))
    )
    return True


def forget_done(session: Session, *, before: datetime, limit: int = 5000) -> int:
    """Delete what was done before; by then no platform repeats it. Dead letters stay for a person to look at."""
    inbox = table_of(InboxMessage)
    old = select(inbox.c.id).where(inbox.c.done_at < before, inbox.c.is_dead.is_(False)).order_by(inbox.c.id)
    return session.connection().execute(delete(inbox).where(inbox.c.id.in_(old.limit(limit)))).rowcount


def count_pending(session: Session) -> int:
    """How many messages wait."""
    return session.connection().scalar(text("SELECT count(*) FROM inbox WHERE done_at IS NULL")) or 0


def backoff(tries: int, *, longest: timedelta = timedelta(seconds=300)) -> timedelta:
    """1, 2, 4 … 300 s with jitter of a quarter, so that what failed together does not come back together."""
    seconds = min(2.0 ** max(tries - 1, 0), longest.total_seconds())
    return timedelta(seconds=seconds * random.uniform(0.75, 1.25))


def storable(words: str) -> str:
    """Text that every database takes: PostgreSQL refuses NUL, all refuse lone surrogates."""
    if words.isascii() and "\0" not in words:
        return words
    return words.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def _insert(session: Session, messages: Sequence[NewMessage], now: datetime) -> list[str]:
    """Lanes of the messages that were new, one entry a message."""
    if not messages:
        return []
    rows = [
        (m.channel, m.account, storable(m.external_id), m.lane, storable(m.body), instant_text(m.sent_at))
        for m in messages
    ]
    inserted = session.connection().execute(
        _insert_messages(for_sqlite=is_sqlite(session)), {"rows": rows_parameter(rows), "now": now}
    )
    return list(inserted.scalars())


@cache  # making a statement takes longer than running it
def _insert_messages(*, for_sqlite: bool) -> Any:
    rows = Rows(for_sqlite=for_sqlite)
    names = ["channel", "account", "external_id", "lane", "body", "sent_at", "received_at"]
    values = (*(rows.text(position) for position in range(5)), rows.instant(5), bindparam("now", type_=UTCDateTime()))
    insert = insert_of(InboxMessage, for_sqlite=for_sqlite).from_select(names, select(*values).order_by(rows.number))
    return insert.on_conflict_do_nothing().returning(table_of(InboxMessage).c.lane)


@cache
def _raise_lanes(*, for_sqlite: bool) -> Any:
    rows, lane = Rows(for_sqlite=for_sqlite), table_of(Lane).c
    names = ["key", "channel", "account", "chat", "ready_at", "seq"]
    values = (*(rows.text(position) for position in range(4)), bindparam("now", type_=UTCDateTime()), literal(1))
    # in the order in which workers lock them, so that the two can't deadlock
    insert = insert_of(Lane, for_sqlite=for_sqlite).from_select(names, select(*values).order_by(rows.text(0)))
    raised = {"seq": lane.seq + 1, "ready_at": func.coalesce(lane.ready_at, insert.excluded.ready_at)}
    return insert.on_conflict_do_update(index_elements=["key"], set_=raised)


def _pending(session: Session, keys: Sequence[str], per_lane: int) -> dict[str, list[StoredMessage]]:
    statement = _fetch(_FETCH_SQLITE if is_sqlite(session) else _FETCH_POSTGRES)
    rows = session.connection().execute(statement, {"keys": orjson.dumps(keys).decode(), "per_lane": per_lane})
    pending: dict[str, list[StoredMessage]] = {}
    for row in rows:
        pending.setdefault(row.lane, []).append(StoredMessage(*row))
    return pending


def _fetch(sql: str) -> TextClause:
    c = table_of(InboxMessage).c
    columns = (c.id, c.channel, c.external_id, c.lane, c.sent_at, c.received_at, c.body, c.tries)
    return text(sql).columns(*columns)  # type: ignore[return-value]  # executable all the same


def _count_abandoned(
    session: Session, pending: dict[str, list[StoredMessage]], now: datetime
) -> dict[str, list[StoredMessage]]:
    """The head of an abandoned lane has failed once more; after too many times it is given up."""
    kept: dict[str, list[StoredMessage]] = {}
    for key, messages in pending.items():
        head, *rest = messages
        if note_failure(session, head, "its worker died or stood still", now=now) is not None:
            rest = [replace(head, tries=head.tries + 1), *rest]
        if rest:
            kept[key] = rest
    return kept
