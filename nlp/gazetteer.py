"""Knows every commune, district and province, what each was called before, and what took over its land."""

import gzip
import json
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from sys import intern
from typing import Any

from nlp.gazetteer_entries import COMMUNE, DISTRICT, Entry, build_index
from nlp.gazetteer_keys import folded_key, number_key, split_kind
from nlp.results import Unit

FORMAT = 1
REORGANISED_ON = date(2025, 7, 1)  # NQ 202/2025/QH15: provinces merged, districts gone
SNAPSHOT_FROM = date(2020, 1, 1)  # the old units are those of 30/6/2025; their own first day is not in the source


Names = dict[str, list[Entry]]  # folded name → what it may mean; read-only outside


class GazetteerUnusable(Exception):
    """The file is missing or of another format; the message says how to build it."""


@dataclass(frozen=True, slots=True)
class District:
    """A former district (until 30/6/2025)."""

    code: str
    name: str
    kind: str
    former_province: str
    province: str  # code of the province that its land is in now


@dataclass(frozen=True, slots=True)
class Province:
    """A province of today or, with ``successor`` set, one of the 63 that ended on 30/6/2025."""

    code: str
    name: str
    successor: str = ""
    changes: tuple[tuple[date, str], ...] = ()  # (valid from, name since then)

    def name_on(self, day: date | None) -> str:
        """The name on that day; the newest without a day."""
        known = [name for since, name in self.changes if day is None or since <= day]
        return known[-1] if known else self.name


@dataclass(frozen=True, slots=True)
class ShownUnit:
    """A line of ``show``: one version of a unit, what it came from and what it became."""

    unit: Unit
    decree: str
    came_from: tuple[str, ...]
    became: tuple[str, ...]
    is_split: bool


