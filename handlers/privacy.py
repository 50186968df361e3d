"""Erasing what ties reports to a person."""

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from handlers import reports
from handlers.office import Office
from storage.models import Citizen, Follower, InboxMessage, Lane, OutboxMessage, Report


def erase_citizen(session: Session, office: Office, citizen: Citizen, lane: Lane) -> None:
    """Withdraw what no agency has yet, cut the tie to the rest, empty raw messages in both directions.

    The reports themselves live on without identity; nothing more is sent about them.
    """
    query = select(Report).where(Report.citizen_id == citizen.id).with_for_update()
    for report in session.exec(query):
        reports.withdraw(session, office, report)
    session.execute(delete(Follower).where(col(Follower.citizen_id) == citizen.id))
    now = office.now()
    raw = update(InboxMessage).where(col(InboxMessage.lane) == lane.key, col(InboxMessage.done_at).is_not(None))
    session.execute(raw.values(body=""))
    sent = update(OutboxMessage).where(col(OutboxMessage.lane) == lane.key)
    unsent = sent.where(col(OutboxMessage.state).in_(["queued", "retry", "waiting", "blocked", "uncertain"]))
    session.execute(unsent.values(state="expired", error="the citizen's data was erased", body="{}"))
    session.execute(sent.where(col(OutboxMessage.state) == "sent").values(body="{}"))
    citizen.erased_at, citizen.last_commune = now, None
    citizen.consent_version = citizen.consent_at = None
    lane.citizen_id = None
    session.flush()
