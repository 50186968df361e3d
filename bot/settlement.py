"""How a try to send ended, and what becomes of the message: one synchronous function over a batch of outcomes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from sqlmodel import Session

from bot.channels.base import (
    Blocked,
    Channel,
    ChannelError,
    Hold,
    RetryLater,
    Sent,
    TooLarge,
    Uncertain,
    Undeliverable,
)
from handlers.messages import Reply, reply_from_json
from storage import outbox
from storage.models import Lane, OutboxMessage
from storage.outbox import Purpose, State
from storage.queue import backoff

log = structlog.get_logger(__name__)

HOLD = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one try. ``reply`` is what was sent."""

    message_id: int
    reply: Reply
    result: Sent | ChannelError


def settle(session: Session, channel: Channel, owner: str, outcomes: Sequence[Outcome], *, now: datetime) -> None:
    """Write down how these tries ended."""
    rows = outbox.in_flight(session, [outcome.message_id for outcome in outcomes], owner)
    for outcome in outcomes:
        row = rows.get(outcome.message_id)
        if row is None or (row.state != State.SENDING and not isinstance(outcome.result, Sent)):
            continue  # taken for lost meanwhile; only a certain success still counts
        _settle_one(session, channel, row, outcome, now)


def settle_orphans(session: Session, channel: Channel, owner: str, *, now: datetime) -> int:
    """Whoever marked these died before saying how it ended: they may have been delivered."""
    rows = outbox.orphans(session, channel.name, channel.account, owner)
    for row in rows:
        log.warning("send_orphaned", channel=channel.name, outbox=row.id)
        _in_doubt(session, channel, row, reply_from_json(row.body), "the sender died while sending", now)
    return len(rows)


def _settle_one(session: Session, channel: Channel, row: OutboxMessage, outcome: Outcome, now: datetime) -> None:
    error = outcome.result
    match error:
        case Sent():
            _sent(session, row, outcome.reply, error, now)
            return
        case Uncertain():
            _in_doubt(session, channel, row, outcome.reply, str(error), now)
        case Blocked():
            row.state = State.BLOCKED
            outbox.hold_chat(session, row.lane, now=now)
        case Hold():
            row.state, row.next_at = State.RETRY, now + HOLD
            row.tries -= 1  # the channel's fault, not the message's
        case RetryLater():
            row.state = State.RETRY
            wait = backoff(row.tries)
            row.next_at = now + (wait if error.after is None else error.after + wait / 4)
        case Undeliverable() | TooLarge() | ChannelError():
            row.state = State.FAILED
    row.error = _describe(error)
    log.warning(
        "not_sent",
        channel=row.channel,
        outbox=row.id,
        purpose=row.purpose,
        state=str(row.state),
        tries=row.tries,
        error=type(error).__name__,
    )


def _sent(session: Session, row: OutboxMessage, reply: Reply, sent: Sent, now: datetime) -> None:
    row.state, row.sent_at, row.external_id, row.error = State.SENT, now, sent.external_id, None
    if row.report_id is None:
        return
    if reply.is_card or (row.purpose == Purpose.CARD and reply.edit_of is not None):
        outbox.save_card(session, row.lane, row.report_id, sent.external_id, reply.card_status, now=now)


def _in_doubt(session: Session, channel: Channel, row: OutboxMessage, reply: Reply, error: str, now: datetime) -> None:
    """It may have been delivered. What can be repeated without a trace is; the rest is never repeated blindly."""
    row.error = error[:500]
    if reply.edit_of is not None and channel.capabilities.has_edit:
        row.state, row.next_at = State.RETRY, now + backoff(row.tries)  # editing twice looks like editing once
        return
    row.state, row.next_at = State.UNCERTAIN, now + outbox.REPEAT_AFTER
    if row.purpose == Purpose.STATUS_UPDATE and channel.capabilities.has_edit:
        row.was_repeated = row.was_repeated or _show_on_card(session, row, now)


def _show_on_card(session: Session, row: OutboxMessage, now: datetime) -> bool:
    if row.report_id is None or (card := outbox.card_of(session, row.lane, row.report_id)) is None:
        return False
    lane = session.get(Lane, row.lane)
    newest = outbox.newest_status(session, row.lane, row.report_id) or row
    if lane is None:
        return False
    edit = replace(reply_from_json(newest.body), edit_of=card.external_id, is_card=False, photos=(), ask=None)
    key = f"card:{row.id}"
    outbox.enqueue(session, lane, edit.to_json(), key=key, now=now, purpose=Purpose.CARD, report_id=row.report_id)
    return True


def _describe(error: ChannelError) -> str:
    return f"{type(error).__name__}: {error}"[:500]
