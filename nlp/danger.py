"""Danger to life, safety or order: a rule over word patterns, before and above any trained score."""

import tomllib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from nlp.normalize.letters import has_accents, strip_accents
from nlp.normalize.tokens import Kind, Token
from nlp.results import DangerResult
from nlp.talk import log_odds, probability

# Probabilities from which the bell rings, chosen on held-out voices; the list of dangers needs little to confirm it.
RINGS = 0.35
RINGS_BY_LIST = 0.05  # a sure pattern as typed, neither past nor feared
RINGS_ALONE = 0.6  # where no pattern speaks, the trained opinion has to be sure of it,
ALONE_WORDS = 3  # and of more than "sai rồi"
SIGNALS = ("bias", "words", "subject", "sure", "exact", "likely", "past", "feared", "harmless")
_GAP_SIGN = ".."


Row = tuple[tuple[str, str, bool], ...]  # (word, word without accents, accents must be typed) each


@dataclass(frozen=True, slots=True)
class Slot:
    """One place of a pattern: alternatives as word rows, and how many words may stand before it."""

    choices: tuple[Row, ...]  # longest first
    gap: int
    by_start: Mapping[str, tuple[Row, ...]]  # by the plain first word: one of them must be in the message


@dataclass(frozen=True, slots=True)
class Pattern:
    text: str
    slots: tuple[Slot, ...]
    words: int  # literal words; one-word patterns match typed accents only


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the message as the patterns see it."""

    text: str
    plain: str
    typed_accents: bool


@dataclass(frozen=True, slots=True)
class Match:
    kind: str
    pattern: str
    first: int
    last: int
    is_exact: bool = True  # False: the words fit only once accents are ignored


@dataclass(frozen=True, slots=True)
class Alarms:
    """What the table of dangers finds in a message, and what speaks against it."""

    sure: tuple[Match, ...] = ()
    likely: tuple[Match, ...] = ()
    harmless: tuple[Match, ...] = ()
    past: tuple[Match, ...] = ()
    feared: tuple[Match, ...] = ()
    foreign: tuple[Match, ...] = ()

    def signs(self) -> list[float]:
        """Return the part of ``SIGNALS`` that the table decides."""
        exact = any(match.is_exact for match in self.sure)
        found = (self.sure, exact, self.likely, self.past, self.feared, self.harmless)
        return [float(bool(group)) for group in found]


@dataclass(frozen=True, slots=True)
class Opinion:
    """What trained models say about danger: by the words, by the subfields, and how much each signal weighs."""

    words: float  # probability
    subject: float  # share of dangers among reports on the same subjects
    weights: tuple[float, ...]  # of ``SIGNALS``


@dataclass(frozen=True, slots=True)
class DangerReading:
    """The decision with its reasons, for ``explain``."""

    result: DangerResult
    alarms: Alarms
    score: float  # probability of danger now


class PatternSet:
    """Patterns in named groups, indexed by the plain first word, so that a long text stays cheap."""

    def __init__(self, patterns: Sequence[tuple[str, str, str]], *, plain_groups: frozenset[str] = frozenset()) -> None:
        """Take (group, kind, pattern) rows; those of ``plain_groups`` also match words typed without accents."""
        self._by_word: defaultdict[str, list[tuple[str, str, Pattern, bool]]] = defaultdict(list)
        for group, kind, text in patterns:
            pattern = compile_pattern(text)
            may_be_plain = group in plain_groups and pattern.words > 1
            for plain in sorted({row[0][1] for row in pattern.slots[0].choices}):
                self._by_word[plain].append((group, kind, pattern, may_be_plain))

    def find(self, words: Sequence[Word]) -> dict[str, tuple[Match, ...]]:
        """Return the matches of each group."""
        found: defaultdict[str, list[Match]] = defaultdict(list)
        present = {word.plain for word in words}
        any_bare = any(not word.typed_accents for word in words)
        for first, word in enumerate(words):
            for group, kind, pattern, may_be_plain in self._by_word.get(word.plain, ()):
                if any(present.isdisjoint(slot.by_start) for slot in pattern.slots[1:]):
                    continue
                last = _match(pattern, words, first, False)
                is_exact = last >= 0
                if not is_exact and may_be_plain and any_bare:
                    last = _match(pattern, words, first, True)
                if last >= 0:
                    found[group].append(Match(kind, pattern.text, first, last, is_exact))
        return {group: tuple(matches) for group, matches in found.items()}


class DangerRule:
    """The table of ``nlp/data/tables/danger.toml``."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        kinds = table["kinds"]
        self.kinds: tuple[str, ...] = tuple(kinds)
        self._hotlines: dict[str, tuple[str, ...]] = {kind: tuple(row["hotlines"]) for kind, row in kinds.items()}
        rows = [
            (group, kind, text) for kind, row in kinds.items() for group in ("sure", "likely") for text in row[group]
        ]
        rows += [(group, group, text) for group in ("harmless", "past", "feared") for text in table[group]["patterns"]]
        rows += [("foreign", kind, text) for kind, texts in table["foreign"].items() for text in texts]
        self._patterns = PatternSet(rows, plain_groups=frozenset(("sure", "likely")))

    def find(self, tokens: Sequence[Token], *, words: Sequence[Word] | None = None) -> Alarms:
        """Return what the table finds; ``words`` are those of the tokens, where the caller has them already."""
        found = self._patterns.find(words_for_patterns(tokens) if words is None else words)
        harmless, feared = found.get("harmless", ()), found.get("feared", ())
        return Alarms(
            sure=_outside(_outside(found.get("sure", ()), harmless), feared),
            likely=_outside(found.get("likely", ()), harmless),
            harmless=harmless,
            past=found.get("past", ()),
            feared=feared,
            foreign=found.get("foreign", ()),
        )

    def read(
        self, tokens: Sequence[Token], original: str, opinion: Opinion, *, words: Sequence[Word] | None = None
    ) -> DangerReading:
        """Decide from the patterns and the trained opinion, which may confirm or deny what is only likely."""
        alarms = self.find(tokens, words=words)
        now = probability(signals(opinion, alarms), opinion.weights)
        return DangerReading(self._decide(tokens, original, opinion, alarms, now), alarms, now)

    def _decide(
        self, tokens: Sequence[Token], original: str, opinion: Opinion, alarms: Alarms, now: float
    ) -> DangerResult:
        if alarms.foreign:
            return self._result(tokens, original, alarms.foreign[0], rings=True)
        by_list = any(match.is_exact for match in alarms.sure) and not (alarms.past or alarms.feared)
        rings = now >= (RINGS_BY_LIST if by_list else RINGS)
        if not (alarms.sure or alarms.likely):
            rings = now >= RINGS_ALONE and sum(token.kind is Kind.WORD for token in tokens) >= ALONE_WORDS
        if not rings:
            once = probability(signals(opinion, replace(alarms, past=())), opinion.weights)
            if not (alarms.sure and alarms.past and once >= RINGS_BY_LIST):
                return DangerResult(is_danger=False, rings=False)
        found = alarms.sure or alarms.likely
        match = min(found, key=lambda m: (self.kinds.index(m.kind), m.first), default=None)
        if match is None:
            return DangerResult(is_danger=True, rings=rings, kind="other", hotlines=("112", "115"))
        return self._result(tokens, original, match, rings=rings)

    def _result(self, tokens: Sequence[Token], original: str, match: Match, *, rings: bool) -> DangerResult:
        start, end = tokens[match.first].start, tokens[match.last].end
        return DangerResult(
            is_danger=True,
            rings=rings,
            kind=match.kind,
            hotlines=self._hotlines[match.kind],
            words=original[start:end],
            start=start,
            end=end,
        )


