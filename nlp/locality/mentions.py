"""Finds every stretch of a message that may name a commune, a district or a province."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate

from nlp.gazetteer import Gazetteer
from nlp.gazetteer_entries import COMMUNE, DISTRICT, PROVINCE, Entry
from nlp.gazetteer_keys import folded_key
from nlp.locality.cues import COMMUNE_KINDS, DISTRICT_KINDS, PROVINCE_KINDS, Cues
from nlp.locality.tokens import HARD, JOINED, Tokens

LONGEST_NAME = 6  # tokens
_TWO_SYLLABLES = re.compile(r"[aeiou][^aeiou]+[aeiou]")
_LONGEST_KEY = 26  # characters
_MOST_MENTIONS, _MOST_AREAS = 40, 12  # a report that names more is no report; keeps the time bounded


@dataclass(slots=True)
class Mention:
    """Tokens ``start:end`` and the entries whose name they may be."""

    start: int
    end: int
    entries: tuple[Entry, ...]
    kind: str = ""  # the kind of unit named right before it
    is_inside: bool = False  # part of a longer name

    @property
    def is_typed_commune(self) -> bool:
        return self.kind in COMMUNE_KINDS


@dataclass(slots=True, eq=False)
class AreaMention:
    """A district or province in the text: what it proves and how surely."""

    start: int
    end: int
    level: str
    is_typed: bool
    is_initials: bool  # "KT", or a street's name ("Điện Biên Phủ"): proves, never disproves
    is_capital: bool  # "Quảng Ngãi" without a type word: the province rather than its city
    districts: frozenset[int]
    former_provinces: frozenset[str]
    entries: tuple[Entry, ...]
    provinces: frozenset[str] = field(default_factory=frozenset)

    def agrees(self, entry: Entry) -> bool:
        if self.level == DISTRICT:
            return not self.districts.isdisjoint(entry.districts)
        return not self.former_provinces.isdisjoint(entry.former_provinces)


def find_mentions(gazetteer: Gazetteer, tokens: Tokens, cues: Cues) -> list[Mention]:
    """All stretches that are in the index of names, in the order of the text."""
    index, openings = gazetteer.index, gazetteer.openings
    folded, gaps, count = tokens.folded, tokens.gaps, len(tokens)
    inner = cues.inside_unit_words()
    found = []
    for start in range(count):
        if folded[start][:4] not in openings or start in inner:  # "thành [phố Huế]"
            continue
        key = ""
        for end in range(start, min(start + LONGEST_NAME, count)):
            if end > start and gaps[end] != JOINED:
                break
            key += folded[end]
            if key[:4] not in openings or len(key) > _LONGEST_KEY:
                break
            if entries := index.get(key):
                kind, _kind_start = cues.unit_kind(start)
                if end > start or _may_stand_alone(tokens, start, kind):
                    found.append(Mention(start, end + 1, entries, kind))
    _untype_districts(found, cues)
    _mark_inner(found, tokens)
    if len(found) > _MOST_MENTIONS:
        found = sorted(sorted(found, key=lambda mention: not mention.kind)[:_MOST_MENTIONS], key=lambda m: m.start)
    return found


def _may_stand_alone(tokens: Tokens, index: int, kind: str) -> bool:
    """One token names a place after a kind of unit ("P.12"), glued ("Pleiku") or in capitals ("TPHCM", "KT")."""
    token = tokens.folded[index]
    if kind or _TWO_SYLLABLES.search(token):
        return True
    return tokens.upper[index] and token.isalpha()


def _untype_districts(mentions: list[Mention], cues: Cues) -> None:
    """ "phu xa cao loc" is Phú Xá in the district of Cao Lộc; its "xa" is no type word."""
    for mention in mentions:
        districts = [entry for entry in mention.entries if entry.level == DISTRICT]
        if not (districts and mention.is_typed_commune):
            continue
        _kind, word_at = cues.unit_kind(mention.start)
        for before in mentions:
            if before.end == mention.start and before.start < word_at and _lies_in(before, districts):
                mention.kind = ""


def _lies_in(mention: Mention, districts: list[Entry]) -> bool:
    own = frozenset().union(*(district.districts for district in districts))
    return any(entry.level == COMMUNE and not entry.districts.isdisjoint(own) for entry in mention.entries)


def _mark_inner(mentions: list[Mention], tokens: Tokens) -> None:
    for mention in mentions:
        mention.is_inside = any(
            other.start <= mention.start
            and mention.end <= other.end
            and other.end - other.start > mention.end - mention.start
            and _fits(tokens, other)
            for other in mentions[:_MOST_MENTIONS]
        )


def _fits(tokens: Tokens, mention: Mention) -> bool:
    return any(accent_fit(tokens, mention, entry)[1] == 0 for entry in mention.entries)


def accent_fit(tokens: Tokens, mention: Mention, entry: Entry) -> tuple[int, int]:
    """(letters of the name that lack their accent in the text, letters that carry another one)."""
    if not entry.accented:
        return 0, 0
    written = "".join(tokens.accented[mention.start : mention.end])
    if written == entry.accented:
        return 0, 0
    if len(written) != len(entry.accented):  # "03" for "3", "IV" for "4"
        return 0, 0
    missing = wrong = 0
    for char, expected in zip(written, entry.accented, strict=True):
        if char != expected:
            if (char.isascii() and char != "d") or (char == "d" and expected == "đ"):
                missing += 1
            else:
                wrong += 1
    return missing, wrong


def cuts_agree(tokens: Tokens, mention: Mention, entry: Entry) -> bool:
    """The text has its spaces where the name has them: "chưa thay" is not "Chư A Thai"; glued or "K Bang" may be."""
    count = mention.end - mention.start
    if not entry.accented:
        return True
    allowed = _cuts(entry.name)
    if count == 1:  # "kimsơn" may be glued, "chưa" is not "Chư Á"
        token = tokens.folded[mention.start]
        return len(allowed) == 1 or bool(_TWO_SYLLABLES.search(token)) or tokens.capital[mention.start]
    if count < len(allowed) and not (mention.kind and all(tokens.capital[mention.start : mention.end])):
        return False
    position = 0
    for index in range(mention.start, mention.end - 1):
        position += len(tokens.folded[index])
        if position not in allowed and len(tokens.folded[index]) > 1:
            return False
    return True


@lru_cache(maxsize=4_000)
def _cuts(name: str) -> frozenset[int]:
    lengths = [len(folded_key(part)) for part in re.split(r"[\s'’\-–]+", name)]
    return frozenset(accumulate(lengths))


def find_areas(tokens: Tokens, cues: Cues, mentions: Iterable[Mention]) -> list[AreaMention]:
    """The districts and provinces among the mentions; a longer name wins over one inside it."""
    areas: list[AreaMention] = []
    for mention in mentions:
        if mention.is_typed_commune or mention.is_inside:
            continue
        for level, kinds in ((DISTRICT, DISTRICT_KINDS), (PROVINCE, PROVINCE_KINDS)):
            if mention.kind and mention.kind not in kinds:
                continue
            entries = tuple(
                entry for entry in mention.entries if entry.level == level and _is_meant(tokens, cues, mention, entry)
            )
            if level == PROVINCE and mention.kind == "thanh_pho" and areas and areas[-1].start == mention.start:
                entries = tuple(entry for entry in entries if entry.kind == "thanh_pho" or entry.is_alias)
            if entries:
                areas.append(_area(mention, level, entries, is_street_name=mention.start in cues.street_names))
    return areas[:_MOST_AREAS]


def _is_province(mention: Mention) -> bool:
    return any(entry.level == PROVINCE and not entry.is_initials for entry in mention.entries)


def _area(mention: Mention, level: str, entries: tuple[Entry, ...], *, is_street_name: bool) -> AreaMention:
    if level == DISTRICT:  # "Thị xã Long Mỹ" and "Huyện Long Mỹ" were two
        entries = tuple(entry for entry in entries if entry.kind == mention.kind) or entries
    return AreaMention(
        mention.start,
        mention.end,
        level,
        bool(mention.kind),
        all(entry.is_initials for entry in entries) or (is_street_name and level == DISTRICT and not mention.kind),
        level == DISTRICT and not mention.kind and _is_province(mention),
        frozenset().union(*(entry.districts for entry in entries)),
        frozenset().union(*(entry.former_provinces for entry in entries)),
        entries,
        frozenset(entry.province for entry in entries),
    )


def _is_meant(tokens: Tokens, cues: Cues, mention: Mention, entry: Entry) -> bool:
    _missing, wrong = accent_fit(tokens, mention, entry)
    if mention.kind:
        return wrong <= 1
    if entry.is_initials:
        # "KT" and "BĐ" count in capitals only, and not after a street word
        return tokens.upper[mention.start] or (tokens.capital[mention.start] and mention.end - mention.start > 1)
    if wrong or entry.name.isdigit() or (mention.end - mention.start == 1 and len(tokens.folded[mention.start]) < 4):
        return False
    if cues.street_names.get(mention.start, 0) > mention.end:  # "Điện Biên" of "Điện Biên Phủ"
        return False
    return cues.street.get(mention.start, 0.0) < 1.0


def attached_areas(tokens: Tokens, mention: Mention, areas: list[AreaMention]) -> list[AreaMention]:
    """The areas that belong to the name: "Bản Hồ, thị xã Sa Pa, Lào Cai", else those right before it."""
    right = _chain(tokens, areas, mention.end)
    if any(area.level == DISTRICT for area in right):
        return right
    left = [
        area
        for area in areas
        if area.end <= mention.start
        and mention.start - area.end <= 3
        and HARD not in tokens.gaps[area.end : mention.start + 1]
    ]
    return right + left[-2:]


def _chain(tokens: Tokens, areas: list[AreaMention], end: int) -> list[AreaMention]:
    chain: list[AreaMention] = []
    reach = 4
    for area in areas:
        if area.start < end and not (chain and area.start == chain[-1].start):
            continue
        if area.start - end > reach or HARD in tokens.gaps[end : area.start + 1]:
            break
        chain.append(area)
        end = max(end, area.end)
    return chain


def communes_in(mention: Mention) -> tuple[Entry, ...]:
    """The entries that are communes, unless the word before says that it is a district or a province."""
    if mention.kind and not mention.is_typed_commune:
        return ()
    return tuple(entry for entry in mention.entries if entry.level == COMMUNE)
