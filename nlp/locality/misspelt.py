"""Finds a misspelt commune, only among the names of the district or province in play."""

from collections.abc import Iterable

from rapidfuzz import process
from rapidfuzz.distance import OSA

from nlp.gazetteer import Gazetteer, Names
from nlp.gazetteer_entries import DISTRICT, PROVINCE, Entry
from nlp.locality.cues import COMMUNE_KINDS, DISTRICT_KINDS, UNIT_KINDS, Cues
from nlp.locality.mentions import AreaMention, Mention, attached_areas
from nlp.locality.tokens import JOINED, SOFT, Tokens

MISSPELT = -0.6  # per edit
_LONGEST = 5  # tokens
_MOST_TRIES = 24  # places where a misspelt name may start; keeps the time bounded


def find_misspelt(
    gazetteer: Gazetteer, tokens: Tokens, cues: Cues, areas: list[AreaMention], province: str, *, good: dict[int, int]
) -> list[tuple[Mention, float]]:
    """Mentions after a type word, or right before a district, that no name matches exactly, with their penalty.

    ``good`` are the stretches (start → end) that are good names already; only a longer one may replace them.
    """
    found = []
    for start in list(_typed_starts(tokens, cues))[:_MOST_TRIES]:
        end = good.get(start, 0)
        if end and not goes_on(tokens, cues, end):
            continue
        made = _typed(gazetteer, tokens, cues, areas, province, start, end)
        if made is not None:
            found.append(made)
    if not found and not good:
        found = [made for area in areas if (made := _before_area(gazetteer, tokens, cues, area))]
    return found


def misspelt_districts(gazetteer: Gazetteer, tokens: Tokens, cues: Cues, areas: list[AreaMention]) -> list[AreaMention]:
    """ "huyện Bát Xắt", "h. Văn Bànn": a district after its type word that no name matches exactly."""
    found = []
    for start in list(cues.before)[:_MOST_TRIES]:
        kind, _at = cues.unit_kind(start)
        if kind not in DISTRICT_KINDS or any(area.start == start for area in areas) or start >= len(tokens):
            continue
        best = _closest(tokens, cues, start, gazetteer.district_names(), len(tokens))
        if best is not None and best[1] == 1 and len(best[2]) == 1:
            end, _edits, entries = best
            found.append(_district(start, end, entries))
    return found


def _district(start: int, end: int, entries: tuple[Entry, ...]) -> AreaMention:
    only = entries[0]
    return AreaMention(
        start,
        end,
        DISTRICT,
        is_typed=True,
        is_initials=False,
        is_capital=False,
        districts=only.districts,
        former_provinces=only.former_provinces,
        entries=entries,
        provinces=frozenset((only.province,)),
    )


def _typed_starts(tokens: Tokens, cues: Cues) -> Iterable[int]:
    for start in sorted(cues.before):
        if start < len(tokens) and cues.unit_kind(start)[0] in COMMUNE_KINDS:
            yield start


def _typed(
    gazetteer: Gazetteer,
    tokens: Tokens,
    cues: Cues,
    areas: list[AreaMention],
    province: str,
    start: int,
    known_end: int,
) -> tuple[Mention, float] | None:
    kind, _at = cues.unit_kind(start)
    probe = Mention(start, start + 1, (), kind)
    beside = attached_areas(tokens, probe, [area for area in areas if area.start > start or area.end <= start])
    limit = min((area.start for area in beside if area.start > start), default=len(tokens))
    if known_end and (not beside or known_end >= limit):
        return None
    for names, edits_allowed in _scopes(gazetteer, beside or areas, province, has_area=bool(beside)):
        best = _closest(tokens, cues, start, names, limit, edits_allowed, known_end)
        if best is not None:
            end, edits, entries = best
            return Mention(start, end, entries, kind), MISSPELT * edits
    return None


def _scopes(
    gazetteer: Gazetteer, areas: list[AreaMention], province: str, *, has_area: bool
) -> Iterable[tuple[Names, int]]:
    districts = frozenset().union(*(area.districts for area in areas if area.level == DISTRICT and not area.is_capital))
    if districts and len(districts) < 12:
        yield gazetteer.names_in_districts(districts), 2
    provinces = frozenset().union(
        *(area.provinces for area in areas if area.level == PROVINCE and not area.is_initials)
    )
    for code in provinces:
        yield gazetteer.names_in_province(code), 2 if has_area else 1
    if not areas and province:
        yield gazetteer.names_in_province(province), 1


def goes_on(tokens: Tokens, cues: Cues, index: int) -> bool:
    """The phrase continues at the token: no comma before it, and no cue begins there."""
    return index < len(tokens) and tokens.gaps[index] == JOINED and not cues.after.get(index)


def _closest(
    tokens: Tokens,
    cues: Cues,
    start: int,
    names: Names,
    limit: int,
    edits_allowed: int = 1,
    known_end: int = 0,
) -> tuple[int, int, tuple[Entry, ...]] | None:
    """(end, edits, entries) of the window whose text is nearest to one name; None if none or two are equally near."""
    best: tuple[float, int, int, str] | None = None
    is_tied = False
    key = accented = ""
    for end in range(start, min(start + _LONGEST, limit)):
        if end > start and tokens.gaps[end] != JOINED:
            break
        key += tokens.folded[end]
        accented += tokens.accented[end]
        if len(key) < 4 or end < known_end:
            continue
        left_over = 0.6 if end + 1 < limit and goes_on(tokens, cues, end + 1) else 0.0
        allowed = edits_allowed if len(key) > 6 else 1
        for name, edits in _near(key, names, allowed):
            cost = (
                edits + left_over + 0.3 * min(OSA.distance(accented, entry.accented or name) for entry in names[name])
            )
            if best is None or cost < best[0] - 0.01:
                best, is_tied = (cost, edits, end + 1, name), False
            elif abs(cost - best[0]) <= 0.01 and name != best[3]:
                is_tied = True
    if best is None or is_tied:
        return None
    return best[2], best[1], tuple(names[best[3]])


def _near(key: str, names: Names, allowed: int) -> list[tuple[str, int]]:
    found = process.extract(key, names.keys(), scorer=OSA.distance, score_cutoff=allowed, limit=4)
    return [(name, int(edits)) for name, edits, _index in found]


def _before_area(gazetteer: Gazetteer, tokens: Tokens, cues: Cues, area: AreaMention) -> tuple[Mention, float] | None:
    """ "lặm mười, văn chấn": the tokens right before a district, without a type word."""
    if area.level != DISTRICT or len(area.districts) > 3 or area.is_initials or area.is_capital:
        return None
    stop = area.start
    if area.is_typed:
        _kind, stop = cues.unit_kind(area.start)
    names = gazetteer.names_in_districts(area.districts)
    for start in range(max(0, stop - 4), stop - 1):
        if tokens.gaps[stop] > SOFT or any(gap != JOINED for gap in tokens.gaps[start + 1 : stop]):
            continue
        if cues.kinds_at(start) & UNIT_KINDS:
            continue
        key = "".join(tokens.folded[start:stop])
        near = _near(key, names, 1) if len(key) >= 6 else []
        if len(near) == 1:
            return Mention(start, stop, tuple(names[near[0][0]])), MISSPELT * near[0][1]
    return None