def signals(opinion: Opinion, alarms: Alarms) -> list[float]:
    """Return the signals in the order of ``SIGNALS``."""
    return [1.0, log_odds(opinion.words), log_odds(opinion.subject), *alarms.signs()]


def load_danger(path: Path) -> DangerRule:
    with path.open("rb") as file:
        return DangerRule(tomllib.load(file))


def compile_pattern(text: str) -> Pattern:
    """Read "xe ..4 lao|rơi ..3 vực|sông" into slots."""
    slots: list[Slot] = []
    gap = 0
    literals = 0
    for part in text.split():
        if part.startswith(_GAP_SIGN):
            gap = int(part.removeprefix(_GAP_SIGN))
            continue
        rows: list[Row] = []
        for choice in part.split("|"):
            typed = choice.startswith("!")
            words = choice.removeprefix("!").split("_")
            rows.append(tuple((word, strip_accents(word), typed) for word in words))
        rows.sort(key=len, reverse=True)
        literals += min(len(row) for row in rows)
        starts: defaultdict[str, list[Row]] = defaultdict(list)
        for row in rows:
            starts[row[0][1]].append(row)
        slots.append(Slot(tuple(rows), gap, {start: tuple(found) for start, found in starts.items()}))
        gap = 0
    return Pattern(text, tuple(slots), literals)


def words_for_patterns(tokens: Sequence[Token]) -> list[Word]:
    return [_word(token) for token in tokens]


def _word(token: Token) -> Word:
    if token.kind is not Kind.WORD:
        return Word(token.text, token.text, True)
    return _pattern_word(token.text, token.written, token.step)


@lru_cache(maxsize=16384)
def _pattern_word(text: str, written: str, step: str) -> Word:
    typed = has_accents(written) or step in ("keys", "shorthand") or not has_accents(text)
    bare = step == "accent" or (not has_accents(text) and not has_accents(written))
    return Word(text, strip_accents(text), typed and not bare)


def _match(pattern: Pattern, words: Sequence[Word], first: int, may_be_plain: bool) -> int:
    """Return the place of the last matched word, or -1."""
    ends = {first}
    for number, slot in enumerate(pattern.slots):
        following: set[int] = set()
        for end in ends:
            reach = min(end + slot.gap, len(words) - 1) if number else end
            for place in range(end, reach + 1):
                if place > end and number and words[place - 1].text in (".", "?"):
                    break
                for row in slot.by_start.get(words[place].plain, ()):
                    if _row_fits(row, words, place, may_be_plain):
                        following.add(place + len(row))
                        break
        if not following:
            return -1
        ends = following
    return min(ends) - 1


def _row_fits(row: tuple[tuple[str, str, bool], ...], words: Sequence[Word], place: int, may_be_plain: bool) -> bool:
    if place + len(row) > len(words):
        return False
    for offset, (text, plain, typed) in enumerate(row):
        word = words[place + offset]
        if word.text == text and (not typed or word.typed_accents):
            continue
        if may_be_plain and not typed and not word.typed_accents and word.plain == plain:
            continue
        return False
    return True


def _outside(matches: tuple[Match, ...], covers: tuple[Match, ...]) -> tuple[Match, ...]:
    """Drop matches that share a word with a cover."""
    return tuple(m for m in matches if not any(m.first <= c.last and c.first <= m.last for c in covers))
