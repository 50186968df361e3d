"""Decodes a token typed by Telex keys while the input method was off: "dduwowngf" → "đường"."""

import re
import unicodedata
from functools import lru_cache

_TONES = {"s": "\u0301", "f": "\u0300", "r": "\u0309", "x": "\u0303", "j": "\u0323"}
_SHAPES = (("uow", "ươ"), ("aa", "â"), ("ee", "ê"), ("oo", "ô"), ("aw", "ă"), ("ow", "ơ"), ("uw", "ư"))
_VOWELS = "aeiouyăâêôơư"
_LOOKS_TYPED = re.compile(r"dd|aa|ee|oo|w|[aeiouy][a-z]{0,4}[sfrxj]$|[aeiouy][sfrxj](?:ng|nh|ch|[cmnpt])$")
_SYLLABLE = re.compile(
    r"(?:b|c|ch|d|đ|g|gh|gi|h|k|kh|kl|kr|l|m|n|ng|ngh|nh|p|ph|pl|q|r|s|t|th|tr|v|x|bl|br|gr|hr)?"
    r"([aeiouyăâêôơư]{1,4})(?:c|ch|m|n|ng|nh|p|t|k|l|r|h|i|u|y|o)?"
)


@lru_cache(maxsize=4_000)
def decode_telex(word: str) -> str:
    """The syllable that the keys spell, "" when the word isn't typed Telex. ``word`` is lower case."""
    if len(word) < 2 or len(word) > 9 or not word.isascii() or not word.isalpha() or not _LOOKS_TYPED.search(word):
        return ""
    plain, tone = _take_tone(word)
    if plain.startswith("dd"):
        plain = "đ" + plain[2:]
    plain = re.sub(r"uow|uwow|uwo", "ươ", plain)
    for keys, letter in _SHAPES:
        plain = plain.replace(keys, letter)
    plain = plain.replace("w", "ư")
    if "ưư" in plain:
        return ""
    match = _SYLLABLE.fullmatch(plain)
    if match is None:
        return _shapes_only(word)
    return _set_tone(plain, match.start(1), tone)


def _shapes_only(word: str) -> str:
    """Two syllables glued or misspelt ("kimsown", "nowhn"): the letters, without a tone."""
    if re.search(r"dd|w|aa|ee|oo", word) is None or "ww" in word:
        return ""
    for keys, letter in (("dd", "đ"), *_SHAPES):
        word = word.replace(keys, letter)
    return word.replace("w", "ư")


def _take_tone(word: str) -> tuple[str, str]:
    """ "banrn" → ("bann", hook): the tone key may stand at the end or right after the vowels."""
    if word[-1] in _TONES and any(char in "aeiouyw" for char in word[:-1]):
        return word[:-1], _TONES[word[-1]]
    match = re.search(r"(?<=[aeiouyw])[sfrxj](?=(?:ng|nh|ch|[cmnpt])$)", word)
    if match:
        return word[: match.start()] + word[match.end() :], _TONES[match.group()]
    return word, ""


def _set_tone(plain: str, vowels_at: int, tone: str) -> str:
    if not tone:
        return plain
    at = _tone_position(plain, vowels_at)
    return unicodedata.normalize("NFC", plain[: at + 1] + tone + plain[at + 1 :])


def _tone_position(plain: str, first: int) -> int:
    if plain[:2] in ("qu", "gi") and len(plain) > 2 and plain[2] in _VOWELS:
        first = 2
    last = first
    while last + 1 < len(plain) and plain[last + 1] in _VOWELS:
        last += 1
    shaped = [index for index in range(first, last + 1) if plain[index] in "ăâêôơư"]
    if shaped:
        return shaped[-1]
    count = last - first + 1
    has_coda = last + 1 < len(plain)
    return first if count == 1 or (count == 2 and not has_coda) else first + 1
