"""The whole way from a citizen's message to repaired words with accents, every change with its place and reason."""

import math
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nlp.normalize.keys import decode_telex, decode_vni, has_telex_traits
from nlp.normalize.letters import has_accents, strip_accents
from nlp.normalize.shorthand import Shorthand
from nlp.normalize.syllables import is_complete, is_stripped_syllable, is_syllable
from nlp.normalize.tokens import Kind, Token, read_tokens
from nlp.normalize.variants import SLIP_COST, dialect_forms, slips
from nlp.restore import Choice, Restorer
from nlp.results import Change, Normalized

TABLES = Path(__file__).resolve().parent.parent / "data" / "tables"
MAX_WORD = 14  # longer letter strings are no syllable with a slip
USUAL_ACCENTED = 0.72  # share of Vietnamese syllables that carry an accent
_LETTERS_OR_DIGITS = re.compile(r"\d+|[^\W\d_]+")
_CODES = re.compile(r"^(?:[2-6]g|h\dn\d|ql\d+[a-z]?|tl\d+|dt\d+|đt\d+|ct\d+|ic\d+|km\d+|k0|dk0)$")
_ENGLISH = frozenset(("the", "is", "are", "and", "of", "there", "this", "please", "was", "have", "with", "very", "my"))


@dataclass(frozen=True, slots=True)
class Reading:
    """A normalised message with what the public ``Normalized`` leaves out."""

    normalized: Normalized
    tokens: tuple[Token, ...]
    phone_numbers: tuple[str, ...]


class Normalizer:
    """Repairs messages. Without a restorer it stops before accents (that is how training texts are prepared)."""

    def __init__(self, shorthand: Shorthand, known_words: frozenset[str], restorer: Restorer | None = None) -> None:
        self._shorthand = shorthand
        self._known = known_words
        self._restorer = restorer

    def read(self, text: str) -> Reading:
        """Return the repaired message; never raises, whatever the text."""
        tokens, phones = read_tokens(text)
        tokens = self._split_codes(tokens)
        if not _is_english(tokens):
            self._decode_keys(tokens)
            tokens = self._shorthand.write_out(tokens)
            if self._restorer is not None:
                self._restore(tokens, self._restorer)
        tokens = [token for token in tokens if token.text]
        return Reading(_normalized(text, tokens), tuple(tokens), phones)

    def normalize(self, text: str) -> Normalized:
        return self.read(text).normalized

    def _split_codes(self, tokens: Sequence[Token]) -> list[Token]:
        """Part letters from digits ("50k", "tổ3"), unless they are a code, an abbreviation or VNI keys."""
        vni = sum(decode_vni(token.text) is not None for token in tokens if not token.text.isalpha())
        uses_vni = vni >= 2 and any(re.search(r"[aeoud][6-9]", token.text) for token in tokens)
        result: list[Token] = []
        for token in tokens:
            if token.kind is not Kind.WORD or token.text.isalpha():
                result.append(token)
            elif "." in token.text:
                result.extend(self._split_dotted(token))
            elif uses_vni and (decoded := decode_vni(token.text)):
                result.append(replace(token, text=decoded, step="keys", is_fixed=True))
            elif token.text in self._shorthand or _CODES.match(token.text):
                result.append(replace(token, is_fixed=token.text not in self._shorthand))
            else:
                result.extend(_split_digits(token))
        return result

    def _split_dotted(self, token: Token) -> list[Token]:
        joined = token.text.replace(".", "")
        if joined in self._shorthand:
            return [replace(token, text=joined)]
        parts = []
        for match in re.finditer(r"[^.]+", token.written):
            start = token.start + match.start()
            parts.append(
                Token(Kind.WORD, match.group(), match.group(), start, min(token.end, start + len(match.group())))
            )
        return parts

    def _decode_keys(self, tokens: Sequence[Token]) -> None:
        candidates = [token for token in tokens if self._may_be_keys(token)]
        decoded = [(token, decode_telex(token.text)) for token in candidates]
        hits = sum(word is not None for _, word in decoded)
        for token, word in decoded:
            if word is None or (hits < 3 and not _surely_keys(token.text)):
                continue
            token.text, token.step, token.is_fixed = word, "keys", True

    def _may_be_keys(self, token: Token) -> bool:
        if token.kind is not Kind.WORD or token.is_fixed or not token.text.isalpha() or len(token.text) < 2:
            return False
        word = token.text
        if word in self._known or word in self._shorthand:
            return False
        return has_telex_traits(word) and not is_stripped_syllable(word)

    def _restore(self, tokens: Sequence[Token], restorer: Restorer) -> None:
        accent_cost = _accent_cost(tokens)
        row = [self._choice(token, restorer, accent_cost) for token in tokens]
        for token, (form, step) in zip(tokens, restorer.best(row), strict=True):
            if token.kind is Kind.WORD and form != token.text:
                token.text, token.step = form, step

    def _choice(self, token: Token, restorer: Restorer, accent_cost: float) -> Choice | None:
        if token.kind is Kind.PAUSE:
            return None
        word = token.text
        if token.kind is not Kind.WORD or token.is_fixed or not word.isalpha() or len(word) > MAX_WORD:
            return Choice(((word, 0.0, ""),))
        plain = strip_accents(word)
        if word in self._known and not restorer.knows_plain(plain):
            return Choice(((word, 0.0, ""),))
        forms = [(form, cost, "accent") for form, cost in restorer.forms(word, accent_cost=accent_cost)]
        if is_complete(word) or (has_accents(word) and is_syllable(word)):
            if restorer.is_rare(word) and not token.is_capital:
                forms.extend(
                    (form, cost, "dialect") for form, cost in dialect_forms(word) if not restorer.is_rare(form)
                )
        elif not restorer.knows_plain(plain) and word not in self._known and len(word) >= 3:
            forms.extend(_repairs(word, plain, restorer, accent_cost))
        return Choice(tuple(forms))


