"""The clocks of a report: what is due when."""

from datetime import datetime, timedelta

from handlers.office import Office
from storage.deadlines import add_working_days, add_working_hours, working_time_between
from storage.models import Report
from storage.workflow import UrgencyClass


def due_for(office: Office, report: Report, start: datetime) -> datetime:
    """The deadline of the handling clock that starts now."""
    sla, calendar = office.pack.sla, office.pack.calendar
    if report.urgency is UrgencyClass.URGENT:
        return start + timedelta(hours=sla["urgent_result_hours"])
    if report.urgency is UrgencyClass.COMPLEX:
        return add_working_days(calendar, start, sla["complex_days"])
    return add_working_days(calendar, start, office.days_of(report.subfield))


def expected_answer(office: Office, report: Report) -> datetime:
    """What a citizen is told at filing: intake's hours, then the handling clock."""
    if report.urgency is UrgencyClass.URGENT:
        return due_for(office, report, report.created_at)
    intake = timedelta(hours=office.pack.sla["intake_hours"])
    return due_for(office, report, add_working_hours(office.pack.calendar, report.created_at, intake))


def end_of_working_day(office: Office, moment: datetime) -> datetime:
    """Closing time of that day, or of the next working day."""
    return add_working_days(office.pack.calendar, moment - timedelta(days=1), 1)


def half_clock(office: Office, report: Report, now: datetime) -> datetime:
    """The deadline after a reopening: half the original time, at least a working day."""
    if report.urgency is UrgencyClass.URGENT:
        return now + timedelta(hours=office.pack.sla["urgent_result_hours"] / 2)
    complex_days = office.pack.sla["complex_days"]
    days = complex_days if report.urgency is UrgencyClass.COMPLEX else office.days_of(report.subfield)
    return add_working_days(office.pack.calendar, now, max(1, (days + 1) // 2))


def after_pause(office: Office, due_at: datetime, start: datetime, end: datetime) -> datetime:
    """The deadline with the office time of a question added, at most its days, rounded up to closing time."""
    calendar = office.pack.calendar
    end = min(end, start + timedelta(days=office.pack.sla["question_days"]))
    paused = working_time_between(calendar, start, end)
    if not paused:
        return due_at
    return end_of_working_day(office, add_working_hours(calendar, due_at, paused))
