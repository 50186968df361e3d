"""Finds reports of the same trouble: who may be compared at all, how alike two reports are, what speaks against.

Measured: word cosine plus half a token-set score; WRatio and sentence
vectors see "the same kind of trouble", not "the same place". Nothing here merges: the sender or an officer decides.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache

from rapidfuzz import fuzz

from nlp.gazetteer_keys import strip_accents
from nlp.pins import distance_m
from nlp.place_tables import read_table, read_words
from nlp.results import PlaceWords

ASK_SCORE = 0.36  # from here on the sender is asked "cùng sự việc này?"
TOKEN_SET_WEIGHT = 0.5
DEFAULT_RADIUS_M = 100.0
SAME_STREET_M = 400.0  # without points nearer than this a shared street still makes two reports comparable
KILOMETRE_SLACK = 0.3
RECENT_DAYS = 84  # open, or closed within twelve weeks: later it is a recurrence

COMMUNE_WIDE = math.inf

# What the place adds to alike words, and what another kind of trouble at the same place takes away.
SAME_SPOT, SAME_HOUSE, SAME_LANE, SAME_STREET, OTHER_STREET = 0.35, 0.15, 0.15, 0.08, -0.15
SAME_OUTAGE, OUTAGE_DAYS = 0.12, 2  # no water, power or signal in one commune within days
OTHER_KIND, OTHER_HAMLET, NO_POINT = -0.30, -0.12, -0.05

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What of a report is compared; ``words`` without accents, since half of the senders type none."""

    key: str
    words: tuple[str, ...]
    subfield: str
    fields: frozenset[str]  # the field and a likely second one
    subfields: frozenset[str]  # the subfield and a likely second one
    commune: str
    day: date
    point: tuple[float, float] | None = None  # latitude, longitude
    house_number: str = ""
    lane: str = ""
    kilometre: float | None = None
    street: str = ""
    hamlet: str = ""
    is_danger: bool = False


@dataclass(frozen=True, slots=True)
class PairScore:
    """How alike two reports are, in [0, 1], or the reason why they can't be one trouble."""

    score: float
    veto: str = ""  # "house number", "lane", "kilometre", "distance", "commune", "time", "field"
    distance_m: float | None = None

    @property
    def is_candidate(self) -> bool:
        return not self.veto and self.score >= ASK_SCORE


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A report that may be the same trouble."""

    key: str
    score: float
    distance_m: float | None


@dataclass(slots=True)
class WordWeights:
    """Inverse document frequencies, learned from texts of the same town: "ổ gà" says little, "mầm non Hoa Ban" much."""

    documents: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    def learn(self, texts: Iterable[str]) -> "WordWeights":
        """Count more texts; returns itself."""
        for text in texts:
            self.documents += 1
            self.counts.update(set(words_of(text)))
        return self

    def weight(self, word: str) -> float:
        """Smoothed idf; 1.0 for every word while nothing is learned."""
        return math.log((1 + self.documents) / (1 + self.counts[word])) + 1.0


def words_of(text: str) -> tuple[str, ...]:
    """Lower-case words without accents and without those that every report has; digits stay."""
    empty = _empty_words()
    return tuple(word for word in _WORD.findall(strip_accents(text.lower())) if word not in empty)


def fingerprint(
    key: str,
    text: str,
    *,
    field_code: str,
    subfield: str,
    commune: str,
    day: date,
    other_field: str | None = None,
    other_subfield: str | None = None,
    point: tuple[float, float] | None = None,
    place: PlaceWords | None = None,
    is_danger: bool = False,
) -> Fingerprint:
    """What is compared of a report; ``text`` with restored accents where the sender typed none."""
    place = place or PlaceWords()
    return Fingerprint(
        key,
        words_of(text),
        subfield,
        frozenset(code for code in (field_code, other_field) if code),
        frozenset(code for code in (subfield, other_subfield) if code),
        commune,
        day,
        point,
        _plain(place.house_number),
        _plain(place.lane),
        _kilometre(place.kilometre),
        street_key(place.street),
        _plain(place.hamlet),
        is_danger,
    )


def radius_m(subfield: str) -> float:
    """How far apart two reports of one trouble of this kind may lie; infinite where the whole commune counts."""
    return _radii().get(subfield, DEFAULT_RADIUS_M)


def street_key(street: str) -> str:
    """ "đường Hoàng Liên", "Hoang Lien" → "hoanglien"."""
    folded = strip_accents(street.lower())
    return re.sub(r"[\W_]+", "", re.sub(r"^\s*(?:duong pho|duong|pho|dai lo)\s+", "", folded))


def score_pair(one: Fingerprint, other: Fingerprint, weights: WordWeights | None = None) -> PairScore:
    """Half a token-set score plus word cosine, scaled to [0, 1]; a veto where they can't be one trouble."""
    apart = distance_m(*one.point, *other.point) if one.point and other.point else None
    veto = _veto(one, other, apart)
    if veto:
        return PairScore(0.0, veto, apart)
    alike = TOKEN_SET_WEIGHT * fuzz.token_set_ratio(" ".join(one.words), " ".join(other.words)) / 100
    alike += _cosine(one.words, other.words, weights or WordWeights())
    score = alike / (1 + TOKEN_SET_WEIGHT)
    return PairScore(round(min(1.0, score + _nearness(one, other, apart)), 4), distance_m=apart)