def _repairs(word: str, plain: str, restorer: Restorer, accent_cost: float) -> list[tuple[str, float, str]]:
    """Forms one slip away; accents that were written should be found again."""
    written = set(word) - set(plain)
    found = []
    for near in slips(plain):
        if not restorer.knows_plain(near):
            continue
        for form, _ in restorer.forms(near, accent_cost=0.0):
            lost = len(written - set(form))
            added = accent_cost if has_accents(form) and not written else 0.0
            found.append((form, SLIP_COST + 2.0 * lost + added, "typo"))
    found.sort(key=lambda item: item[1])
    return found[:40]


def _accent_cost(tokens: Sequence[Token]) -> float:
    """Log cost of believing that an accent was left out: high in accented texts, nothing in bare ones."""
    words = [token for token in tokens if token.kind is Kind.WORD and is_stripped_syllable(token.text)]
    if not words:
        return 0.0
    carrying = sum(has_accents(token.text) and token.step != "shorthand" for token in words)
    counted = sum(token.step != "shorthand" for token in words)
    expected = max(1.0, USUAL_ACCENTED * counted)
    missing = min(0.98, max(0.02, 1 - carrying / expected))
    return -math.log(missing)


def _surely_keys(word: str) -> bool:
    """Keys that no one types by chance: a shape and a tone, or đ, or accents and keys mixed ("vâyj")."""
    shape = any(pair in word for pair in ("aa", "ee", "oo", "dd", "aw", "ow", "uw"))
    return (shape and len(word) >= 3) or has_accents(word) or (word[-1] in "fj" and len(word) >= 3)


def _is_english(tokens: Sequence[Token]) -> bool:
    words = [token.text for token in tokens if token.kind is Kind.WORD]
    return len(_ENGLISH.intersection(words)) >= 2 and not any(has_accents(word) for word in words)


def _split_digits(token: Token) -> list[Token]:
    parts = []
    for match in _LETTERS_OR_DIGITS.finditer(token.written):
        kind = Kind.NUMBER if match.group().isdigit() else Kind.WORD
        start = min(token.start + match.start(), token.end)
        part = Token(kind, match.group(), match.group(), start, min(token.end, start + len(match.group())))
        part.is_capital, part.is_fixed, part.is_glued = token.is_capital, kind is Kind.NUMBER, bool(match.start())
        parts.append(part)
    return parts


def _normalized(text: str, tokens: Sequence[Token]) -> Normalized:
    changes = []
    seen = -1
    for index, token in enumerate(tokens):
        if not token.step or token.start == seen:
            continue
        after = [token.text]
        for follower in tokens[index + 1 :]:
            if follower.start != token.start or follower.end != token.end:
                break
            after.append(follower.text)
        seen = token.start
        changes.append(Change(token.step, token.start, token.end, text[token.start : token.end], " ".join(after)))
    return Normalized(
        original=text,
        text=" ".join(token.text for token in tokens),
        tokens=tuple(token.text for token in tokens),
        offsets=tuple(token.start for token in tokens),
        changes=tuple(changes),
    )


def load_normalizer(restorer: Restorer | None = None, tables: Path = TABLES) -> Normalizer:
    """Return a normaliser over the tables of abbreviations and known foreign words."""
    with (tables / "abbreviations.toml").open("rb") as file:
        shorthand = Shorthand(tomllib.load(file))
    with (tables / "words.toml").open("rb") as file:
        words = tomllib.load(file)
    known = frozenset(words["foreign"].split()) | frozenset(words["names"].split())
    return Normalizer(shorthand, known, restorer)
