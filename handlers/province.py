"""A province pack: the folder of data files that makes the bot serve a province."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from handlers.pack_files import PackFiles
from handlers.texts import load_texts
from storage.deadlines import LOCAL, WorkingCalendar
from storage.workflow import UrgencyClass

PACKS = Path(__file__).resolve().parent / "packs"


class BadPack(Exception):
    """The pack can't be used; ``problems`` lists every defect with file and line, so that one look mends them all."""

    def __init__(self, folder: Path, problems: list[str]) -> None:
        self.folder, self.problems = folder, problems
        super().__init__(f"province pack {folder.name}: " + "; ".join(problems))


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """A field (lĩnh vực)."""

    code: str
    label: str
    short: str


@dataclass(frozen=True, slots=True)
class Subfield:
    """A subfield (nhóm vấn đề) with its deadline rule: always urgent, urgent while dangerous, complex, or days."""

    code: str
    label: str
    sla: str  # "3", "K", "K/5", "M"
    is_restricted: bool
    redirect: str | None

    @property
    def field(self) -> str:
        return self.code.partition(".")[0]

    def urgency(self, *, is_danger: bool) -> UrgencyClass:
        if self.sla == "K" or (is_danger and self.sla.startswith("K")):
            return UrgencyClass.URGENT
        if is_danger:
            return UrgencyClass.URGENT
        return UrgencyClass.COMPLEX if self.sla == "M" else UrgencyClass.NORMAL

    @property
    def days(self) -> int | None:
        """Working days of class N; None where the class alone decides."""
        number = self.sla.rpartition("/")[2]
        return int(number) if number.isdigit() else None


@dataclass(frozen=True, slots=True)
class Agency:
    """An agency key; with ``per_commune`` there is one in every commune, named "key@commune code"."""

    key: str
    name: str
    kind: str
    per_commune: bool
    valid_from: date
    valid_to: date | None

    def is_valid_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True, slots=True)
class Route:
    """Who leads and who helps for a subfield, in a commune or everywhere, from one day to another."""

    subfield: str
    lead: str
    cooperating: tuple[str, ...]
    commune: str | None
    valid_from: date
    valid_to: date | None
    is_auto: bool

    def fits(self, subfield: str, commune: str | None, day: date) -> bool:
        in_time = self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)
        return in_time and self.subfield == subfield and self.commune in (None, commune)


@dataclass(frozen=True, slots=True)
class ServedUnit:
    """An old unit of the area served and the commune it belongs to now."""

    former_code: str
    former_name: str
    former_district: str
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class ProvincePack:
    """Everything that differs from province to province."""

    folder: Path
    id: str
    name: str
    short_name: str
    province_code: str
    area_name: str
    mode: str
    consent_version: str
    code_prefix: str
    contacts: Mapping[str, str]
    sla: Mapping[str, int]
    self_approve: frozenset[str]
    fields: Mapping[str, FieldInfo]
    subfields: Mapping[str, Subfield]
    agencies: Mapping[str, Agency]
    routes: tuple[Route, ...]
    units: tuple[ServedUnit, ...]
    calendar: WorkingCalendar
    texts: Mapping[str, str]

    @property
    def served_communes(self) -> Mapping[str, str]:
        """Current code → name; empty = the whole province."""
        return {unit.code: unit.name for unit in self.units}

    def field_label(self, code: str) -> str:
        return self.fields[code].label if code in self.fields else code

    def subfield_label(self, code: str) -> str:
        return self.subfields[code].label if code in self.subfields else code

    def label(self, subfield: str) -> str:
        """ "Hạ tầng, đô thị – Mặt đường"."""
        field = subfield.partition(".")[0]
        short = self.fields[field].short if field in self.fields else field
        return f"{short} – {self.subfield_label(subfield)}" if "." in subfield else short

    def subfields_of(self, field: str) -> tuple[Subfield, ...]:
        return tuple(item for item in self.subfields.values() if item.field == field)

    def route(self, subfield: str, commune: str | None, day: date) -> Route | None:
        """The row for this commune, else the general one; None where the pack has none for that day."""
        rows = [row for row in self.routes if row.fits(subfield, commune, day)]
        return next((row for row in rows if row.commune), rows[0] if rows else None)

    def agency_id(self, key: str, commune: str | None) -> str | None:
        """ "ht" in commune 03006 → "ht@03006"; None where the agency needs a commune and none is known."""
        if not self.agencies[key].per_commune:
            return key
        return f"{key}@{commune}" if commune else None

    def agency_name(self, agency: str, commune_name: str = "") -> str:
        """The name to show for an agency id; the commune's name fills in where there is one in each."""
        key, _, commune = agency.partition("@")
        if key not in self.agencies:
            return agency
        place = self.served_communes.get(commune, commune_name or commune)
        return self.agencies[key].name.replace("{commune}", place)


