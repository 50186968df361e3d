"""Working calendar and clocks: pure arithmetic on days off, swap days and office hours."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")


class UnknownYear(Exception):
    """The calendar says nothing of this year; guessing «no holidays» would promise wrong dates."""

    def __init__(self, year: int) -> None:
        self.year = year
        super().__init__(f"the working calendar has no year {year}; add it to the province pack's calendar.toml")


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """Office hours of a weekday, and the days that differ. ``years`` are those that were entered."""

    hours: tuple[tuple[time, time], ...]
    years: frozenset[int]
    days_off: Mapping[date, str]  # day → why
    days_on: Mapping[date, str]  # Saturdays worked for a swap

    def is_working_day(self, day: date) -> bool:
        """Raises UnknownYear."""
        if day.year not in self.years:
            raise UnknownYear(day.year)
        if day in self.days_on:
            return True
        return day.weekday() < 5 and day not in self.days_off

    @property
    def closing_time(self) -> time:
        return self.hours[-1][1]


def next_working_day(calendar: WorkingCalendar, day: date) -> date:
    """The first working day after ``day``."""
    following = day + timedelta(days=1)
    while not calendar.is_working_day(following):
        following += timedelta(days=1)
    return following


def add_working_days(calendar: WorkingCalendar, start: datetime, days: int) -> datetime:
    """Closing time of the ``days``-th working day after the local day of ``start``, which is not counted."""
    day = start.astimezone(LOCAL).date()
    for _ in range(days):
        day = next_working_day(calendar, day)
    return datetime.combine(day, calendar.closing_time, LOCAL)


def add_working_hours(calendar: WorkingCalendar, start: datetime, duration: timedelta) -> datetime:
    """``start`` plus ``duration`` inside office hours; outside them the clock starts at the next opening."""
    moment, left = start.astimezone(LOCAL), duration
    day = moment.date()
    while True:
        if calendar.is_working_day(day):
            for opens, closes in calendar.hours:
                begin = max(moment, datetime.combine(day, opens, LOCAL))
                end = datetime.combine(day, closes, LOCAL)
                if begin >= end:
                    continue
                if end - begin >= left:
                    return begin + left
                left -= end - begin
        day += timedelta(days=1)


def working_time_between(calendar: WorkingCalendar, start: datetime, end: datetime) -> timedelta:
    """Office time from ``start`` to ``end``; zero when ``end`` comes first."""
    first, last = start.astimezone(LOCAL), end.astimezone(LOCAL)
    total, day = timedelta(), first.date()
    while day <= last.date():
        if calendar.is_working_day(day):
            for opens, closes in calendar.hours:
                begin = max(first, datetime.combine(day, opens, LOCAL))
                stop = min(last, datetime.combine(day, closes, LOCAL))
                total += max(timedelta(), stop - begin)
        day += timedelta(days=1)
    return total
