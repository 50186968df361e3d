"""Erasing what ties reports to a person."""

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from handlers import reports
from handlers.office import Office
from storage.models import Citizen, Follower, History, InboxMessage, Lane, OutboxMessage, Report, ReportPhoto

ERASED = ""  # what stands in place of a chat and of words that were taken back


def erase_citizen(session: Session, office: Office, citizen: Citizen, lane: Lane) -> None:
    """Withdraw what no agency has yet and empty it, cut the tie to the rest, empty raw messages in both directions.

    Reports that an agency works on live on with their words but without chat or citizen; nothing more is sent about
    them. The citizen's row stays as the record of the erasure, tied to nothing.
    """
    nobody = Citizen(created_at=office.now(), erased_at=office.now())
    session.add(nobody)
    query = select(Report).where(Report.citizen_id == citizen.id).with_for_update()
    for report in session.exec(query):
        if reports.withdraw(session, office, report):
            _empty(session, report)
        report.citizen_id, report.lane = nobody.id, ERASED
    session.execute(delete(Follower).where(col(Follower.citizen_id) == citizen.id))
    worked = update(InboxMessage).where(col(InboxMessage.lane) == lane.key, col(InboxMessage.done_at).is_not(None))
    session.execute(worked.values(body="{}"))  # the rest has still to be read, and is forgotten some days later
    sent = update(OutboxMessage).where(col(OutboxMessage.lane) == lane.key)
    unsent = sent.where(col(OutboxMessage.state).in_(["queued", "retry", "waiting", "blocked", "uncertain"]))
    session.execute(unsent.values(state="expired", error="superseded: the citizen's data was erased", body="{}"))
    session.execute(sent.where(col(OutboxMessage.state) == "sent").values(body="{}"))
    citizen.erased_at, citizen.last_commune = office.now(), None
    citizen.has_reported = False
    citizen.consent_version = citizen.consent_at = None
    lane.citizen_id = None
    session.flush()


def _empty(session: Session, report: Report) -> None:
    report.text = report.folded = report.address_text = ERASED
    report.lat = report.lon = None
    session.execute(update(History).where(col(History.report_id) == report.id).values(text=ERASED))
    session.execute(delete(ReportPhoto).where(col(ReportPhoto.report_id) == report.id))
