"""Decides which commune a message means: candidates from every mention, weighed, ranked, taken or asked about."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from nlp.gazetteer import REORGANISED_ON, Gazetteer
from nlp.gazetteer_entries import COMMUNE, DISTRICT, LANDMARK, PROVINCE, Entry
from nlp.gazetteer_keys import kind_word
from nlp.locality.cues import Cues
from nlp.locality.mentions import AreaMention, Mention, accent_fit, communes_in, cuts_agree, find_areas, find_mentions
from nlp.locality.misspelt import find_misspelt, misspelt_districts
from nlp.locality.scoring import Message, look_around, prior, weigh
from nlp.locality.tokens import Tokens, tokenize
from nlp.locality.words import find_words
from nlp.results import Area, Context, Locality, Normalized, PlaceAction, PlaceCandidate, PlaceWords, Unit

ACCEPT_SCORE = 2.2  # below it a name is only asked about
ASK_SCORE = 1.0  # below it a name is no place
MARGIN = 1.0  # between two readings of the same words (measured: 99.5 % precise)
MARGIN_ELSEWHERE = 0.5  # between two places that the message names apart
TOLD_TWICE = 0.5  # "xã Thành An cũ, nay thuộc phường An Khê"
MOST_CANDIDATES = 5
MISSPELT_ASK = 1.5  # a misspelt name without a type word or district is asked about

_REPAIRS_OF_LETTERS = frozenset({"keys", "typo", "repeat"})  # steps of the normaliser that mend a word


@dataclass(slots=True)
class _Reading:
    """One way to read one mention: this entry, hence this unit of the day that counts."""

    key: tuple[bool, int]  # (is an old ward, number)
    score: float
    mention: Mention
    entry: Entry
    reasons: tuple[str, ...]


def resolve_place(
    gazetteer: Gazetteer, text: str, *, context: Context | None = None, repaired: Normalized | None = None
) -> Locality:
    """The commune that the text means on ``context.as_of``; offsets point into ``text``, which is the original.

    ``repaired`` is further evidence: where the text as typed names no commune, its repairs are read too.
    A split old ward, an ambiguous name or a district alone is never guessed: action ASK.
    """
    context = context or Context()
    found = _resolve(gazetteer, text, tokenize(text), context)
    if repaired is None or found.best is not None:
        return found
    replacements = _repairs(repaired)
    if not replacements:
        return found
    again = _resolve(gazetteer, text, tokenize(text, replacements=replacements), context)
    return again if again.best is not None else found


def read_words(text: str) -> PlaceWords:
    """House number, street, lane, kilometre, landmark and hamlet alone, where no commune is looked for."""
    tokens = tokenize(text)
    cues = Cues(tokens)
    cues.mark_streets(set())
    return find_words(text, tokens, cues)


def _repairs(repaired: Normalized) -> dict[int, str]:
    """Start in the original → what the normaliser made of a word typed wrong; restored accents are guesses."""
    return {
        change.start: change.after
        for change in repaired.changes
        if change.step in _REPAIRS_OF_LETTERS and change.after and " " not in change.after
    }


def _resolve(gazetteer: Gazetteer, text: str, tokens: Tokens, context: Context) -> Locality:
    cues = Cues(tokens)
    mentions = find_mentions(gazetteer, tokens, cues)
    cues.mark_streets({index for mention in mentions for index in range(mention.start + 1, mention.end)})
    areas = find_areas(tokens, cues, mentions)
    areas += misspelt_districts(gazetteer, tokens, cues, areas)
    areas.sort(key=lambda area: area.start)
    message = Message(tokens, cues, mentions, areas, context, _has_capitals(tokens))
    readings = _read_mentions(gazetteer, message)
    readings += _read_misspelt(gazetteer, message, readings)
    ranked = _rank(gazetteer, context, readings)
    area = _named_area(gazetteer, message, text)
    locality = _decide(gazetteer, message, text, ranked, area)
    return replace(locality, words=find_words(text, tokens, cues))


def _has_capitals(tokens: Tokens) -> bool:
    """Upper case says something here: some words have it inside the text, most have not."""
    inner = [tokens.capital[i] for i in range(1, len(tokens)) if not tokens.gaps[i]]
    return any(inner) and sum(inner) * 2 < len(inner)


def _read_mentions(gazetteer: Gazetteer, message: Message) -> list[_Reading]:
    readings: list[_Reading] = []
    for mention in message.mentions:
        entries = communes_in(mention)
        if entries:
            scene = look_around(message, mention)
            for entry in entries:
                score, reasons = weigh(message, mention, scene, entry)
                if score >= ASK_SCORE - 0.5:
                    readings += _readings(message.context.as_of, score, mention, entry, reasons)
    return readings


def _read_misspelt(gazetteer: Gazetteer, message: Message, readings: list[_Reading]) -> list[_Reading]:
    good = {reading.mention.start: reading.mention.end for reading in readings if reading.score >= ACCEPT_SCORE}
    found: list[_Reading] = []
    exact = {mention.start: mention.end for mention in message.mentions if mention.kind and communes_in(mention)}
    guesses = find_misspelt(
        gazetteer, message.tokens, message.cues, message.areas, message.context.province_code, good=good
    )
    for mention, penalty in guesses:
        scene = look_around(message, mention)
        for entry in mention.entries:
            if entry.level != COMMUNE or (not penalty and not cuts_agree(message.tokens, mention, entry)):
                continue
            score, reasons = weigh(message, mention, scene, replace(entry, accented=""))
            if not scene.beside:
                score -= MISSPELT_ASK
            if exact.get(mention.start, 0) >= mention.end:  # the name as written exists, if elsewhere
                score = min(score, ACCEPT_SCORE - 0.1 - penalty)
            found += _readings(message.context.as_of, score + penalty, mention, entry, (*reasons, "misspelt"))
    return [reading for reading in found if reading.score >= ASK_SCORE]


def _readings(
    as_of: date | None, score: float, mention: Mention, entry: Entry, reasons: tuple[str, ...]
) -> Iterable[_Reading]:
    """One reading for every unit that the name means on that day: several where the land was split."""
    if as_of is not None and as_of < REORGANISED_ON:
        if entry.is_new:
            return []
        return [_Reading((True, old), score, mention, entry, reasons) for old in entry.olds]
    return [_Reading((False, new), score, mention, entry, reasons) for new in entry.news]


def _rank(gazetteer: Gazetteer, context: Context, readings: list[_Reading]) -> list[_Reading]:
    """The best reading of each unit, best first; a unit named twice gains."""
    best: dict[tuple[bool, int], _Reading] = {}
    twice: set[tuple[bool, int]] = set()
    for reading in readings:
        known = best.get(reading.key)
        if known is None:
            best[reading.key] = reading
            continue
        if _apart(known.mention, reading.mention) and min(known.score, reading.score) >= ASK_SCORE:
            twice.add(reading.key)
        if reading.score > known.score:
            best[reading.key] = reading
    for key, reading in best.items():
        reading.score += TOLD_TWICE if key in twice else 0.0
        if not key[0] and (context.pilot_codes or context.last_commune):
            reading.score += prior(gazetteer, context, key[1])
    return sorted(best.values(), key=lambda reading: (-reading.score, reading.key))


def _apart(one: Mention, other: Mention) -> bool:
    return one.end <= other.start or other.end <= one.start


def _decide(gazetteer: Gazetteer, message: Message, text: str, ranked: list[_Reading], area: Area | None) -> Locality:
    ranked = [reading for reading in ranked if reading.score >= ASK_SCORE] or _read_landmarks(message)
    if not ranked:
        return _only_area(area)
    best = ranked[0]
    rival = ranked[1] if len(ranked) > 1 else None
    candidates = tuple(_candidate(gazetteer, message, text, reading) for reading in ranked[:MOST_CANDIDATES])
    second = next((r for r in ranked[1:] if _apart(r.mention, best.mention) and r.score >= ACCEPT_SCORE), None)
    is_sure = best.score >= ACCEPT_SCORE
    if rival is not None:
        margin = MARGIN_ELSEWHERE if _apart(rival.mention, best.mention) else MARGIN
        is_sure = is_sure and best.score - rival.score >= margin
    return Locality(
        PlaceAction.ACCEPT if is_sure else PlaceAction.ASK,
        candidates[0],
        candidates,
        area=None if is_sure else area,
        second=_candidate(gazetteer, message, text, second) if second else None,
    )


def _read_landmarks(message: Message) -> list[_Reading]:
    """Landmarks and hamlets of the province served, where no commune is named: only ever offered."""
    found = {
        entry.news[0]: _Reading((False, entry.news[0]), ASK_SCORE, mention, entry, (f"landmark={entry.name}",))
        for mention in message.mentions
        for entry in mention.entries
        if entry.level == LANDMARK
        and entry.province == message.context.province_code
        and accent_fit(message.tokens, mention, entry)[1] == 0
    }
    as_of = message.context.as_of
    return [] if as_of is not None and as_of < REORGANISED_ON else list(found.values())


def _only_area(area: Area | None) -> Locality:
    """No commune is named: the communes of a district are offered, a single one (an island) as the candidate."""
    if area is None or area.kind != DISTRICT:
        return Locality(PlaceAction.NONE, area=area)
    if len(area.communes) != 1:
        return Locality(PlaceAction.ASK, area=area)
    reason = (f"district={area.name}",)
    only = PlaceCandidate(area.communes[0], None, area.name, area.start, area.end, ASK_SCORE, reason)
    return Locality(PlaceAction.ASK, only, (only,), area=area)


def _candidate(gazetteer: Gazetteer, message: Message, text: str, reading: _Reading) -> PlaceCandidate:
    start = message.tokens.starts[reading.mention.start]
    end = message.tokens.ends[reading.mention.end - 1]
    written = text[start:end]
    is_old, number = reading.key
    current = gazetteer.old_units[number] if is_old else gazetteer.new_unit(number, message.context.as_of)
    named = _named(gazetteer, reading, written, current)
    return PlaceCandidate(current, named, written, start, end, round(reading.score, 2), reading.reasons)


def _named(gazetteer: Gazetteer, reading: _Reading, written: str, current: Unit) -> Unit:
    """The unit that carries the name as written: of today, of 2020–25, or one that ended before."""
    entry = reading.entry
    if entry.former is not None:
        return entry.former
    if entry.is_new or entry.level == LANDMARK:
        return current
    old = gazetteer.old_units[entry.olds[0]]
    if not entry.is_alias or not entry.kind:
        return old
    # The source knows this name without accents only, so the sender's own words stand for it.
    name = f"{kind_word(entry.kind)} {' '.join(part[:1].upper() + part[1:] for part in written.split())}"
    return replace(old, code="", name=name, kind=entry.kind, lat=None, lon=None)


def _named_area(gazetteer: Gazetteer, message: Message, text: str) -> Area | None:
    """The district, else the province, that the message names most surely."""
    sure = [
        area for area in message.areas if not (area.is_initials or area.is_capital) and not _is_only_word(message, area)
    ]
    for level in (DISTRICT, PROVINCE):
        found = [area for area in sure if area.level == level]
        if level == DISTRICT:
            found = _of_province(message, found)
        if found:
            return _area(gazetteer, message, text, max(found, key=lambda area: (area.is_typed, -area.start)))
    return None


def _of_province(message: Message, areas: list[AreaMention]) -> list[AreaMention]:
    """ "Châu Thành" is ten districts: those of the province named, else of the province served."""
    named = [area.former_provinces for area in message.areas if area.level == PROVINCE and not area.is_initials]
    known = frozenset().union(*named)
    kept = []
    for area in areas:
        entries = tuple(entry for entry in area.entries if not known or entry.former_provinces & known) or area.entries
        home = tuple(entry for entry in entries if entry.province == message.context.province_code)
        entries = home or entries
        if len({entry.districts for entry in entries}) == 1 and (area.is_typed or home or known):
            kept.append(replace(area, entries=entries))
    return kept


def _is_only_word(message: Message, area: AreaMention) -> bool:
    return not area.is_typed and bool(message.cues.kinds_before(area.start) & {"street", "hamlet"})


def _area(gazetteer: Gazetteer, message: Message, text: str, area: AreaMention) -> Area:
    entry = area.entries[0]
    start, end = message.tokens.starts[area.start], message.tokens.ends[area.end - 1]
    if area.level == PROVINCE:
        name = gazetteer.provinces[entry.province].name_on(message.context.as_of)
        return Area(name, PROVINCE, entry.province, (), start, end)
    number = next(iter(entry.districts))
    communes = gazetteer.communes_of_district(number, message.context.as_of)
    return Area(gazetteer.districts[number].name, DISTRICT, entry.province, communes, start, end)
