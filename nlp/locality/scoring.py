"""Weighs what speaks for and against a commune: an additive score, each part with its reason."""

from dataclasses import dataclass
from functools import cache

from nlp.gazetteer import Gazetteer
from nlp.gazetteer_entries import DISTRICT, PROVINCE, Entry
from nlp.gazetteer_keys import accented_key, folded_key
from nlp.locality.cues import UNIT_KINDS, Cues
from nlp.locality.mentions import AreaMention, Mention, accent_fit, attached_areas, cuts_agree
from nlp.locality.tokens import JOINED, Tokens
from nlp.place_tables import read_table
from nlp.results import Context

NAME, LONG_NAME = 1.0, 0.2
ACCENTS_EXACT, ACCENTS_PARTLY, ACCENTS_LACKING, ACCENTS_LACKING_BARE = 0.6, 0.2, -0.4, -1.0
ACCENT_WRONG, ACCENTS_WRONG = -0.8, -1.7
SPACES_WRONG = -2.5
ONE_SYLLABLE, ONE_SYLLABLE_GOES_ON = -0.3, -0.6
TYPE_EXACT, TYPE_OTHER, TYPE_OF_NAMESAKE = 1.5, 1.1, 0.3
WELL_ACCENTED = 0.6  # share of words with accents from which on a missing accent means something
DISTRICT_BESIDE, DISTRICT_MAYBE, DISTRICT_FAR = 1.5, 0.5, 0.6
DISTRICT_AGAINST, DISTRICT_AGAINST_WEAK = -2.0, -1.0
PROVINCE_BESIDE, PROVINCE_FAR, PROVINCE_AGAINST, PROVINCE_AGAINST_WEAK = 0.8, 0.4, -2.0, -1.5
FAR_AGAINST = -0.6
HOME_PROVINCE, OTHER_PROVINCE, HOME_PROVINCE_BESIDE_AREA = 1.0, -1.0, 0.3
PILOT, LAST_COMMUNE, NAMED_TODAY = 0.4, 0.4, 0.1
PLACE_WORD, OFFICE_WORD, INCIDENT_WORD, HOME_WORD = 0.4, 0.3, 0.2, -1.2
LANDMARK_WORD, HAMLET_WORD, STREET_NAME, HOUSE_NUMBER = -0.5, -1.2, -0.7, -0.8
STOP_PHRASE, DICTIONARY_WORD = -2.0, -0.6
CAPITALS, LOWER_CASE, ALONE, OPENS = 0.3, -0.5, 0.8, 0.3
BEGINS_WITH_CUE, UNKNOWN_ACCENTS = -0.6, -0.4
INSIDE_LONGER, ALSO_DISTRICT, ALSO_PROVINCE = -1.2, -1.5, -2.0
OLD_STYLE, SAID_FORMER, SAID_FORMER_OF_NEW = 0.5, 0.6, -0.4


_CUES_LIKE_NAMES = UNIT_KINDS | {"street"}


@dataclass(slots=True)
class Message:
    """All that was found in one message before names are weighed."""

    tokens: Tokens
    cues: Cues
    mentions: list[Mention]
    areas: list[AreaMention]
    context: Context
    has_capitals: bool


@dataclass(slots=True)
class Scene:
    """What stands around one mention; the same for all its entries."""

    base: float
    reasons: tuple[str, ...]
    beside: list[AreaMention]
    far: list[AreaMention]
    says_former: bool
    says_recent: bool
    is_old_style: bool


def look_around(message: Message, mention: Mention) -> Scene:
    """Everything about the surroundings of a mention that doesn't depend on which unit is meant."""
    tokens, cues = message.tokens, message.cues
    own = [area for area in message.areas if area.end <= mention.start or mention.end <= area.start]
    beside = attached_areas(tokens, mention, own)
    far = [area for area in own if area not in beside]
    kinds, first = _kinds_around(cues, mention)
    after = cues.kinds_at(mention.end)
    reasons: list[str] = []
    base = NAME + (LONG_NAME if mention.end - mention.start > 2 else 0.0)
    base += _from_words(message, mention, kinds, reasons)
    if _says_home(message, first):
        base += HOME_WORD
        reasons.append("home")
    if mention.end - mention.start >= len(tokens) - 2 and len(tokens) <= 6:
        base += ALONE
    elif mention.start == 0 or first == 0:
        base += OPENS if mention.end < len(tokens) and tokens.gaps[mention.end] != JOINED else 0.0
    if mention.end - mention.start == 1 and len(tokens.folded[mention.start]) < 5:
        goes_on = mention.end < len(tokens) and tokens.gaps[mention.end] == JOINED and not cues.after.get(mention.end)
        base += ONE_SYLLABLE_GOES_ON if goes_on and not tokens.folded[mention.start].isdigit() else ONE_SYLLABLE
    if mention.is_inside:
        base += INSIDE_LONGER
    return Scene(
        base,
        tuple(reasons),
        beside,
        far,
        "former" in after,
        "recent" in after,
        any(area.level == DISTRICT and area.is_typed for area in beside),
    )


