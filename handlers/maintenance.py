"""What time does to reports: questions that nobody answers, results that nobody judges."""

from datetime import timedelta

from sqlmodel import Session, col, select

from handlers import reports
from handlers.actors import SYSTEM
from handlers.office import Office
from storage.models import Report
from storage.workflow import Status

BATCH = 200  # reports a run


def close_finished(session: Session, office: Office) -> int:
    """Close what waited its feedback days out (T17). Returns how many."""
    limit = office.now() - timedelta(days=office.pack.sla["feedback_days"])
    query = select(Report.code).where(Report.status == Status.RESOLVED, col(Report.resolved_at) <= limit).limit(BATCH)
    codes = list(session.exec(query))
    for code in codes:
        reports.close(session, office, code, by=SYSTEM)
    return len(codes)


def resume_unanswered(session: Session, office: Office) -> int:
    """Go on without an answer after the days a question has (T4). Returns how many."""
    limit = office.now() - timedelta(days=office.pack.sla["question_days"])
    query = select(Report.code).where(Report.status == Status.NEED_INFO, col(Report.asked_at) <= limit).limit(BATCH)
    codes = list(session.exec(query))
    for code in codes:
        reports.resume(session, office, reports.load_report(session, code), marker="no_reply")
    return len(codes)