class Gazetteer:
    """Read-only after loading, so that threads may share it. Communes and old wards are numbered inside."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.provinces = {
            code: Province(code, name, changes=tuple((date.fromisoformat(day), new) for day, new in _pairs(changes)))
            for code, name, changes in data["provinces"]
        }
        self.former_provinces = {code: Province(code, name, new) for code, name, new in data["former_provinces"]}
        self.districts = tuple(
            District(code, name, split_kind(name)[0], province, self.former_provinces[province].successor)
            for code, name, province, _aliases in data["districts"]
        )
        self.old_units, self.old_districts, self.links = self._load_old(data["old"])
        self.new_versions, self.decrees = self._load_new(data["new"], data["versions"])
        self.old_sizes_km = [row[6] for row in data["old"]]
        self.new_sizes_km = [row[4] for row in data["new"]]
        self.sources: tuple[tuple[int, ...], ...] = self._invert_links()
        self._new_numbers = {versions[0].code: number for number, versions in enumerate(self.new_versions)}
        self._old_numbers = {unit.code: number for number, unit in enumerate(self.old_units) if unit.code}
        self.new_districts = tuple(frozenset(self.old_districts[old] for old in olds) for olds in self.sources)
        self._district_news = self._communes_by_district()
        self.index = build_index(self, data)
        # The first one to four letters of every key: most words of a message open no name and are left at once.
        self.openings = frozenset(key[:length] for key in self.index for length in range(1, 5))
        self._names_by_district: dict[int, Names] = {}
        self._names_by_province: dict[str, Names] = {}
        self._district_names: Names = {}
        self._group_names()

    # Looking up

    def unit(self, code: str, valid_from: date | None = None) -> Unit | None:
        """One version by its key; without ``valid_from`` the newest unit that carries the code."""
        versions = self.versions(code)
        if valid_from is None:
            return versions[-1] if versions else None
        return next((version for version in versions if version.valid_from == valid_from), None)

    def current_units(
        self, code: str, as_of: date | None = None, *, valid_from: date | None = None
    ) -> tuple[Unit, ...]:
        """The units in force on that day that hold the land of ``code``: one, or several where it was split.

        A code is reused with a new meaning: without ``valid_from`` the unit that carries it on that day counts.
        """
        carried = [unit for unit in self.versions(code) if _in_force(unit, as_of)]
        if carried and valid_from in (None, *(unit.valid_from for unit in carried)):
            return (self._named_on(carried[-1], as_of),)
        if (old := self._old_numbers.get(code)) is not None and (as_of is None or as_of >= REORGANISED_ON):
            return tuple(self.new_unit(number, as_of) for number in self.links[old])
        number = self._new_numbers.get(code)
        if number is None:
            return ()
        if as_of is not None and as_of < REORGANISED_ON:
            return tuple(self.old_units[old] for old in self.sources[number])
        return (self.new_unit(number, as_of),)

    def new_unit(self, number: int, as_of: date | None = None) -> Unit:
        """The version of the commune of today with that number which is in force on ``as_of``."""
        versions = self.new_versions[number]
        known = [version for version in versions if as_of is None or version.valid_from <= as_of]
        return self._named_on((known or versions)[-1], as_of)

    def number_of(self, code: str) -> int | None:
        """The number of the commune of today that carries the code."""
        return self._new_numbers.get(code)

    def old_number_of(self, code: str) -> int | None:
        """The number of the old ward that carried the code until 30/6/2025."""
        return self._old_numbers.get(code)

    def district_communes(self, district: int) -> tuple[int, ...]:
        """The numbers of the communes of today that hold land of a former district."""
        return self._district_news[district]

    def former_units(self, code: str) -> tuple[Unit, ...]:
        """The old wards (30/6/2025) whose land, or part of it, went into the commune of today."""
        number = self._new_numbers.get(code)
        return () if number is None else tuple(self.old_units[old] for old in self.sources[number])

    def is_split(self, old_number: int) -> bool:
        """The land of the old ward went to several communes; only its people know to which."""
        return len(self.links[old_number]) > 1

    def decree(self, unit: Unit) -> str:
        """The resolution that made this version, "" where the source names none."""
        return self.decrees.get((unit.code, unit.valid_from), "")

    def communes_of_district(self, district: int, as_of: date | None = None) -> tuple[Unit, ...]:
        """What a former district holds today, or its wards when ``as_of`` lies before the reorganisation."""
        if as_of is not None and as_of < REORGANISED_ON:
            return tuple(
                unit
                for unit, own in zip(self.old_units, self.old_districts, strict=True)
                if own == district and unit.code
            )
        return tuple(self.new_unit(number, as_of) for number in self._district_news[district])

    def communes_of_province(self, code: str, as_of: date | None = None) -> tuple[Unit, ...]:
        """The communes of a province of today."""
        numbers = (n for n, versions in enumerate(self.new_versions) if versions[0].province_code == code)
        return tuple(self.new_unit(number, as_of) for number in numbers)

    def communes_of_area(self, name: str, as_of: date | None = None) -> tuple[Unit, ...]:
        """The communes of a district or province by name: "Thị xã Sa Pa", "Sa Pa", "Lào Cai"."""
        kind, short = split_kind(name)
        entries = [
            entry
            for entry in self.lookup(short)
            if entry.level != COMMUNE and not entry.is_initials and (not kind or entry.kind == kind)
        ]
        districts = [number for entry in entries for number in entry.districts]
        if districts and kind != "tinh":
            found = {unit.code: unit for number in districts for unit in self.communes_of_district(number, as_of)}
            return tuple(found.values())
        provinces = dict.fromkeys(entry.province for entry in entries)
        return tuple(unit for code in provinces for unit in self.communes_of_province(code, as_of))

    def lookup(self, name: str) -> tuple[Entry, ...]:
        """Every place of that name, however its accents and spaces are written."""
        return self.index.get(number_key(folded_key(name)), ())

    def names_in_districts(self, districts: frozenset[int]) -> Names:
        """Folded name → entries of the communes in these former districts, for misspelt names."""
        if len(districts) == 1:
            return self._names_by_district.get(next(iter(districts)), {})
        merged: Names = {}
        for district in districts:
            for name, entries in self._names_by_district.get(district, {}).items():
                merged[name] = [*merged.get(name, ()), *entries]
        return merged

    def names_in_province(self, code: str) -> Names:
        """Folded name → entries of the communes in a province of today, for misspelt names."""
        return self._names_by_province.get(code, {})

    def district_names(self) -> Names:
        """Folded name → entries of the former districts."""
        return self._district_names

    def describe(self, unit: Unit, *, limit: int = 6) -> str:
        """How a citizen reads it: "Phường Sa Pa (gồm Phường Sa Pả … cũ)" or "Xã Mường Hoa cũ, nay là …"."""
        if unit.valid_to is not None and unit.valid_from < REORGANISED_ON:
            became = [new.name for new in self.current_units(unit.code, valid_from=unit.valid_from)]
            return f"{unit.name} cũ, nay là {' hoặc '.join(became)}" if became else f"{unit.name} cũ"
        former = [old.name for old in self.former_units(unit.code) if old.name != unit.name]
        if not former:
            return unit.name
        more = " …" if len(former) > limit else ""
        return f"{unit.name} (gồm {', '.join(former[:limit])}{more} cũ)"

    # Loading

    def _load_old(self, rows: list[list[Any]]) -> tuple[list[Unit], list[int], list[tuple[int, ...]]]:
        units, own, links = [], [], []
        until = REORGANISED_ON - timedelta(days=1)
        for code, name, district_number, targets, lat, lon, _size in rows:
            district = self.districts[district_number]
            former = district.former_province
            label = name or district.name  # five island districts had no wards
            place = (intern(district.name), former, intern(self.former_provinces[former].name))
            units.append(Unit(code, SNAPSHOT_FROM, until, label, split_kind(label)[0], *place, lat, lon))
            own.append(district_number)
            links.append(tuple(targets))
        return units, own, links

    def _load_new(
        self, rows: list[list[Any]], versions: list[list[list[str]]]
    ) -> tuple[list[tuple[Unit, ...]], dict[tuple[str, date], str]]:
        loaded, decrees = [], {}
        for (code, province, lat, lon, _size), named in zip(rows, versions, strict=True):
            starts = [date.fromisoformat(day) for day, _name, _decree in named]
            ends = [start - timedelta(days=1) for start in starts[1:]] + [None]
            units = []
            for start, end, (_day, name, decree) in zip(starts, ends, named, strict=True):
                province_name = intern(self.provinces[province].name_on(end))
                units.append(Unit(code, start, end, name, split_kind(name)[0], None, province, province_name, lat, lon))
                decrees[code, start] = intern(decree)
            loaded.append(tuple(units))
        return loaded, decrees

    def _invert_links(self) -> tuple[tuple[int, ...], ...]:
        sources: list[list[int]] = [[] for _ in self.new_versions]
        for old, targets in enumerate(self.links):
            for new in targets:
                sources[new].append(old)
        return tuple(tuple(olds) for olds in sources)

    def _communes_by_district(self) -> tuple[tuple[int, ...], ...]:
        found: list[dict[int, None]] = [{} for _ in self.districts]
        for new, districts in enumerate(self.new_districts):
            for district in districts:
                found[district][new] = None
        return tuple(tuple(numbers) for numbers in found)

    def _group_names(self) -> None:
        for name, entries in self.index.items():
            communes = [entry for entry in entries if entry.level == COMMUNE and len(name) >= 4]
            for entry in communes:
                for district in entry.districts:
                    self._names_by_district.setdefault(district, {}).setdefault(name, []).append(entry)
                self._names_by_province.setdefault(entry.province, {}).setdefault(name, []).append(entry)
            districts = [entry for entry in entries if entry.level == DISTRICT and not entry.is_initials]
            if districts:
                self._district_names[name] = districts

    def versions(self, code: str) -> list[Unit]:
        """Every unit that ever carried the code, oldest first."""
        old = self._old_numbers.get(code)
        new = self._new_numbers.get(code)
        versions = [self.old_units[old]] if old is not None else []
        return versions + (list(self.new_versions[new]) if new is not None else [])

    def _named_on(self, unit: Unit, day: date | None) -> Unit:
        """The unit with the name that its province had on that day: three became cities in 2026."""
        province = self.provinces.get(unit.province_code)
        if province is None or not province.changes or unit.district is not None:
            return unit
        name = province.name_on(day)
        return unit if name == unit.province else replace(unit, province=name)


def load_gazetteer(path: Path) -> Gazetteer:
    """Read what ``gazetteer_build.build`` wrote; raises GazetteerUnusable."""
    try:
        data = json.loads(gzip.decompress(path.read_bytes()))
    except FileNotFoundError as error:
        raise GazetteerUnusable(f"{path} is missing; build it first (make)") from error
    except (OSError, EOFError, ValueError) as error:
        raise GazetteerUnusable(f"{path} can't be read; build it again (make)") from error
    if data.get("format") != FORMAT:
        raise GazetteerUnusable(f"{path} has format {data.get('format')}, {FORMAT} is needed; build it again (make)")
    return Gazetteer(data)


def show(gazetteer: Gazetteer, name_or_code: str) -> list[ShownUnit]:
    """Every unit of that name or code, old and new, with where it came from and what it became; newest first."""
    name = name_or_code.strip()
    is_code = name.isdigit() and len(name) == 5
    units = gazetteer.versions(name) if is_code else _units_named(gazetteer, name)
    shown = [_shown(gazetteer, unit) for unit in units]
    return sorted(shown, key=lambda row: (row.unit.valid_from, row.unit.code), reverse=True)


def _units_named(gazetteer: Gazetteer, name: str) -> list[Unit]:
    kind, short = split_kind(name)
    found: dict[tuple[str, date, str], Unit] = {}
    for entry in gazetteer.lookup(short):
        if entry.level != COMMUNE or (kind and entry.kind and entry.kind != kind):
            continue
        units = [entry.former] if entry.former else [gazetteer.old_units[old] for old in entry.olds]
        if entry.is_new:
            units = [version for number in entry.news for version in gazetteer.new_versions[number]]
        for unit in units:
            found.setdefault((unit.code, unit.valid_from, unit.name), unit)
    return list(found.values())


def _shown(gazetteer: Gazetteer, unit: Unit) -> ShownUnit:
    if unit.valid_from >= REORGANISED_ON:
        came_from = tuple(old.label for old in gazetteer.former_units(unit.code))
        return ShownUnit(unit, gazetteer.decree(unit), came_from, (), False)
    became = gazetteer.current_units(unit.code, valid_from=unit.valid_from) if unit.code else ()
    return ShownUnit(unit, "", (), tuple(new.label for new in became), len(became) > 1)


def _pairs(flat: list[str]) -> list[tuple[str, str]]:
    return list(zip(flat[::2], flat[1::2], strict=True))


def _in_force(unit: Unit, day: date | None) -> bool:
    if day is None:
        return unit.valid_to is None
    return unit.valid_from <= day and (unit.valid_to is None or day <= unit.valid_to)
