"""What is to be said to citizens: who is next in each chat, and how each try ended."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import CursorResult, and_, bindparam, exists, or_, select, text, update
from sqlmodel import Session, UTCDateTime, col

from storage.models import Lane, OutboxMessage, StatusCard
from storage.sql import insert_for, table_of

GIVE_UP_AFTER = timedelta(hours=24)
REPEAT_AFTER = timedelta(
    minutes=10
)  # a status update of which nobody knows whether it arrived, where it can't be edited


class State(StrEnum):
    """Where an outgoing message stands."""

    QUEUED = "queued"
    SENDING = "sending"  # written before the call: whoever finds it later must not send it again
    SENT = "sent"
    RETRY = "retry"  # surely not delivered, due again at next_at
    UNCERTAIN = "uncertain"  # may have been delivered; never repeated blindly
    WAITING = "waiting"  # until the citizen writes again
    BLOCKED = "blocked"  # the platform said that this chat can't be reached; like waiting
    FAILED = "failed"  # can never be delivered
    EXPIRED = "expired"  # too old, or overtaken by a newer status


class Purpose(StrEnum):
    """Why something is said, most urgent first."""

    REPLY = "reply"
    CARD = "card"  # edits the status card
    STATUS_UPDATE = "status_update"
    REMINDER = "reminder"


UNSENT = (State.QUEUED, State.SENDING, State.RETRY)  # while one of these is older, nothing newer of the chat goes out
DUE = (State.QUEUED, State.RETRY)
HELD = (State.WAITING, State.BLOCKED)
OVERTAKABLE = (State.RETRY, State.WAITING, State.BLOCKED, State.UNCERTAIN)

# The states stand in the text, not in parameters: only so do both databases use the partial indexes.
_HEADS = """
    SELECT o.id, o.lane, o.chat, o.purpose, l.blocked_at
    FROM outbox AS o LEFT JOIN lane AS l ON l.key = o.lane
    WHERE o.channel = :channel AND o.account = :account AND o.purpose = :purpose
      AND o.state IN ('queued','retry') AND o.next_at <= :now
      AND NOT EXISTS (SELECT 1 FROM outbox AS e
                      WHERE e.lane = o.lane AND e.id < o.id AND e.state IN ('queued','sending','retry'))
    ORDER BY o.channel, o.account, o.purpose, o.id LIMIT :limit
"""


_HELD = text("SELECT 1 FROM outbox WHERE lane = :lane AND state IN ('waiting','blocked','uncertain') LIMIT 1")
_NEXT = """
    SELECT min(next_at) AS next_at FROM outbox
    WHERE channel = :channel AND account = :account AND state IN ('queued','retry') AND next_at > :now
