"""Telex and VNI keys that were left in the text because the input method was off: "dduwowngf" → "đường"."""

import re
from functools import lru_cache

from nlp.normalize.letters import ACUTE, DOT, GRAVE, HOOK, TILDE, has_accents, join_tone, split_tone
from nlp.normalize.syllables import is_syllable

_TELEX_TONES = {"s": ACUTE, "f": GRAVE, "r": HOOK, "x": TILDE, "j": DOT}
_VNI_TONES = {"1": ACUTE, "2": GRAVE, "3": HOOK, "4": TILDE, "5": DOT}
_TELEX_SHAPES = {"aa": "â", "aw": "ă", "ee": "ê", "oo": "ô", "ow": "ơ", "uw": "ư", "dd": "đ"}
_VNI_SHAPES = {"a6": "â", "a8": "ă", "e6": "ê", "o6": "ô", "o7": "ơ", "u7": "ư", "d9": "đ"}
_TELEX_LIKE = re.compile(r"^[a-zà-ỹ]+$")
_VNI_LIKE = re.compile(r"^[a-zà-ỹ]+[1-9][a-z1-9]*$")
_DOUBLE = re.compile(r"aa|ee|oo|dd|w")


@lru_cache(maxsize=8192)
def decode_telex(word: str) -> str | None:
    """Return the syllable that these Telex keys mean, or None when they mean none.

    A word that already is a syllable without accents ("cho", "mas") is decoded only by its caller's choice.
    """
    if not _TELEX_LIKE.match(word) or len(word) > 12:
        return None
    bare, tone = _take_tone(word, _TELEX_TONES)
    for shaped in _telex_shapes(bare):
        decoded = join_tone(*_merge_tone(shaped, tone))
        if decoded != word and is_syllable(decoded) and has_accents(decoded):
            return decoded
    return None


@lru_cache(maxsize=2048)
def decode_vni(word: str) -> str | None:
    """Return the syllable that these VNI keys mean: "d9u7o7ng2" → "đường"; None when they mean none."""
    if not _VNI_LIKE.match(word) or len(word) > 12:
        return None
    bare, tone = _take_tone(word, _VNI_TONES)
    shaped = _uo_vni(bare)
    for keys, letter in _VNI_SHAPES.items():
        shaped = shaped.replace(keys, letter)
    shaped = _shape_behind(shaped, "9", "d", "đ")
    for key, pairs in (
        ("6", (("a", "â"), ("e", "ê"), ("o", "ô"))),
        ("7", (("o", "ơ"), ("u", "ư"))),
        ("8", (("a", "ă"),)),
    ):
        for plain, letter in pairs:
            shaped = _shape_behind(shaped, key, plain, letter)
    decoded = join_tone(*_merge_tone(shaped, tone))
    return decoded if is_syllable(decoded) and has_accents(decoded) else None


def has_telex_traits(word: str) -> bool:
    """Does the spelling itself betray Telex keys (a doubled vowel, dd, w, or a tone key behind the vowel)?"""
    if _DOUBLE.search(word):
        return True
    return word[-1] in "fjx" or (word[-1] in "sr" and len(word) > 2)


def _take_tone(word: str, tones: dict[str, str]) -> tuple[str, str]:
    """Cut the last tone key off, wherever after the first vowel it was typed: "dduwowfng" too."""
    if any(key in tones for key in word[1:]):
        for index in range(len(word) - 1, 0, -1):
            if word[index] in tones and re.search(r"[aeiouyàáảãạăâêôơư]", word[:index]):
                return word[:index] + word[index + 1 :], tones[word[index]]
    return word, ""


def _merge_tone(shaped: str, tone: str) -> tuple[str, str]:
    bare, own = split_tone(shaped)
    return bare, tone or own


def _telex_shapes(bare: str) -> list[str]:
    """Readings of the shape keys, the most likely first; one key may stand at the end ("duongwd" → "đương")."""
    readings = []
    shaped = bare.replace("uow", "ươ").replace("uwow", "ươ").replace("uwo", "ươ")
    for keys, letter in _TELEX_SHAPES.items():
        shaped = shaped.replace(keys, letter)
    readings.append(shaped)
    late = _late_keys(bare)
    if late != bare:
        readings.append(late)
    if "w" in shaped:
        readings.append(shaped.replace("w", "ư"))
    readings.append(bare)
    return readings


def _late_keys(word: str) -> str:
    """Shape keys typed at the end of the syllable: "duongdw" → "đương", "muonons" → "muôn"."""
    result = word
    if len(result) > 2 and result[0] == "d" and "d" in result[1:]:
        result = "đ" + result[1:].replace("d", "", 1)
    if "w" in result[1:]:
        trimmed = result.replace("w", "")
        for plain, letter in (("uo", "ươ"), ("a", "ă"), ("o", "ơ"), ("u", "ư")):
            if plain in trimmed:
                result = trimmed.replace(plain, letter, 1)
                break
    for plain, letter in (("a", "â"), ("e", "ê"), ("o", "ô")):
        first = result.find(plain)
        later = result.find(plain, first + 2)
        if 0 <= first < later:
            result = result[:first] + letter + result[first + 1 : later] + result[later + 1 :]
    return result


def _uo_vni(word: str) -> str:
    return word.replace("u7o7", "ươ").replace("uo7", "ươ").replace("u7o", "ươ")


def _shape_behind(word: str, key: str, plain: str, letter: str) -> str:
    """A key typed after the whole syllable: "duong9" → "đuong"."""
    place = word.find(key)
    if place > 0 and plain in word[:place]:
        last = word.rfind(plain, 0, place)
        return word[:last] + letter + word[last + 1 : place] + word[place + 1 :]
    return word
