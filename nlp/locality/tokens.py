"""Cuts a message into tokens that know where they stand in the original text and how they are separated."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from nlp.gazetteer_keys import accented_key, number_key, strip_accents
from nlp.locality.telex import decode_telex

READ_LIMIT = 5_000  # characters; a longer message says its place early, and time stays bounded

JOINED, SOFT, HARD = 0, 1, 2  # space or dash; comma, colon, bracket; end of a sentence or a line

_TOKEN = re.compile(r"\d+|[^\W\d_]+(?:['’ʼ`´][^\W\d_]+)*")
_MAYBE_TELEX = re.compile(r"[sfrxjw]|dd|aa|ee|oo")
_CAMEL = re.compile(r"[A-ZĐ]*[^A-ZĐ]+|[A-ZĐ]+")
_CLUSTER = re.compile("[^\u0300-\u036f][\u0300-\u036f]*|[\u0300-\u036f]+")
_HARD_GAP = re.compile(r"[\n\r!?…。]|\.(?=\s|$)|\.{2,}")
_SOFT_GAP = re.compile(r"[,;:/()\[\]\"“”|+*=<>→]| [-–—] ")
_ABBREVIATION = re.compile(r"(?:x|p|ph|f|tt|tx|tp|h|q|t|đ|d|đg|dg|ql|tl|s)", re.IGNORECASE)


@dataclass(slots=True)
class Tokens:
    """Parallel lists. ``starts`` and ``ends`` point into the original text, ``gaps[i]`` stands before token i."""

    lower: list[str]
    folded: list[str]
    accented: list[str]
    starts: list[int]
    ends: list[int]
    gaps: list[int]
    capital: list[bool]  # starts with a capital letter
    upper: list[bool]  # capitals only, two or more
    accent_share: float  # share of tokens of two letters and more that carry an accent

    def __len__(self) -> int:
        return len(self.lower)


def tokenize(text: str, *, replacements: dict[int, str] | None = None) -> Tokens:
    """Tokens of the text as typed; ``replacements`` (start → repaired token) stand in for single tokens."""
    read = text[:READ_LIMIT]
    composed, offsets = _compose(read)
    words: list[str] = []
    gaps, starts, ends = [], [], []
    last = 0
    for match in _TOKEN.finditer(composed):
        start, end = match.span()
        between = composed[last:start]
        gaps.append(JOINED if between == " " else _gap(between, words[-1] if words else ""))
        words.append(match.group())
        starts.append(start)
        ends.append(end)
        last = end
    if offsets is not None:
        starts = [offsets[start] for start in starts]
        ends = [offsets[end] for end in ends]
    if replacements:
        words = [replacements.get(start, word) for word, start in zip(words, starts, strict=True)]
    lower = _as_meant(words)
    keys = [_keys(word) for word in lower]
    return Tokens(
        lower,
        [folded for folded, _accented in keys],
        [accented for _folded, accented in keys],
        starts,
        ends,
        gaps,
        [word[0].isupper() for word in words],
        [len(word) > 1 and word.isupper() for word in words],
        _accent_share(lower),
    )


@lru_cache(maxsize=20_000)
def _keys(word: str) -> tuple[str, str]:
    """Folded and accented key of a token."""
    accented = accented_key(word)
    return number_key(strip_accents(accented)), accented


def _compose(text: str) -> tuple[str, list[int] | None]:
    """NFC text and, if that changed anything, the original offset of each of its characters and of its end."""
    if unicodedata.is_normalized("NFC", text):
        return text, None
    parts, offsets = [], []
    for cluster in _CLUSTER.finditer(text):
        part = unicodedata.normalize("NFC", cluster.group())
        parts.append(part)
        offsets += [cluster.start()] * len(part)
    return "".join(parts), [*offsets, len(text)]


def _gap(between: str, before: str) -> int:
    if between in (" ", "", "-", "'"):
        return JOINED
    if between.strip() == "." and _ABBREVIATION.fullmatch(before):  # "x. Tả Van", "P.12", "TP. Lào Cai"
        return JOINED
    if _HARD_GAP.search(between):
        return HARD
    return SOFT if _SOFT_GAP.search(between) else JOINED


def _as_meant(words: list[str]) -> list[str]:
    """Lower case; Telex keys left typed ("xax Suwn Tay") become letters, when enough of the text looks like that."""
    lower = [word.lower() for word in words]
    typed = [index for index, word in enumerate(lower) if _MAYBE_TELEX.search(word)]
    if len(typed) * 4 < len(words):
        return lower
    decoded = {
        index: "".join(decode_telex(part.lower()) or part.lower() for part in _CAMEL.findall(word))
        for index in typed
        if (word := words[index]).isascii()
    }
    changed = [index for index, meant in decoded.items() if meant != lower[index]]
    if not changed or len(changed) * 4 < len(words):
        return lower
    return [decoded.get(index, word) for index, word in enumerate(lower)]


def _accent_share(words: list[str]) -> float:
    longer = [word for word in words if len(word) > 1 and not word.isdigit()]
    return sum(not word.isascii() for word in longer) / len(longer) if longer else 0.0