"""


@dataclass(frozen=True, slots=True)
class Head:
    """The oldest unsent message of a chat, due now."""

    id: int
    lane: str
    chat: str
    purpose: str
    is_blocked: bool


def enqueue(
    session: Session,
    lane: Lane,
    body: str,
    *,
    key: str,
    now: datetime,
    purpose: Purpose = Purpose.REPLY,
    report_id: int | None = None,
) -> bool:
    """Queue one message, unless ``key`` was queued before. A newer status overtakes the older ones that got stuck.

    For a citizen who blocked the bot it waits from the start.
    """
    state = State.WAITING if lane.blocked_at is not None else State.QUEUED
    values: dict[str, Any] = {
        "key": key,
        "lane": lane.key,
        "channel": lane.channel,
        "account": lane.account,
        "chat": lane.chat,
        "report_id": report_id,
        "purpose": purpose,
        "body": body,
        "state": state,
        "tries": 0,
        "was_repeated": False,
        "next_at": now,
        "created_at": now,
    }
    statement = insert_for(session, OutboxMessage).on_conflict_do_nothing().returning(table_of(OutboxMessage).c.id)
    is_new = session.connection().execute(statement, values).first() is not None
    if is_new and purpose is Purpose.STATUS_UPDATE and report_id is not None:
        supersede(session, lane=lane.key, report_id=report_id)
    return is_new


def supersede(session: Session, *, lane: str | None = None, report_id: int | None = None) -> int:
    """Give up statuses that are stuck while a newer one of the same report is on its way to the same chat."""
    statement = update(OutboxMessage).where(_is_overtaken())
    if lane is not None:
        statement = statement.where(table_of(OutboxMessage).c.lane == lane)
    if report_id is not None:
        statement = statement.where(table_of(OutboxMessage).c.report_id == report_id)
    return _count(session, statement.values(state=State.EXPIRED, error="superseded by a newer status"))


def heads(session: Session, channel: str, account: str, *, now: datetime, limit: int) -> list[Head]:
    """Who is next: at most one message a chat, the most urgent purposes first, a quarter left for the others."""
    found: list[Head] = []
    purposes = list(Purpose)
    for index, purpose in enumerate(purposes):
        is_last = index == len(purposes) - 1
        room = limit - len(found) if is_last else max((limit - len(found)) * 3 // 4, 1)
        found += _heads_of(session, channel, account, purpose, now=now, limit=room)
    return found[:limit]


def next_due(session: Session, channel: str, account: str, *, now: datetime) -> datetime | None:
    """When the next message that is not due yet will be."""
    statement = text(_NEXT).bindparams(bindparam("now", now, UTCDateTime())).columns(next_at=UTCDateTime())
    at: datetime | None = session.connection().scalar(statement, {"channel": channel, "account": account})
    return at


def mark_sending(
    session: Session, chosen: Collection[Head], owner: str, *, now: datetime, lease_until: datetime
) -> list[OutboxMessage]:
    """Write down that these are about to be sent, before they are; those of blocked chats wait instead."""
    outbox = table_of(OutboxMessage).c
    blocked = [head.id for head in chosen if head.is_blocked]
    if blocked:
        _count(session, update(OutboxMessage).where(outbox.id.in_(blocked), _is(DUE)).values(state=State.WAITING))
    free = [head.id for head in chosen if not head.is_blocked]
    if not free:
        return []
    rows = session.scalars(
        select(OutboxMessage).where(outbox.id.in_(free), _is(DUE)).order_by(outbox.id).with_for_update()
    ).all()
    kept = [row for row in rows if not _is_stale_card(session, row)]
    for row in kept:
        row.state, row.owner, row.lease_until = State.SENDING, owner, lease_until
        row.tries += 1
    return kept


def orphans(session: Session, channel: str, account: str, owner: str) -> Sequence[OutboxMessage]:
    """Messages that somebody was about to send when they died; only the sender of the account may ask."""
    outbox = table_of(OutboxMessage).c
    return session.scalars(
        select(OutboxMessage)
        .where(outbox.channel == channel, outbox.account == account)
        .where(outbox.state == State.SENDING, or_(outbox.owner.is_(None), outbox.owner != owner))
        .order_by(outbox.id)
        .with_for_update()
    ).all()


def in_flight(session: Session, ids: Collection[int], owner: str) -> dict[int, OutboxMessage]:
    """The rows that we marked, less those taken for lost meanwhile (what is uncertain is still ours to settle)."""
    outbox = table_of(OutboxMessage).c
    query = (
        select(OutboxMessage)
        .where(outbox.id.in_(ids), outbox.owner == owner, _is((State.SENDING, State.UNCERTAIN)))
        .order_by(outbox.id)
        .with_for_update()
    )
    return {row.id: row for row in session.scalars(query) if row.id is not None}


def hold_chat(session: Session, lane: str, *, now: datetime) -> None:
    """The citizen can't be reached: everything still to be said waits until they write again."""
    outbox = table_of(OutboxMessage).c
    _count(session, update(Lane).where(col(Lane.key) == lane).values(blocked_at=now))
    _count(session, update(OutboxMessage).where(outbox.lane == lane, _is(DUE)).values(state=State.WAITING))
    supersede(session, lane=lane)


def wake(session: Session, lane: Lane, *, now: datetime) -> int:
    """The citizen wrote: what waited goes out oldest first, of each report only the newest status. Returns how many.

    Reminders and replies of more than a day ago are let go; a status of which nobody knows is said once more.
    """
    lane.blocked_at = None
    if session.connection().scalar(_HELD, {"lane": lane.key}) is None:
        return 0
    supersede(session, lane=lane.key)
    outbox = table_of(OutboxMessage).c
    of_lane = update(OutboxMessage).where(outbox.lane == lane.key)
    stale = or_(
        outbox.purpose == Purpose.REMINDER,
        and_(outbox.purpose == Purpose.REPLY, outbox.created_at < now - GIVE_UP_AFTER),
    )
    _count(session, of_lane.where(_is(HELD), stale).values(state=State.EXPIRED, error="too old when the citizen wrote"))
    woken = _count(session, of_lane.where(_is(HELD)).values(state=State.QUEUED, next_at=now, created_at=now))
    again = of_lane.where(_is_repeatable())
    return woken + _count(session, again.values(state=State.RETRY, next_at=now, was_repeated=True))


def do_chores(session: Session, *, now: datetime) -> None:
    """What time does to messages, by rules over the whole table."""
    supersede(session)
    repeat_uncertain(session, now=now)
    expire(session, now=now)


def repeat_uncertain(session: Session, *, now: datetime) -> int:
    """Say a status of which nobody knows once more when its time has come; its text names the report."""
    outbox = table_of(OutboxMessage).c
    due = update(OutboxMessage).where(_is_repeatable(), outbox.next_at <= now)
    return _count(session, due.values(state=State.RETRY, was_repeated=True))


def expire(session: Session, *, now: datetime) -> int:
    """Give up what could not be delivered within a day; it stays for a person to look at."""
    outbox = table_of(OutboxMessage).c
    old = update(OutboxMessage).where(_is(DUE), outbox.created_at < now - GIVE_UP_AFTER)
    return _count(session, old.values(state=State.EXPIRED, error="not delivered within 24 hours"))