def find_duplicates(
    new: Fingerprint, candidates: Iterable[Fingerprint], *, weights: WordWeights | None = None, limit: int = 3
) -> list[Duplicate]:
    """The likeliest first; empty where none reaches the score to ask at. Dangers are never offered for merging."""
    if new.is_danger:
        return []
    found = []
    for candidate in candidates:
        if candidate.key == new.key or candidate.is_danger:
            continue
        pair = score_pair(new, candidate, weights)
        if pair.is_candidate:
            found.append(Duplicate(candidate.key, pair.score, pair.distance_m))
    return sorted(found, key=lambda duplicate: (-duplicate.score, duplicate.key))[:limit]


def _veto(one: Fingerprint, other: Fingerprint, apart_m: float | None) -> str:
    if one.fields.isdisjoint(other.fields):
        return "field"
    if abs((one.day - other.day).days) > RECENT_DAYS:
        return "time"
    if one.house_number and other.house_number and one.house_number != other.house_number and _same_street(one, other):
        return "house number"
    if one.lane and other.lane and one.lane != other.lane:
        return "lane"
    if (
        one.kilometre is not None
        and other.kilometre is not None
        and abs(one.kilometre - other.kilometre) > KILOMETRE_SLACK
    ):
        return "kilometre"
    return _far_apart(one, other, apart_m)


def _far_apart(one: Fingerprint, other: Fingerprint, apart_m: float | None) -> str:
    radius = max(radius_m(one.subfield), radius_m(other.subfield))
    same_commune = one.commune == other.commune
    if apart_m is None:
        return "" if same_commune or not (one.commune and other.commune) else "commune"
    if radius == COMMUNE_WIDE:
        return "" if same_commune or apart_m <= 1000 else "commune"
    if apart_m <= radius:
        return ""
    same_named_street = bool(one.street) and one.street == other.street
    return "" if same_named_street and apart_m <= max(radius, SAME_STREET_M) else "distance"


def _same_street(one: Fingerprint, other: Fingerprint) -> bool:
    return not (one.street and other.street) or one.street == other.street


def _nearness(one: Fingerprint, other: Fingerprint, apart_m: float | None) -> float:
    """What the place adds to alike words: the same house, lane or kilometre, the same spot, the same street."""
    if one.subfields.isdisjoint(other.subfields):
        return OTHER_KIND  # two troubles at one place share its name and its point
    bonus = 0.0
    if one.hamlet and other.hamlet and one.hamlet != other.hamlet:
        bonus += OTHER_HAMLET
    if one.house_number and one.house_number == other.house_number:
        bonus += SAME_HOUSE
    if (one.lane and one.lane == other.lane) or (one.kilometre is not None and other.kilometre is not None):
        bonus += SAME_LANE
    if one.street and other.street:
        bonus += SAME_STREET if one.street == other.street else OTHER_STREET
    radius = max(radius_m(one.subfield), radius_m(other.subfield))
    if radius == COMMUNE_WIDE and abs((one.day - other.day).days) <= OUTAGE_DAYS:
        bonus += SAME_OUTAGE
    if apart_m is None:
        return bonus + NO_POINT
    return bonus + SAME_SPOT * max(0.0, 1 - apart_m / min(radius, 300.0))


def _cosine(one: Sequence[str], other: Sequence[str], weights: WordWeights) -> float:
    left, right = Counter(one), Counter(other)
    values = {word: weights.weight(word) for word in left.keys() | right.keys()}
    dot = sum(left[word] * right[word] * values[word] ** 2 for word in left.keys() & right.keys())
    norms = math.sqrt(_square(left, values) * _square(right, values))
    return dot / norms if norms else 0.0


def _square(counts: Counter[str], values: dict[str, float]) -> float:
    return sum((count * values[word]) ** 2 for word, count in counts.items())


def _plain(words: str) -> str:
    return re.sub(r"[\s,.]+", " ", strip_accents(words.lower())).strip()


def _kilometre(words: str) -> float | None:
    """ "Km12+300" → 12.3."""
    match = re.search(r"km\W*(\d+)(?:\s*([+.,])\s*(\d+))?", words.lower())
    if match is None:
        return None
    whole, sign, rest = match.groups()
    if not rest:
        return float(whole)
    return int(whole) + int(rest) / (1000 if sign == "+" else 10 ** len(rest))


@cache
def _empty_words() -> frozenset[str]:
    """Words that every report has; with them all reports look alike."""
    return read_words("duplicate_words.tsv", "empty")


@cache
def _radii() -> dict[str, float]:
    rows = read_table("duplicate_radius.tsv")
    return {subfield: COMMUNE_WIDE if radius == "commune" else float(radius) for subfield, radius in rows}
