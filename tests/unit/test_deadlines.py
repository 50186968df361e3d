"""The working calendar and the clocks, with the holidays of the shipped pack."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session

from handlers.bootstrap import build_office
from handlers.clocks import due_for, end_of_working_day, expected_answer
from handlers.province import load_pack
from handlers.reports import resume
from handlers.settings import Settings
from storage.database import Database
from storage.deadlines import (
    LOCAL,
    UnknownYear,
    add_working_days,
    add_working_hours,
    next_working_day,
    working_time_between,
)
from storage.models import Report
from storage.workflow import Status, UrgencyClass
from tests.desk_factories import a_report

CALENDAR = load_pack("lao_cai").calendar


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LOCAL)


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        ("2022-08-31 09:00", 3, "2022-09-07 17:00"),  # Quốc khánh and a weekend between
        ("2023-01-19 09:00", 5, "2023-02-02 17:00"),  # Tết
        ("2026-02-13 09:00", 3, "2026-02-25 17:00"),  # Tết
        ("2026-11-23 06:00", 1, "2026-11-24 17:00"),  # the day itself is not counted, however early
        ("2026-11-27 23:00", 1, "2026-11-30 17:00"),
        ("2026-01-09 10:00", 1, "2026-01-10 17:00"),  # a Saturday worked for a swap
        ("2026-08-28 10:00", 1, "2026-09-03 17:00"),
        ("2025-12-31 10:00", 2, "2026-01-06 17:00"),
    ],
)
def test_working_days_end_at_closing_time(start: str, days: int, due: str) -> None:
    assert add_working_days(CALENDAR, local(start), days) == local(due)


def test_days_are_local_days() -> None:
    # 18:00 UTC on Sunday is Monday 01:00 in Việt Nam
    assert add_working_days(CALENDAR, datetime(2026, 11, 22, 18, tzinfo=UTC), 1) == local("2026-11-24 17:00")


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        ("2026-11-23 08:00", 2, "2026-11-23 10:00"),
        ("2026-11-23 10:30", 2, "2026-11-23 14:30"),  # over the midday break
        ("2026-11-23 12:00", 1, "2026-11-23 14:30"),
        ("2026-11-23 16:30", 4, "2026-11-24 11:00"),
        ("2026-11-28 03:00", 4, "2026-11-30 11:30"),  # Saturday: starts at Monday's opening
        ("2026-11-23 18:00", 8, "2026-11-25 08:00"),  # a working day has seven and a half hours
    ],
)
def test_working_hours_run_inside_office_hours(start: str, hours: float, due: str) -> None:
    assert add_working_hours(CALENDAR, local(start), timedelta(hours=hours)) == local(due)


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2026-11-23 07:30", "2026-11-23 17:00", 7.5),
        ("2026-11-23 17:30", "2026-11-24 07:00", 0),
        ("2026-11-27 16:00", "2026-11-30 08:30", 2),
        ("2026-02-13 07:30", "2026-02-23 11:30", 11.5),
        ("2026-11-24 08:00", "2026-11-23 08:00", 0),
    ],
)
def test_working_time_between_two_instants(start: str, end: str, hours: float) -> None:
    assert working_time_between(CALENDAR, local(start), local(end)) == timedelta(hours=hours)


@pytest.mark.parametrize(
    "day",
    [
        *(date(2022, 9, day) for day in (1, 2)),
        date(2023, 1, 2),
        *(date(2023, 1, day) for day in range(20, 27)),
        *(date(2023, 9, day) for day in range(1, 5)),
        *(date(2026, 2, day) for day in range(16, 21)),
    ],
)
def test_statutory_days_are_off(day: date) -> None:
    assert not CALENDAR.is_working_day(day)


def test_the_pilots_first_working_day_is_monday_5_september_2022() -> None:
    assert next_working_day(CALENDAR, date(2022, 8, 31)) == date(2022, 9, 5)


def test_a_swapped_saturday_is_worked() -> None:
    assert CALENDAR.is_working_day(date(2024, 5, 4))
    assert not CALENDAR.is_working_day(date(2024, 5, 11))


@pytest.mark.parametrize("year", [2021, 2028])
def test_a_year_that_nobody_entered_is_refused(year: int) -> None:
    with pytest.raises(UnknownYear, match=str(year)):
        CALENDAR.is_working_day(date(year, 6, 1))


def test_a_deadline_that_reaches_into_an_unknown_year_is_refused() -> None:
    with pytest.raises(UnknownYear, match="2028"):
        add_working_days(CALENDAR, local("2027-12-30 10:00"), 5)


# hypothesis wants bare bounds and gives bare instants
INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 11, 30)).map(  # noqa: DTZ001
    lambda moment: moment.replace(tzinfo=LOCAL)
)


@given(INSTANTS, st.integers(1, 20))
def test_a_deadline_is_always_at_closing_time_of_a_working_day_ahead(start: datetime, days: int) -> None:
    due = add_working_days(CALENDAR, start, days)

    assert due > start
    assert due.time() == CALENDAR.closing_time
    assert CALENDAR.is_working_day(due.date())


@given(INSTANTS, st.integers(1, 40 * 60))
def test_working_hours_added_are_working_hours_counted(start: datetime, minutes: int) -> None:
    duration = timedelta(minutes=minutes)

    assert working_time_between(CALENDAR, start, add_working_hours(CALENDAR, start, duration)) == duration


# The clocks of a report

MONDAY = local("2026-11-23 10:00")


@pytest.mark.parametrize(
    ("subfield", "urgency", "due"),
    [
        ("ha_tang.chieu_sang", UrgencyClass.NORMAL, "2026-11-26 17:00"),  # 3 days
        ("van_tai.taxi_xe_om", UrgencyClass.NORMAL, "2026-11-30 17:00"),  # 5 days
        ("ha_tang.mat_duong", UrgencyClass.NORMAL, "2026-12-02 17:00"),  # 7 days
        ("ha_tang.xay_dung_lan_chiem", UrgencyClass.COMPLEX, "2026-12-07 17:00"),  # 10 days
        ("ha_tang.dien", UrgencyClass.URGENT, "2026-11-24 10:00"),  # a day round the clock
    ],
)
def test_the_handling_clock_follows_class_and_subfield(subfield: str, urgency: UrgencyClass, due: str) -> None:
    office = build_office(Settings(), clock=lambda: MONDAY)
    report = Report(subfield=subfield, urgency=urgency, created_at=MONDAY)

    assert due_for(office, report, MONDAY) == local(due)


def test_the_citizen_is_told_intakes_hours_and_then_the_handling_clock() -> None:
    office = build_office(Settings(), clock=lambda: MONDAY)
    friday = local("2026-11-27 16:00")  # four working hours later it is Monday
    report = Report(subfield="ha_tang.chieu_sang", urgency=UrgencyClass.NORMAL, created_at=friday)

    assert expected_answer(office, report) == local("2026-12-03 17:00")


@pytest.mark.parametrize(
    ("asked", "answered", "due"),
    [
        ("2026-11-24 09:00", "2026-11-24 11:00", "2026-11-27 17:00"),  # two office hours, rounded up to closing
        ("2026-11-24 18:00", "2026-11-25 06:00", "2026-11-26 17:00"),  # overnight: no office time was lost
        ("2026-11-21 09:00", "2026-11-22 09:00", "2026-11-26 17:00"),  # over a weekend
        ("2026-11-24 07:30", "2026-11-25 17:00", "2026-11-30 17:00"),  # two whole days
        ("2026-11-23 07:30", "2026-12-05 17:00", "2026-12-03 17:00"),  # never more than the question's five days
    ],
)
def test_a_question_lengthens_the_deadline_by_the_office_time_it_took(
    sqlite_database: Database, asked: str, answered: str, due: str
) -> None:
    office = build_office(Settings(), clock=lambda: local(answered))
    deadline = local("2026-11-26 17:00")

    def work(session: Session) -> datetime | None:
        report = a_report(
            session,
            Status.NEED_INFO,
            resume_status=Status.ASSIGNED,
            asked_at=local(asked).astimezone(UTC),
            due_at=deadline.astimezone(UTC),
            due_original=deadline.astimezone(UTC),
            lead_agency="gt",
        )
        resume(session, office, report)
        assert report.due_original == deadline
        return report.due_at

    assert sqlite_database.write_now(work) == local(due)


def test_the_clock_of_an_urgent_report_does_not_stop(sqlite_database: Database) -> None:
    office = build_office(Settings(), clock=lambda: MONDAY + timedelta(hours=5))
    deadline = (MONDAY + timedelta(hours=20)).astimezone(UTC)

    def work(session: Session) -> datetime | None:
        report = a_report(
            session,
            Status.NEED_INFO,
            resume_status=Status.ASSIGNED,
            asked_at=MONDAY.astimezone(UTC),
            due_at=deadline,
            urgency=UrgencyClass.URGENT,
        )
        resume(session, office, report)
        return report.due_at

    assert sqlite_database.write_now(work) == deadline


def test_a_moment_on_a_day_off_is_rounded_to_the_next_working_days_closing() -> None:
    office = build_office(Settings(), clock=lambda: MONDAY)

    assert end_of_working_day(office, local("2026-11-28 09:00")) == local("2026-11-30 17:00")
    assert end_of_working_day(office, local("2026-11-27 09:00")) == local("2026-11-27 17:00")