def _kinds_around(cues: Cues, mention: Mention) -> tuple[frozenset[str], int]:
    """Cues before the name, seen through its type word: "tại xã Tả Van" → place; and where all that starts."""
    kinds = cues.kinds_before(mention.start)
    first = mention.start
    if mention.kind:
        _kind, first = cues.unit_kind(mention.start)
        kinds = kinds | cues.kinds_before(first)
    return kinds, first


def _says_home(message: Message, first: int) -> bool:
    """ "Tôi nhà ở xã …": right before the name or one cue farther ("em ở bên …")."""
    cues = message.cues
    for start, kinds in cues.before.get(first, ()):
        if "home" in kinds:
            return True
        if "place" in kinds and any("home" in more for _start, more in cues.before.get(start, ())):
            return True
    return False


def _from_words(message: Message, mention: Mention, kinds: frozenset[str], reasons: list[str]) -> float:
    tokens, cues = message.tokens, message.cues
    total = 0.0
    if "place" in kinds:
        total += PLACE_WORD
    if "incident" in kinds:
        total += INCIDENT_WORD
    if "office" in kinds:
        total += OFFICE_WORD
    if mention.kind:
        return total
    if "landmark" in kinds and "office" not in kinds:
        total += LANDMARK_WORD
        reasons.append("landmark")
    if "hamlet" in kinds:
        total += HAMLET_WORD
        reasons.append("hamlet")
    if street := cues.street.get(mention.start, 0.0):
        total -= street
        reasons.append("street")
    elif mention.start in cues.street_names:
        total += STREET_NAME
    if mention.start and tokens.lower[mention.start - 1].isdigit() and tokens.gaps[mention.start] == JOINED:
        hamlet = mention.start > 1 and "hamlet" in cues.kinds_before(mention.start - 1)
        total += PLACE_WORD if hamlet else HOUSE_NUMBER
    if tokens.accent_share < 0.3 and cues.kinds_at(mention.start) & _CUES_LIKE_NAMES:
        total += BEGINS_WITH_CUE  # "tinh minh" is "tỉnh mình" before it is Tịnh Minh
    if message.has_capitals:
        capitals = all(tokens.capital[mention.start : mention.end])
        total += CAPITALS if capitals else LOWER_CASE
    return total


def weigh(message: Message, mention: Mention, scene: Scene, entry: Entry) -> tuple[float, tuple[str, ...]]:
    """The score of one entry at one mention, with the reasons that ``explain`` shows."""
    reasons = [f"name={entry.name}", *scene.reasons]
    total = scene.base
    total += _from_accents(message, mention, entry, reasons)
    if mention.kind:
        total += _from_type(mention, entry)
        reasons.append(f"type={mention.kind}")
    total += _from_areas(scene, entry, reasons)
    total += _from_context(message, scene, entry, reasons)
    if not mention.kind:
        total += _against_words(message, mention, entry, scene)
        total += _against_areas(mention, entry)
    if entry.is_new:
        total += NAMED_TODAY + (SAID_FORMER_OF_NEW if scene.says_former else 0.0) + (0.3 if scene.says_recent else 0.0)
    else:
        total += (SAID_FORMER if scene.says_former else 0.0) + (OLD_STYLE if scene.is_old_style else 0.0)
    return total, tuple(reasons)


def _from_type(mention: Mention, entry: Entry) -> float:
    """ "xã Khánh Yên" and "thị trấn Khánh Yên" are two; a wrong type word is only forgiven where there is one."""
    if entry.kind in (mention.kind, ""):
        return TYPE_EXACT
    is_namesake = any(other.kind == mention.kind and other.province == entry.province for other in mention.entries)
    return TYPE_OF_NAMESAKE if is_namesake else TYPE_OTHER


def _from_accents(message: Message, mention: Mention, entry: Entry, reasons: list[str]) -> float:
    if not entry.accented and not mention.kind:
        return UNKNOWN_ACCENTS
    missing, wrong = accent_fit(message.tokens, mention, entry)
    if not cuts_agree(message.tokens, mention, entry):
        reasons.append("spaces differ")
        return SPACES_WRONG
    if wrong:
        reasons.append("accents differ")
        return ACCENT_WRONG if wrong == 1 and mention.kind else ACCENTS_WRONG
    written = "".join(message.tokens.accented[mention.start : mention.end])
    if not missing:
        if written.isascii():
            return 0.2 if message.tokens.accent_share > 0.5 and entry.accented else 0.0
        return ACCENTS_EXACT if entry.accented else ACCENTS_PARTLY
    if message.tokens.accent_share > WELL_ACCENTED:
        return ACCENTS_LACKING if mention.kind else ACCENTS_LACKING_BARE
    return 0.0 if written.isascii() else ACCENTS_PARTLY


