"""Every way to name a commune, a district or a province, under the keys by which a text is looked up."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from sys import intern
from typing import TYPE_CHECKING, Any

from nlp.gazetteer_keys import accented_key, folded_key, name_keys, number_key, split_kind
from nlp.place_tables import read_table
from nlp.results import Unit

if TYPE_CHECKING:
    from nlp.gazetteer import Gazetteer, Province

COMMUNE, DISTRICT, PROVINCE, LANDMARK = "commune", "district", "province", "landmark"
LONG_AGO = date(1900, 1, 1)  # first day of names whose own first day we don't know


@dataclass(frozen=True, slots=True)
class Entry:
    """One way to name one place; what the index of names leads to."""

    level: str
    name: str  # without the kind: "Sa Pa"
    kind: str
    accented: str  # accented key, "" where only the folded name is known
    news: tuple[int, ...]  # numbers of the communes of today
    olds: tuple[int, ...]  # numbers of the old wards
    districts: frozenset[int]
    former_provinces: frozenset[str]
    province: str
    is_new: bool = False  # the name of a commune of today
    is_alias: bool = False  # a spelling or a name that ended before the snapshot of 30/6/2025
    is_initials: bool = False
    word: int = 0  # 2: also a dictionary word with these accents, 1: only without accents
    former: Unit | None = None  # the unit that carried a name which ended before 30/6/2025


def build_index(gazetteer: "Gazetteer", data: dict[str, Any]) -> dict[str, tuple[Entry, ...]]:
    entries: defaultdict[str, list[Entry]] = defaultdict(list)
    words: dict[str, int] = data["words"]
    hand_made = {folded_key(split_kind(row[0])[1]) for row in read_table("former_names.tsv")}
    for made in (
        _new_entries(gazetteer, words),
        _old_entries(gazetteer, words),
        _alias_entries(gazetteer, data["aliases"], hand_made),
        _former_entries(gazetteer),
        _spelling_entries(gazetteer),
        _landmark_entries(gazetteer),
        _district_entries(gazetteer, data["districts"]),
        _province_entries(gazetteer),
        _short_area_entries(gazetteer),
    ):
        for key, entry in made:
            entries[intern(key)].append(entry)
    return {key: tuple(found) for key, found in entries.items()}


Made = Iterable[tuple[str, Entry]]


def _commune_entry(
    gazetteer: "Gazetteer",
    name: str,
    kind: str,
    olds: tuple[int, ...],
    news: tuple[int, ...],
    words: dict[str, int] | None = None,
    *,
    is_new: bool = False,
) -> Entry:
    """An entry for a name of old wards; districts and provinces follow from them."""
    districts = frozenset([gazetteer.old_districts[old] for old in olds])
    former = frozenset([gazetteer.districts[district].former_province for district in districts])
    province = gazetteer.new_versions[news[0]][0].province_code
    accented = intern(accented_key(name))
    word = words.get(accented, 0) if words else 0
    return Entry(COMMUNE, name, kind, accented, news, olds, districts, former, province, is_new, word=word)


def _new_entries(gazetteer: "Gazetteer", words: dict[str, int]) -> Made:
    for number, versions in enumerate(gazetteer.new_versions):
        kind, name = split_kind(versions[-1].name)
        entry = _commune_entry(gazetteer, name, kind, gazetteer.sources[number], (number,), words, is_new=True)
        yield _index_key(name), entry
        if " - " in name:  # "Phường Lâm Viên - Đà Lạt" is called Lâm Viên
            short = name.split(" - ")[0]
            yield _index_key(short), replace(entry, name=short, accented=accented_key(short), is_alias=True)


def _old_entries(gazetteer: "Gazetteer", words: dict[str, int]) -> Made:
    for number, unit in enumerate(gazetteer.old_units):
        if not unit.code:
            continue
        kind, name = split_kind(unit.name)
        entry = _commune_entry(gazetteer, name, kind, (number,), gazetteer.links[number], words)
        for key in name_keys(name):
            yield key, entry


def _alias_entries(gazetteer: "Gazetteer", aliases: list[list[Any]], hand_made: set[str]) -> Made:
    """Names that ended in 2019–24. The source has them without accents and spaces only."""
    olds_of: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for name, kind, old in aliases:
        if name not in hand_made:
            olds_of[name, kind].append(old)
    for (name, kind), olds in olds_of.items():
        for old in olds:
            base = _commune_entry(gazetteer, name, kind, (old,), gazetteer.links[old])
            yield name, replace(base, accented="", is_alias=True)


def _former_entries(gazetteer: "Gazetteer") -> Made:
    """Our own table of names before 2020, with accents and with every old ward that has a part of the land."""
    for name, district, codes, ended in read_table("former_names.tsv"):
        olds = tuple(_old_number(gazetteer, code) for code in codes.split(","))
        news = tuple(dict.fromkeys(new for old in olds for new in gazetteer.links[old]))
        kind, short = split_kind(name)
        base = _commune_entry(gazetteer, short, kind, olds, news)
        first = gazetteer.old_units[olds[0]]
        until = date.fromisoformat(ended) - timedelta(days=1)
        unit = Unit("", LONG_AGO, until, name, kind, district, first.province_code, first.province)
        yield _index_key(short), replace(base, is_alias=True, former=unit)


def _spelling_entries(gazetteer: "Gazetteer") -> Made:
    for name, places in read_table("spellings.tsv"):
        for place in places.split(","):
            layer, code = place.split(":")
            number = _new_number(gazetteer, code) if layer == "new" else _old_number(gazetteer, code)
            olds = gazetteer.sources[number] if layer == "new" else (number,)
            news = (number,) if layer == "new" else gazetteer.links[number]
            base = _commune_entry(gazetteer, name, "", olds, news)
            yield _index_key(name), replace(base, is_new=layer == "new", is_alias=True)


def _landmark_entries(gazetteer: "Gazetteer") -> Made:
    for name, code in read_table("landmarks.tsv"):
        number = _new_number(gazetteer, code)
        entry = _commune_entry(gazetteer, name, "", gazetteer.sources[number], (number,))
        yield _index_key(name), replace(entry, level=LANDMARK)


def _district_entry(gazetteer: "Gazetteer", number: int, name: str) -> Entry:
    district = gazetteer.districts[number]
    news = gazetteer.district_communes(number)
    return Entry(
        DISTRICT, name, district.kind, intern(accented_key(name)), news, (), frozenset((number,)),
        frozenset((district.former_province,)), district.province,
    )  # fmt: skip


def _district_entries(gazetteer: "Gazetteer", rows: list[list[Any]]) -> Made:
    for number, (_code, name, _province, aliases) in enumerate(rows):
        short = split_kind(name)[1]
        yield _index_key(short), _district_entry(gazetteer, number, short)
        for alias in aliases:
            kind, rest = _split_folded_kind(alias)
            if kind and rest != folded_key(short):
                entry = replace(_district_entry(gazetteer, number, rest), accented="", kind=kind, is_alias=True)
                yield number_key(rest), entry


_DISTRICT_ALIAS = {"huyen": "huyen", "thanhpho": "thanh_pho", "thixa": "thi_xa", "quan": "quan"}


def _split_folded_kind(alias: str) -> tuple[str, str]:
    """ "huyentaytra" → ("huyen", "taytra")."""
    folded = folded_key(alias)
    for prefix, kind in _DISTRICT_ALIAS.items():
        if folded.startswith(prefix) and len(folded) > len(prefix):
            return kind, folded[len(prefix) :]
    return "", folded


def _province_entry(gazetteer: "Gazetteer", province: "Province", name: str) -> Entry:
    """``news`` stays empty: a province is never offered as a list of buttons."""
    code = province.successor or province.code
    former = (
        frozenset((province.code,))
        if province.successor
        else frozenset(old.code for old in gazetteer.former_provinces.values() if old.successor == code)
    )
    kind = split_kind(province.name_on(None))[0]
    return Entry(
        PROVINCE, name, kind, intern(accented_key(name)), (), (), frozenset(), former, code,
        is_new=not province.successor,
    )  # fmt: skip


def _province_entries(gazetteer: "Gazetteer") -> Made:
    for province in (*gazetteer.provinces.values(), *gazetteer.former_provinces.values()):
        short = split_kind(province.name)[1]
        yield _index_key(short), _province_entry(gazetteer, province, short)


def _short_area_entries(gazetteer: "Gazetteer") -> Made:
    """ "TPHCM", "Sài Gòn", "KT" = Kon Tum: our own table."""
    provinces = (*gazetteer.provinces.values(), *gazetteer.former_provinces.values())
    for what, written, names, initials in read_table("areas.tsv"):
        for name in names.split("|"):
            made = [_province_entry(gazetteer, p, written) for p in provinces if what == PROVINCE and p.name == name]
            made += [
                _district_entry(gazetteer, number, written)
                for number, district in enumerate(gazetteer.districts)
                if what == DISTRICT and district.name == name
            ]
            if not made:
                raise ValueError(f"areas.tsv names {name!r}, which no unit is called; correct the table")
            for entry in made:
                yield _index_key(written), replace(entry, is_alias=True, is_initials=initials == "yes")


def _index_key(name: str) -> str:
    return number_key(folded_key(name))


def _old_number(gazetteer: "Gazetteer", code: str) -> int:
    number = gazetteer.old_number_of(code)
    if number is None:
        raise ValueError(f"{code} was no ward on 30/6/2025; correct the table of names")
    return number


def _new_number(gazetteer: "Gazetteer", code: str) -> int:
    number = gazetteer.number_of(code)
    if number is None:
        raise ValueError(f"{code} is no commune of today; correct the table of names")
    return number
