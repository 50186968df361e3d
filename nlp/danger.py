"""Danger to life, safety or order: a rule over word patterns, before and above any trained score."""

import tomllib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nlp.normalize.letters import has_accents, strip_accents
from nlp.normalize.tokens import Kind, Token
from nlp.results import DangerResult

DENY = 0.12  # below this trained score a "likely" pattern is not believed
DENY_SURE = 0.02  # below this even a "sure" pattern shows no number
ALONE = 0.62  # from this on the trained score rings without a pattern
_GAP_SIGN = ".."


@dataclass(frozen=True, slots=True)
class Slot:
    """One place of a pattern: alternatives as word rows, and how many words may stand before it."""

    choices: tuple[
        tuple[tuple[str, str, bool], ...], ...
    ]  # rows of (word, word without accents, accents must be typed)
    gap: int


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


@dataclass(frozen=True, slots=True)
class DangerReading:
    """The decision with its reasons, for ``explain``."""

    result: DangerResult
    sure: tuple[Match, ...]
    likely: tuple[Match, ...]
    harmless: tuple[Match, ...]
    past: tuple[Match, ...]
    feared: tuple[Match, ...]
    score: float


class PatternSet:
    """Patterns indexed by the plain first word, so that a long text stays cheap."""

    def __init__(self, patterns: Sequence[tuple[str, str]]) -> None:
        self._by_word: defaultdict[str, list[tuple[str, Pattern]]] = defaultdict(list)
        for kind, text in patterns:
            pattern = compile_pattern(text)
            for plain in sorted({row[0][1] for row in pattern.slots[0].choices}):
                self._by_word[plain].append((kind, pattern))

    def find(self, words: Sequence[Word]) -> tuple[Match, ...]:
        found = []
        for first, word in enumerate(words):
            for kind, pattern in self._by_word.get(word.plain, ()):
                last = _match(pattern, words, first)
                if last >= 0:
                    found.append(Match(kind, pattern.text, first, last))
        return tuple(found)


class DangerRule:
    """The table of ``nlp/data/tables/danger.toml``."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        kinds = table["kinds"]
        self.kinds: tuple[str, ...] = tuple(kinds)
        self._hotlines: dict[str, tuple[str, ...]] = {kind: tuple(row["hotlines"]) for kind, row in kinds.items()}
        self._sure = PatternSet([(kind, text) for kind, row in kinds.items() for text in row["sure"]])
        self._likely = PatternSet([(kind, text) for kind, row in kinds.items() for text in row["likely"]])
        self._harmless = PatternSet([("harmless", text) for text in table["harmless"]["patterns"]])
        self._past = PatternSet([("past", text) for text in table["past"]["patterns"]])
        self._feared = PatternSet([("feared", text) for text in table["feared"]["patterns"]])

    def read(self, tokens: Sequence[Token], original: str, score: float) -> DangerReading:
        """Decide; ``score`` is the trained probability of danger, which may confirm or deny what is only likely."""
        words = words_for_patterns(tokens)
        harmless = self._harmless.find(words)
        sure = _outside(self._sure.find(words), harmless)
        likely = _outside(self._likely.find(words), harmless)
        past, feared = self._past.find(words), self._feared.find(words)
        result = self._decide(tokens, original, score, sure, likely, bool(past), feared)
        return DangerReading(result, sure, likely, harmless, past, feared, score)

    def _decide(
        self,
        tokens: Sequence[Token],
        original: str,
        score: float,
        sure: tuple[Match, ...],
        likely: tuple[Match, ...],
        is_past: bool,
        feared: tuple[Match, ...],
    ) -> DangerResult:
        sure = _outside(sure, feared)
        believed = bool(sure) and score >= DENY_SURE
        believed = believed or (bool(likely) and score >= 0.5) or score >= ALONE
        if not believed:
            return DangerResult(is_danger=False, rings=False)
        rings = not is_past or score >= ALONE
        if not rings and not sure:
            return DangerResult(is_danger=False, rings=False)
        match = min(sure or likely, key=lambda m: (self.kinds.index(m.kind), m.first), default=None)
        if match is None:
            return DangerResult(is_danger=True, rings=rings, kind="other", hotlines=("112", "115"))
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
        rows = []
        for choice in part.split("|"):
            typed = choice.startswith("!")
            words = choice.removeprefix("!").split("_")
            rows.append(tuple((word, strip_accents(word), typed) for word in words))
        rows.sort(key=len, reverse=True)
        literals += min(len(row) for row in rows)
        slots.append(Slot(tuple(rows), gap))
        gap = 0
    return Pattern(text, tuple(slots), literals)


def words_for_patterns(tokens: Sequence[Token]) -> list[Word]:
    return [_word(token) for token in tokens]


def _word(token: Token) -> Word:
    if token.kind is not Kind.WORD:
        return Word(token.text, token.text, True)
    typed = has_accents(token.written) or token.step == "keys" or not has_accents(token.text)
    typed = typed or token.step == "shorthand"
    bare = token.step == "accent" or (not has_accents(token.text) and not has_accents(token.written))
    return Word(token.text, strip_accents(token.text), typed and not bare)


def _match(pattern: Pattern, words: Sequence[Word], first: int) -> int:
    """Return the place of the last matched word, or -1."""
    ends = {first}
    for number, slot in enumerate(pattern.slots):
        following: set[int] = set()
        for end in ends:
            reach = min(end + slot.gap, len(words) - 1) if number else end
            for place in range(end, reach + 1):
                if number and any(words[i].text in (".", "?") for i in range(end, place)):
                    break
                for row in slot.choices:
                    if _row_fits(row, words, place, pattern.words > 1 or len(row) > 1):
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
