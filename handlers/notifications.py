"""Which change is told to whom: one outbox row a follower's chat, in the commit of the change itself."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from handlers.messages import Option, Reply
from handlers.office import Office
from storage import outbox
from storage.models import Follower, History, Lane, Report


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
    """Queue this for every follower; returns how many chats. For a blocked chat it waits until the citizen writes."""
    assert row.id is not None
    body = Reply(text, options, photos=tuple(photos), card_status=report.status.value).to_json()
    lanes = follower_lanes(session, report)
    for lane in lanes:
        outbox.enqueue(
            session,
            lane,
            body,
            key=f"status:{row.id}:{lane.key}",
            now=office.now(),
            purpose=outbox.Purpose.STATUS_UPDATE,
            report_id=report.id,
        )
    return len(lanes)


def follower_lanes(session: Session, report: Report) -> list[Lane]:
    """One chat a follower: the one that wrote last."""
    query = (
        select(Lane)
        .join(Follower, col(Follower.citizen_id) == col(Lane.citizen_id))
        .where(Follower.report_id == report.id)
        .order_by(col(Lane.last_seen_at))
    )
    return list({lane.citizen_id: lane for lane in session.exec(query)}.values())


def rating_options(office: Office, report: Report) -> tuple[Option, ...]:
    """The three taps under a result; their tokens name the report, so that they never grow stale."""
    ratings = ("good", "acceptable", "bad")
    return tuple(Option(f"r:{report.code}:{rating}", office.texts.say(f"button.{rating}")) for rating in ratings)
