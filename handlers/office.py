"""What every use-case stands on: the province pack, the wording and the clock."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from handlers.province import ProvincePack
from handlers.texts import Texts
from storage.deadlines import LOCAL

if TYPE_CHECKING:  # importing the tables costs the command line half a second
    from storage.models import Report

DEFAULT_DAYS = 5  # working days of a subfield that names none


@dataclass(frozen=True, slots=True)
class Office:
    """One province's office. ``clock`` gives aware UTC instants."""

    pack: ProvincePack
    texts: Texts
    clock: Callable[[], datetime]

    def now(self) -> datetime:
        return self.clock()

    def days_of(self, subfield: str) -> int:
        """Working days of class N."""
        info = self.pack.subfields.get(subfield)
        return (info.days if info else None) or DEFAULT_DAYS

    def lead_name(self, report: "Report") -> str:
        """The lead agency's name, intake's where there is none yet."""
        if report.lead_agency is None:
            return self.pack.contacts["intake_name"]
        return self.pack.agency_name(report.lead_agency, report.commune_name)

    def show_due(self, moment: datetime | None) -> str:
        """ "17:00 thứ Sáu 27/11/2026"."""
        if moment is None:
            return self.texts.say("lookup.no_due")
        local = moment.astimezone(LOCAL)
        return f"{local:%H:%M} {WEEKDAYS[local.weekday()]} {local:%d/%m/%Y}"

    def show_day(self, moment: datetime) -> str:
        """ "27/11/2026", local."""
        return f"{moment.astimezone(LOCAL):%d/%m/%Y}"


WEEKDAYS = ("thứ Hai", "thứ Ba", "thứ Tư", "thứ Năm", "thứ Sáu", "thứ Bảy", "Chủ nhật")