def _from_areas(scene: Scene, entry: Entry, reasons: list[str]) -> float:
    total = 0.0
    for level in (DISTRICT, PROVINCE):
        beside = [area for area in scene.beside if area.level == level]
        if beside:
            total += _from_beside(scene, level, beside, entry, reasons)
        else:
            total += _from_far(level, [area for area in scene.far if area.level == level], entry)
    return total


def _from_beside(scene: Scene, level: str, areas: list[AreaMention], entry: Entry, reasons: list[str]) -> float:
    agreeing = [area for area in areas if area.agrees(entry)]
    if agreeing:
        reasons.append(f"{level}={agreeing[0].entries[0].name}")
        if level == PROVINCE:
            return PROVINCE_BESIDE
        return DISTRICT_MAYBE if all(area.is_capital for area in agreeing) else DISTRICT_BESIDE
    # "Thành phố Bắc Ninh" is the former city or, since 2026, the province: where one fits, the other says nothing.
    fitting = {area.start for area in scene.beside if area.level != level and area.agrees(entry)}
    areas = [area for area in areas if not (area.is_initials or area.is_capital) and area.start not in fitting]
    if not areas:
        return 0.0
    typed = any(area.is_typed for area in areas)
    if level == DISTRICT:
        return DISTRICT_AGAINST if typed else DISTRICT_AGAINST_WEAK
    return PROVINCE_AGAINST if typed else PROVINCE_AGAINST_WEAK


def _from_far(level: str, areas: list[AreaMention], entry: Entry) -> float:
    if any(area.agrees(entry) for area in areas):
        return DISTRICT_FAR if level == DISTRICT else PROVINCE_FAR
    return FAR_AGAINST if any(area.is_typed for area in areas) else 0.0


def _from_context(message: Message, scene: Scene, entry: Entry, reasons: list[str]) -> float:
    context = message.context
    total = 0.0
    has_area = any(not (area.is_initials or area.is_capital) for area in scene.beside)
    if context.province_code:
        if entry.province == context.province_code:
            total += HOME_PROVINCE_BESIDE_AREA if has_area else HOME_PROVINCE
            reasons.append("province served")
        elif not has_area:
            total += OTHER_PROVINCE
    return total


def _against_words(message: Message, mention: Mention, entry: Entry, scene: Scene) -> float:
    """A bare "thống nhất" or "trung tam" is a word before it is a commune, unless it is all that is said."""
    if any(area.level == DISTRICT and area.agrees(entry) for area in scene.beside):
        return 0.0
    if mention.end - mention.start == len(message.tokens):
        return 0.0
    if message.has_capitals and all(message.tokens.capital[mention.start : mention.end]):
        return 0.0  # "An Toàn" is a name, "An toàn" opens a sentence
    bare = message.tokens.accent_share < 0.3
    accented, folded = _stop_keys()
    strength = accented.get(entry.accented) or (folded.get(folded_key(entry.name)) if bare else None)
    if strength is not None:
        is_place = strength != "thing" and "place" in message.cues.kinds_before(mention.start)
        return STOP_PHRASE / 2 if is_place else STOP_PHRASE
    return DICTIONARY_WORD if entry.word == 2 or (bare and entry.word) else 0.0


def _against_areas(mention: Mention, entry: Entry) -> float:
    """ "Sa Pa" alone is the town, "Quảng Ngãi" alone the province: no ward is made of them."""
    if any(other.level == PROVINCE and not other.is_initials for other in mention.entries):
        return ALSO_PROVINCE
    same = (other for other in mention.entries if other.level == DISTRICT and not other.is_initials)
    return ALSO_DISTRICT if any(other.province == entry.province for other in same) else 0.0


def prior(gazetteer: Gazetteer, context: Context, number: int) -> float:
    """The area served and the sender's last commune, both weak. ``number``: of a commune of today."""
    code = gazetteer.new_versions[number][0].code
    return (PILOT if code in context.pilot_codes else 0.0) + (LAST_COMMUNE if code == context.last_commune else 0.0)


@cache
def _stop_keys() -> tuple[dict[str, str], dict[str, str]]:
    """Accented key → strength, folded key → strength; "thing" is a place in itself ("ở trung tâm")."""
    rows = read_table("stop_phrases.tsv")[1:]
    accented = {accented_key(phrase): strength or "word" for phrase, strength in rows}
    return accented, {folded_key(phrase): strength or "word" for phrase, strength in rows}
