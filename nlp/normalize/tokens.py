"""Cut a message into words, numbers, masks and pauses; every token remembers its place in the original."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from nlp.normalize.letters import compose, settle_tone

MAX_LETTERS = 6000  # of one message; what follows says nothing new about the field and costs time


class Kind(StrEnum):
    WORD = "word"
    NUMBER = "number"
    MASK = "mask"  # địa chỉ web, số điện thoại, thư điện tử
    PAUSE = "pause"  # hết câu, xuống dòng


@dataclass(slots=True)
class Token:
    """``written`` is the lower-case NFC form, ``text`` what the repairs made of it; ``start:end`` in the original."""

    kind: Kind
    written: str
    text: str
    start: int
    end: int
    is_capital: bool = False
    is_glued: bool = False  # no space before it: the k of "50k"
    is_dotted: bool = False  # a full stop glued behind it: the P of "P.Kim Tân"
    step: str = ""  # the repair that changed it last
    is_fixed: bool = False  # later repairs leave it alone
    options: tuple[tuple[str, float, str], ...] = field(default=())  # (other form, log cost, step) for the restorer


URL, PHONE, EMAIL = "weblink", "phonenumber", "email"
MASKS = frozenset((URL, PHONE, EMAIL))

_LETTER = r"[^\W\d_]"
_TOKEN = re.compile(
    rf"""
    (?P<url>(?:https?://|www\.)[^\s<>"]+ | \b[a-z0-9-]{{2,30}}\.(?:com|vn|net|org|gov|info|me)(?:/[^\s<>"]*)?\b)
  | (?P<email>[\w.+-]{{1,64}}@[\w-]{{1,64}}\.[\w.-]{{1,64}})
  | (?P<phone>(?<![\d])(?:\+?84|0)[\s.-]?[235789](?:[\s.-]?\d){{7,9}}(?!\d))      # "0912 345 678", "+84 912.345.678"
  | (?P<number>\d+(?:[.,:/]\d+)*)
  | (?P<word>(?:{_LETTER}\.){{1,3}}{_LETTER}(?!{_LETTER}) | {_LETTER}+(?:\d+{_LETTER}*)*)  # "t.p", "QL4D", "k0"
  | (?P<pause>[.!;\n…]+ | \?+)
  | (?P<comma>,)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_TITLES = frozenset(("tp", "tx", "tt", "ql", "ph"))
_RUN = re.compile(r"([^\W\d_])\1{2,}", re.IGNORECASE)


def read_tokens(text: str) -> tuple[list[Token], tuple[str, ...]]:
    """Return the tokens of ``text`` and the phone numbers in it as written."""
    plain, places = compose(text[:MAX_LETTERS])
    places.append(min(len(text), MAX_LETTERS))
    tokens: list[Token] = []
    phones: list[str] = []
    last_end = -1
    for match in _TOKEN.finditer(plain):
        first, last = match.span()
        start, end = places[first], places[last - 1] + 1
        while end < places[last]:  # marks that were composed into the last letter
            end += 1
        token = _token(match, start, end)
        if token.kind is Kind.MASK and token.text == PHONE:
            phones.append(text[start:end])
        token.is_glued = first == last_end
        if token.text == "." and token.is_glued and tokens and _is_short(tokens[-1], plain[last : last + 1]):
            tokens[-1].is_dotted = True  # "P.Kim Tân", "TP. Lào Cai": no end of a sentence
        else:
            tokens.append(token)
        last_end = last
    return tokens, tuple(phones)


def _is_short(token: Token, next_letter: str) -> bool:
    if token.kind is not Kind.WORD or not next_letter:
        return False
    return (
        len(token.written) == 1 or (len(token.written) <= 3 and not next_letter.isspace()) or token.written in _TITLES
    )


def _token(match: re.Match[str], start: int, end: int) -> Token:
    written = match.group()
    match match.lastgroup:
        case "url":
            return Token(Kind.MASK, written, URL, start, end, step="mask", is_fixed=True)
        case "email":
            return Token(Kind.MASK, written, EMAIL, start, end, step="mask", is_fixed=True)
        case "phone":
            return Token(Kind.MASK, written, PHONE, start, end, step="mask", is_fixed=True)
        case "number":
            return Token(Kind.NUMBER, written, written, start, end, is_fixed=True)
        case "pause":
            sign = "?" if "?" in written else "."
            return Token(Kind.PAUSE, sign, sign, start, end, is_fixed=True)
        case "comma":
            return Token(Kind.PAUSE, ",", ",", start, end, is_fixed=True)
        case _:
            return _word(written, start, end)


def _word(written: str, start: int, end: int) -> Token:
    lower = written.lower()
    text, step = _settle(lower)
    return Token(Kind.WORD, lower, text, start, end, is_capital=written[0].isupper(), step=step)


@lru_cache(maxsize=16384)
def _settle(lower: str) -> tuple[str, str]:
    """Return the word without repeats ("quáááá") and with its tone in place, and the step that changed it."""
    calm = _RUN.sub(r"\1", lower)
    settled = settle_tone(calm)
    if calm != lower:
        return settled, "repeat"
    return settled, "tone" if settled != calm else ""
