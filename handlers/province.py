"""A province pack: the folder of data files that makes the bot serve a province."""

import csv
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from storage.deadlines import WorkingCalendar
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
    return _Reader(find_pack(name)).read()


class _Reader:
    """Reads the files of one pack and collects what is wrong with them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: list[str] = []

    def read(self) -> ProvincePack:
        head = self._toml("pack.toml")
        fields = {row["code"]: FieldInfo(row["code"], row["label"], row["short"]) for row in self._rows("fields.csv")}
        subfields = {item.code: item for item in self._subfields(fields)}
        agencies = {item.key: item for item in self._agencies()}
        routes = tuple(self._routes(subfields, agencies))
        pack = ProvincePack(
            folder=self.folder,
            fields=fields,
            subfields=subfields,
            agencies=agencies,
            routes=routes,
            units=tuple(self._units()),
            calendar=self._calendar(),
            texts=self._flat_texts(),
            **self._head(head),
        )
        self._check_whole(pack)
        if self.problems:
            raise BadPack(self.folder, self.problems)
        return pack

    def _head(self, head: dict[str, Any]) -> dict[str, Any]:
        keys = ("id", "name", "short_name", "province_code", "area_name", "mode", "consent_version", "code_prefix")
        values = {key: str(head.get(key, "")) for key in keys}
        self.problems += [f"pack.toml: {key} is missing" for key, value in values.items() if not value]
        if values["mode"] not in ("trial", "live"):
            self.problems.append(f"pack.toml: mode is {values['mode']!r}, expected trial or live")
        if values["mode"] == "live" and not (head.get("regulation_number") and head.get("regulation_date")):
            self.problems.append("pack.toml: mode live needs regulation_number and regulation_date")
        sla = {key: value for key, value in head.get("sla", {}).items() if isinstance(value, int)}
        needed = (
            "intake_hours",
            "accept_hours",
            "urgent_result_hours",
            "complex_days",
            "feedback_days",
            "question_days",
        )
        self.problems += [f"pack.toml: sla.{key} is missing or no whole number" for key in needed if key not in sla]
        contacts = {key: str(value) for key, value in head.get("contacts", {}).items()}
        names = ("intake_name", "outside_channel", "public_service_portal", "citizen_reception")
        self.problems += [f"pack.toml: contacts.{key} is missing" for key in names if not contacts.get(key)]
        classes = frozenset(head.get("rules", {}).get("self_approve", []))
        return values | {"sla": sla, "contacts": contacts, "self_approve": classes}

    def _subfields(self, fields: Mapping[str, FieldInfo]) -> Iterator[Subfield]:
        for line, row in enumerate(self._rows("subfields.csv"), 2):
            if row["code"].partition(".")[0] not in fields:
                self.problems.append(f"subfields.csv line {line}: {row['code']} belongs to no field of fields.csv")
            if not _is_sla(row["sla"]):
                self.problems.append(f"subfields.csv line {line}: sla {row['sla']!r}, expected days, K, K/days or M")
            yield Subfield(row["code"], row["label"], row["sla"], bool(row["restricted"]), row["redirect"] or None)

    def _agencies(self) -> Iterator[Agency]:
        for line, row in enumerate(self._rows("agencies.csv"), 2):
            start, end = self._day("agencies.csv", line, row["valid_from"]), row["valid_to"]
            yield Agency(
                row["key"],
                row["name"],
                row["kind"],
                bool(row["per_commune"]),
                start or date.min,
                self._day("agencies.csv", line, end) if end else None,
            )

    def _routes(self, subfields: Mapping[str, Subfield], agencies: Mapping[str, Agency]) -> Iterator[Route]:
        for line, row in enumerate(self._rows("routing.csv"), 2):
            if row["subfield"] not in subfields:
                self.problems.append(f"routing.csv line {line}: unknown subfield {row['subfield']}")
            helpers = tuple(row["cooperating"].split())
            for key in (row["lead"], *helpers):
                if key not in agencies:
                    self.problems.append(f"routing.csv line {line}: unknown agency {key!r}")
            end = row["valid_to"]
            yield Route(
                row["subfield"],
                row["lead"],
                helpers,
                row["commune"] or None,
                self._day("routing.csv", line, row["valid_from"]) or date.min,
                self._day("routing.csv", line, end) if end else None,
                bool(row["auto"]),
            )

    def _units(self) -> Iterator[ServedUnit]:
        for line, row in enumerate(self._rows("units.csv"), 2):
            for code in (row["former_code"], row["code"]):
                if not (len(code) == 5 and code.isdigit()):
                    self.problems.append(f"units.csv line {line}: {code!r} is no 5-digit commune code")
            yield ServedUnit(row["former_code"], row["former_name"], row["former_district"], row["code"], row["name"])

    def _calendar(self) -> WorkingCalendar:
        data = self._toml("calendar.toml")
        hours = tuple((time.fromisoformat(a), time.fromisoformat(b)) for a, b in data.get("hours", []))
        years = {key: value for key, value in data.items() if key.isdigit()}
        if not hours or not years:
            self.problems.append("calendar.toml: hours or years are missing")
            hours = ((time(7, 30), time(17)),)
        off: dict[date, str] = {}
        on: dict[date, str] = {}
        for year, entry in years.items():
            for span in entry.get("off", []):
                day = span["from"]
                while day <= span["to"]:
                    off[day] = span["why"]
                    day += timedelta(days=1)
            for swap in entry.get("on", []):
                on[swap["day"]] = swap["why"]
            if any(str(day.year) != year for span in entry.get("off", []) for day in (span["from"], span["to"])):
                self.problems.append(f"calendar.toml: [{year}] holds a day of another year")
        self.problems += [f"calendar.toml: {day} is both off and worked" for day in off.keys() & on.keys()]
        return WorkingCalendar(hours, frozenset(int(year) for year in years), off, on)

    def _check_whole(self, pack: ProvincePack) -> None:
        today = datetime.now().astimezone().date()
        routed = {row.subfield for row in pack.routes}
        self.problems += [f"routing.csv: no row for {code}" for code in pack.subfields if code not in routed]
        if today.year not in pack.calendar.years:
            self.problems.append(f"calendar.toml: the year {today.year} is missing")

    def _flat_texts(self) -> dict[str, str]:
        return {
            f"{section}.{key}": text
            for section, entry in self._toml("texts.toml").items()
            for key, text in entry.items()
        }

    def _toml(self, name: str) -> dict[str, Any]:
        try:
            return tomllib.loads((self.folder / name).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            self.problems.append(f"{name}: {error}")
            return {}

    def _rows(self, name: str) -> list[dict[str, str]]:
        try:
            with (self.folder / name).open(encoding="utf-8-sig", newline="") as file:
                reader = csv.DictReader(file)
                columns, rows = reader.fieldnames or (), list(reader)
        except (OSError, UnicodeDecodeError) as error:
            self.problems.append(f"{name}: {error}")
            return []
        whole = [row for row in rows if None not in row and None not in row.values()]
        if len(whole) < len(rows):
            self.problems.append(f"{name}: {len(rows) - len(whole)} lines have too many or too few columns")
        wanted = _COLUMNS[name]
        if set(wanted) - set(columns) or (not whole and name != "units.csv"):  # no units = the whole province
            self.problems.append(f"{name}: columns expected are {','.join(wanted)}")
            return []
        return whole

    def _day(self, name: str, line: int, text: str) -> date | None:
        try:
            return date.fromisoformat(text)
        except ValueError:
            self.problems.append(f"{name} line {line}: {text!r} is no date like 2025-07-01")
            return None


_COLUMNS = {
    "fields.csv": ("code", "label", "short"),
    "subfields.csv": ("code", "label", "sla", "restricted", "redirect"),
    "agencies.csv": ("key", "name", "kind", "per_commune", "valid_from", "valid_to"),
    "routing.csv": ("subfield", "lead", "cooperating", "commune", "valid_from", "valid_to", "auto"),
    "units.csv": ("former_code", "former_name", "former_district", "code", "name"),
}


def _is_sla(text: str) -> bool:
    head, _, tail = text.rpartition("/")
    return text in ("K", "M") or (tail.isdigit() and head in ("", "K"))