def find_pack(name: str) -> Path:
    """The folder of a shipped pack by name, or the folder itself. Raises BadPack."""
    folder = Path(name)
    if (folder / "pack.toml").is_file():
        return folder
    if (PACKS / name / "pack.toml").is_file():
        return PACKS / name
    shipped = ", ".join(sorted(path.name for path in PACKS.iterdir() if path.is_dir()))
    raise BadPack(folder, [f"no pack.toml in {name!r}; shipped packs: {shipped}"])


def load_pack(name: str) -> ProvincePack:
    """Read and check a pack. Raises BadPack with all its problems."""
    return _Reader(PackFiles(find_pack(name))).read()


class _Reader:
    """Makes a pack of the files of a folder."""

    def __init__(self, files: PackFiles) -> None:
        self.files = files

    def read(self) -> ProvincePack:
        files = self.files
        head = self._head(files.toml(_HEAD))
        fields = {row["code"]: FieldInfo(row["code"], row["label"], row["short"]) for _, row in self._rows(_FIELDS)}
        subfields = {item.code: item for item in self._subfields(fields)}
        agencies = {item.key: item for item in self._agencies()}
        routes = tuple(self._routes(subfields, agencies))
        units, calendar, texts = tuple(self._units()), self._calendar(), self._texts()
        self._check_today(subfields, agencies, routes, calendar)
        if files.problems:
            raise BadPack(files.folder, files.problems)
        return ProvincePack(
            folder=files.folder,
            fields=fields,
            subfields=subfields,
            agencies=agencies,
            routes=routes,
            units=units,
            calendar=calendar,
            texts=texts,
            **head,
        )

    def _head(self, head: dict[str, Any]) -> dict[str, Any]:
        values = {key: str(head.get(key, "")) for key in _NAMES}
        missing = [key for key, value in values.items() if not value]
        contacts = {key: str(value) for key, value in head.get("contacts", {}).items()}
        missing += [f"contacts.{key}" for key in _CONTACTS if not contacts.get(key)]
        for key in missing:
            self._complain(_HEAD, f"{key} is missing", key)
        if values["mode"] not in ("trial", "live"):
            self._complain(_HEAD, f"mode is {values['mode']!r}, expected trial or live", "mode")
        if values["mode"] == "live" and not (head.get("regulation_number") and head.get("regulation_date")):
            self._complain(_HEAD, "mode live needs regulation_number and regulation_date", "mode")
        if values["code_prefix"] and not re.fullmatch(r"[A-Z]{2,4}", values["code_prefix"]):
            self._complain(
                _HEAD, f"code_prefix is {values['code_prefix']!r}, expected 2 to 4 letters A-Z", "code_prefix"
            )
        if values["province_code"] and not re.fullmatch(r"\d{2}", values["province_code"]):
            self._complain(_HEAD, f"province_code is {values['province_code']!r}, expected 2 digits", "province_code")
        sla = {key: value for key, value in head.get("sla", {}).items() if isinstance(value, int) and value > 0}
        for key in _SLA:
            if key not in sla:
                self._complain(_HEAD, f"sla.{key} is missing or no whole number above 0", key)
        classes = frozenset(head.get("rules", {}).get("self_approve", []))
        if unknown := classes - set(UrgencyClass):
            self._complain(_HEAD, f"self_approve knows K, N and M, not {', '.join(sorted(unknown))}", "self_approve")
        return values | {"sla": sla, "contacts": contacts, "self_approve": classes}

    def _subfields(self, fields: Mapping[str, FieldInfo]) -> Iterator[Subfield]:
        for line, row in self._rows(_SUBFIELDS):
            if row["code"].partition(".")[0] not in fields:
                self.files.complain(_SUBFIELDS, f"{row['code']} belongs to no field of fields.csv", line)
            if not _is_sla(row["sla"]):
                self.files.complain(_SUBFIELDS, f"sla {row['sla']!r}, expected days, K, K/days or M", line)
            yield Subfield(row["code"], row["label"], row["sla"], bool(row["restricted"]), row["redirect"] or None)

    def _agencies(self) -> Iterator[Agency]:
        for line, row in self._rows(_AGENCIES):
            is_per_commune = bool(row["per_commune"])
            if ("{commune}" in row["name"]) != is_per_commune:
                self.files.complain(_AGENCIES, "{commune} in the name and per_commune go together", line)
            start, end = self._span(_AGENCIES, line, row)
            yield Agency(row["key"], row["name"], row["kind"], is_per_commune, start, end)

    def _routes(self, subfields: Mapping[str, Subfield], agencies: Mapping[str, Agency]) -> Iterator[Route]:
        for line, row in self._rows(_ROUTING):
            if row["subfield"] not in subfields:
                self.files.complain(_ROUTING, f"unknown subfield {row['subfield']}", line)
            if row["commune"] and not _is_commune(row["commune"]):
                self.files.complain(_ROUTING, f"{row['commune']!r} is no 5-digit commune code", line)
            helpers = tuple(row["cooperating"].split())
            for key in (row["lead"], *helpers):
                if key not in agencies:
                    self.files.complain(_ROUTING, f"unknown agency {key!r}", line)
            start, end = self._span(_ROUTING, line, row)
            yield Route(row["subfield"], row["lead"], helpers, row["commune"] or None, start, end, bool(row["auto"]))

    def _units(self) -> Iterator[ServedUnit]:
        for line, row in self._rows(_UNITS):
            for code in (row["former_code"], row["code"]):
                if not _is_commune(code):
                    self.files.complain(_UNITS, f"{code!r} is no 5-digit commune code", line)
            yield ServedUnit(row["former_code"], row["former_name"], row["former_district"], row["code"], row["name"])

    def _calendar(self) -> WorkingCalendar:
        data = self.files.toml(_CALENDAR)
        years = {key: value for key, value in data.items() if key.isdigit()}
        if not years:
            self.files.complain(_CALENDAR, "there is no year")
        off: dict[date, str] = {}
        on: dict[date, str] = {}
        for year, entry in years.items():
            for first, last, why in self._spans(year, entry.get("off", []), "from", "to"):
                off |= {first + timedelta(days=number): why for number in range((last - first).days + 1)}
            on |= {day: why for day, _, why in self._spans(year, entry.get("on", []), "day", "day")}
        for day in sorted(off.keys() & on.keys()):
            self._complain(_CALENDAR, f"{day} is both off and worked", str(day.year))
        return WorkingCalendar(self._hours(data), frozenset(int(year) for year in years), off, on)

    def _hours(self, data: dict[str, Any]) -> tuple[tuple[time, time], ...]:
        try:
            hours = tuple((time.fromisoformat(opens), time.fromisoformat(closes)) for opens, closes in data["hours"])
        except (KeyError, TypeError, ValueError):
            hours = ()
        flat = [moment for span in hours for moment in span]
        if not hours or flat != sorted(flat):
            self._complain(_CALENDAR, 'hours are missing or out of order, expected [["07:30", "11:30"], …]', "hours")
            return ((time(7, 30), time(17)),)
        return hours

    def _spans(self, year: str, entries: Any, first: str, last: str) -> Iterator[tuple[date, date, str]]:
        for entry in entries:
            start, end = entry.get(first), entry.get(last)
            if not (isinstance(start, date) and isinstance(end, date) and start <= end and entry.get("why")):
                self._complain(_CALENDAR, f"[{year}] {entry} needs {first}, {last} in order, and why", year)
            elif {start.year, end.year} != {int(year)}:
                self._complain(_CALENDAR, f"[{year}] holds {start}, a day of another year", year)
            else:
                yield start, end, str(entry["why"])

    def _texts(self) -> dict[str, str]:
        own = {
            f"{section}.{key}": str(text)
            for section, entry in self.files.toml(_TEXTS).items()
            for key, text in (entry if isinstance(entry, dict) else {"": entry}).items()
        }
        common = load_texts() if own else None
        for key in own:
            short = key.rpartition(".")[2]
            if common is None or not common.has(key):
                self._complain(_TEXTS, f"the catalogue has no sentence {key}", short)
                continue
            try:
                unknown = load_texts(own).placeholders(key) - common.placeholders(key)
            except ValueError as error:
                self._complain(_TEXTS, f"{key}: {error}", short)
                continue
            if not own[key].strip():
                self._complain(_TEXTS, f"{key} says nothing", short)
            if unknown:
                self._complain(_TEXTS, f"{key} cannot fill in {', '.join(sorted(unknown))}", short)
        return own

    def _check_today(
        self,
        subfields: Mapping[str, Subfield],
        agencies: Mapping[str, Agency],
        routes: tuple[Route, ...],
        calendar: WorkingCalendar,
    ) -> None:
        """Every subfield has somebody to lead it today, and today is in the calendar."""
        today = datetime.now(LOCAL).date()
        for code in subfields:
            leads = [row.lead for row in routes if row.commune is None and row.fits(code, None, today)]
            if not leads:
                self.files.complain(_ROUTING, f"no row for {code} that is valid today")
            elif leads[0] in agencies and not agencies[leads[0]].is_valid_on(today):
                self.files.complain(_ROUTING, f"{leads[0]}, who leads {code}, does not exist today")
        if today.year not in calendar.years:
            self.files.complain(_CALENDAR, f"the year {today.year} is missing")

    def _rows(self, name: str) -> list[tuple[int, dict[str, str]]]:
        columns, filled, unique = _TABLES[name]
        return self.files.rows(name, columns.split(","), filled=filled.split(","), unique=unique)

    def _span(self, name: str, line: int, row: dict[str, str]) -> tuple[date, date | None]:
        start = self.files.day(name, line, row["valid_from"]) or date.min
        end = self.files.day(name, line, row["valid_to"]) if row["valid_to"] else None
        if end is not None and end < start:
            self.files.complain(name, f"valid_to {end} lies before valid_from {start}", line)
        return start, end

    def _complain(self, name: str, problem: str, key: str) -> None:
        self.files.complain(name, problem, self.files.line_of(name, key.rpartition(".")[2]))