def has_chores(session: Session, *, now: datetime) -> bool:
    """Whether one of the set-based rules has something to do; for a reading session, so that idling writes nothing."""
    outbox = table_of(OutboxMessage).c
    rules = (
        and_(_is(DUE), outbox.created_at < now - GIVE_UP_AFTER),
        and_(_is_repeatable(), outbox.next_at <= now),
        _is_overtaken(),
    )
    return any(session.connection().scalar(select(outbox.id).where(rule).limit(1)) for rule in rules)


def newest_status(session: Session, lane: str, report_id: int) -> OutboxMessage | None:
    """The latest status said, or to be said, about a report in a chat."""
    outbox = table_of(OutboxMessage).c
    return session.scalars(
        select(OutboxMessage)
        .where(outbox.report_id == report_id, outbox.lane == lane, outbox.purpose == Purpose.STATUS_UPDATE)
        .order_by(outbox.id.desc())
        .limit(1)
    ).one_or_none()


def card_of(session: Session, lane: str, report_id: int) -> StatusCard | None:
    """The message of a chat that always shows a report's newest status."""
    return session.get(StatusCard, (lane, report_id))


def save_card(
    session: Session, lane: str, report_id: int, external_id: str, shown_status: str, *, now: datetime
) -> None:
    """From now on this message is the report's status card, and this is what it shows."""
    session.merge(
        StatusCard(lane=lane, report_id=report_id, external_id=external_id, shown_at=now, shown_status=shown_status)
    )


def of_report(session: Session, report_id: int) -> Sequence[OutboxMessage]:
    """Everything said or to be said about a report, oldest first: shows whether its citizen knows."""
    outbox = table_of(OutboxMessage).c
    return session.scalars(select(OutboxMessage).where(outbox.report_id == report_id).order_by(outbox.id)).all()


def dead_letters(session: Session, limit: int = 50) -> Sequence[OutboxMessage]:
    """What was given up and not replaced by something newer, newest first."""
    outbox = table_of(OutboxMessage).c
    given_up = or_(
        outbox.state == State.FAILED, and_(outbox.state == State.EXPIRED, ~outbox.error.startswith("superseded"))
    )
    return session.scalars(select(OutboxMessage).where(given_up).order_by(outbox.id.desc()).limit(limit)).all()


def revive(session: Session, message_id: int, *, now: datetime) -> bool:
    """Try a dead letter again; False if there is no such dead letter."""
    outbox = table_of(OutboxMessage).c
    dead = update(OutboxMessage).where(outbox.id == message_id, _is((State.FAILED, State.EXPIRED)))
    return _count(session, dead.values(state=State.QUEUED, tries=0, next_at=now, created_at=now, error=None)) == 1


def count_by_state(session: Session) -> dict[str, int]:
    """How many messages stand where."""
    rows = session.connection().execute(text("SELECT state, count(*) AS count FROM outbox GROUP BY state"))
    return {row[0]: row[1] for row in rows}


def _heads_of(
    session: Session, channel: str, account: str, purpose: Purpose, *, now: datetime, limit: int
) -> list[Head]:
    outbox, lane = table_of(OutboxMessage).c, table_of(Lane).c
    statement = (
        text(_HEADS)
        .bindparams(bindparam("now", now, UTCDateTime()))
        .columns(outbox.id, outbox.lane, outbox.chat, outbox.purpose, lane.blocked_at)
    )
    values = {"channel": channel, "account": account, "purpose": purpose.value, "limit": limit}
    return [
        Head(id_, lane_, chat, purpose_, blocked_at is not None)
        for id_, lane_, chat, purpose_, blocked_at in session.connection().execute(statement, values)
    ]


def _is_stale_card(session: Session, row: OutboxMessage) -> bool:
    """An edit is dropped once a newer status than its own went out or is about to: that one stands below the card."""
    if row.purpose != Purpose.CARD or row.report_id is None:
        return False
    newest = newest_status(session, row.lane, row.report_id)
    if newest is None or newest.id is None or newest.id <= int(row.key.rpartition(":")[2]):
        return False
    row.state, row.error = State.EXPIRED, f"superseded by {newest.key}"
    return True


def _is_repeatable() -> Any:
    outbox = table_of(OutboxMessage).c
    return and_(
        outbox.state == State.UNCERTAIN, outbox.purpose == Purpose.STATUS_UPDATE, outbox.was_repeated.is_(False)
    )


def _is_overtaken() -> Any:
    outbox, newer = table_of(OutboxMessage).c, table_of(OutboxMessage).alias("newer").c
    is_newer = and_(newer.lane == outbox.lane, newer.report_id == outbox.report_id, newer.id > outbox.id)
    counts = newer.state.in_([state.value for state in (State.QUEUED, State.SENT, *OVERTAKABLE)])
    return and_(
        _is(OVERTAKABLE),
        outbox.purpose == Purpose.STATUS_UPDATE,
        exists().where(is_newer, newer.purpose == Purpose.STATUS_UPDATE, counts),
    )


def _is(states: Collection[State]) -> Any:
    return table_of(OutboxMessage).c.state.in_([state.value for state in states])


def _count(session: Session, statement: Any) -> int:
    result = session.execute(statement, execution_options={"synchronize_session": False})
    assert isinstance(result, CursorResult)
    return result.rowcount
