"""Which change is told to whom: one outbox row a follower's chat, in the commit of the change itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from handlers.messages import Option, Reply
from handlers.office import Office
from storage.models import Follower, History, Lane, OutboxMessage, Report


@dataclass(frozen=True, slots=True)
class Addressee:
    """A chat that is told."""

    lane: str
    channel: str
    account: str
    chat: str
    is_blocked: bool


def tell(
    session: Session,
    office: Office,
    report: Report,
    row: History,
    text: str,
    *,
    photos: Sequence[str] = (),
    options: tuple[Option, ...] = (),
) -> int:
    """Queue this for every follower; returns how many chats. A blocked chat's message waits for the citizen."""
    assert row.id is not None
    reply = Reply(text, options, photos=tuple(photos), card_status=report.status.value)
    addressees = followers(session, report)
    for addressee in addressees:
        message = outbox_row(addressee, reply, key=f"status:{row.id}:{addressee.lane}", at=office.now())
        message.purpose, message.report_id = "status_update", report.id
        if addressee.is_blocked:
            message.state = "waiting"
        session.add(message)
    return len(addressees)


def followers(session: Session, report: Report) -> list[Addressee]:
    """One chat a follower: the one that wrote last."""
    query = (
        select(Lane)
        .join(Follower, col(Follower.citizen_id) == col(Lane.citizen_id))
        .where(Follower.report_id == report.id)
        .order_by(col(Lane.last_seen_at))
    )
    newest = {lane.citizen_id: lane for lane in session.exec(query)}
    return [
        Addressee(lane.key, lane.channel, lane.account, lane.chat, lane.blocked_at is not None)
        for lane in newest.values()
    ]


def outbox_row(
    to: Addressee, reply: Reply, *, key: str, at: datetime, next_at: datetime | None = None
) -> OutboxMessage:
    """A row that says ``reply`` to that chat, from ``next_at`` on."""
    return OutboxMessage(
        key=key,
        lane=to.lane,
        channel=to.channel,
        account=to.account,
        chat=to.chat,
        body=reply.to_json(),
        created_at=at,
        next_at=next_at or at,
    )


def rating_options(office: Office, report: Report) -> tuple[Option, ...]:
    """The three taps under a result; their tokens name the report, so that they never grow stale."""
    ratings = ("good", "acceptable", "bad")
    return tuple(Option(f"r:{report.code}:{rating}", office.texts.say(f"button.{rating}")) for rating in ratings)