_HEAD, _FIELDS, _SUBFIELDS, _AGENCIES = "pack.toml", "fields.csv", "subfields.csv", "agencies.csv"
_ROUTING, _UNITS, _CALENDAR, _TEXTS = "routing.csv", "units.csv", "calendar.toml", "texts.toml"
_NAMES = ("id", "name", "short_name", "province_code", "area_name", "mode", "consent_version", "code_prefix")
_CONTACTS = ("intake_name", "outside_channel", "public_service_portal", "citizen_reception")
_SLA = ("intake_hours", "accept_hours", "urgent_result_hours", "complex_days", "feedback_days", "question_days")
_TABLES = {  # columns; those that must be filled; the one that is unique, and without which there is no pack
    _FIELDS: ("code,label,short", "code,label,short", "code"),
    _SUBFIELDS: ("code,label,sla,restricted,redirect", "code,label,sla", "code"),
    _AGENCIES: ("key,name,kind,per_commune,valid_from,valid_to", "key,name,kind,valid_from", "key"),
    _ROUTING: ("subfield,lead,cooperating,commune,valid_from,valid_to,auto", "subfield,lead,valid_from", None),
    _UNITS: ("former_code,former_name,former_district,code,name", "former_code,former_name,code,name", None),
}


def _is_commune(code: str) -> bool:
    return len(code) == 5 and code.isdigit()


def _is_sla(text: str) -> bool:
    head, _, tail = text.rpartition("/")
    return text in ("K", "M") or (tail.isdigit() and head in ("", "K"))
