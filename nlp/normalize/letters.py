"""Letters of Vietnamese: Unicode forms, look-alikes, accents on and off, where the tone mark stands."""

import re
import unicodedata
from functools import lru_cache

ACUTE, GRAVE, HOOK, TILDE, DOT = "\u0301", "\u0300", "\u0309", "\u0303", "\u0323"
TONES = frozenset((ACUTE, GRAVE, HOOK, TILDE, DOT))
VOWELS = frozenset("aăâeêioôơuưy")

# Letters of other alphabets and invisible signs that keyboards, copies from PDF and pranksters put in.
_LOOKALIKES = {
    **dict(zip("авеєкмнорстухіјѕԁԛԝ", "abeekmhopctyxijsdqw", strict=True)),
    **dict(zip("АВЕЄКМНОРСТУХІЈЅ", "ABEEKMHOPCTYXIJS", strict=True)),
    **dict(zip("αβεικνορτυχ", "abeikvoptux", strict=True)),
    "ð": "đ", "Ð": "Đ", "ɖ": "đ", "Ɖ": "Đ", "ƌ": "đ", "ł": "l", "ı": "i", "ȃ": "ã", "ǎ": "ă", "ĕ": "ê", "ŏ": "ô",
    "´": "'", "‘": "'", "’": "'", "`": "'", "“": '"', "”": '"', "–": "-", "—": "-", "−": "-", "…": "...", "\u00a0": " ",
}  # fmt: skip
_INVISIBLE = frozenset("\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad\u202a\u202b\u202c\u202d\u202e\ufe0e\ufe0f")
_BASE = {"đ": "d", "Đ": "D"}
_OLD_MARKS = {"\u0340": GRAVE, "\u0341": ACUTE}
_ACCENTED = "àáâãèéêìíòóôõùúýăĩũơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹđ"
_ODD = re.compile(rf"[^ -~\n\t{_ACCENTED}{_ACCENTED.upper()}]")
_MAX_MARKS = 3  # a Vietnamese letter has a shape and a tone; more is "zalgo" play


def compose(text: str) -> tuple[str, list[int]]:
    """Return ``text`` in NFC without look-alikes and invisible signs, and for each letter its place in ``text``.

    >>> compose("o\\u0302\\u0309 ga\\u0300")[0]
    'ổ gà'
    """
    if not _ODD.search(text):
        return text, list(range(len(text)))
    letters: list[str] = []
    places: list[int] = []
    position, size = 0, len(text)
    while position < size:
        end = position + 1
        while end < size and unicodedata.combining(text[end]):
            end += 1
        cluster = text[position] if end == position + 1 else _compose_cluster(text[position:end])
        for letter in _plain(cluster):
            letters.append(letter)
            places.append(position)
        position = end
    return "".join(letters), places


def _compose_cluster(cluster: str) -> str:
    base = _LOOKALIKES.get(cluster[0], cluster[0])
    marks = [_OLD_MARKS.get(mark, mark) for mark in cluster[1 : 1 + _MAX_MARKS]]
    return unicodedata.normalize("NFC", base + "".join(marks))


@lru_cache(maxsize=4096)
def _plain(cluster: str) -> str:
    if cluster < "\x7f":
        return cluster
    if cluster in _INVISIBLE:
        return ""
    if cluster in _LOOKALIKES:
        return _LOOKALIKES[cluster]
    # NFKC would turn "½" into three signs; only full-width and styled letters are wanted
    narrow = unicodedata.normalize("NFKC", cluster)
    return narrow if len(narrow) == 1 else unicodedata.normalize("NFC", cluster)


@lru_cache(maxsize=32768)
def strip_accents(word: str) -> str:
    """Return the word without tone and shape marks: "đường" → "duong"."""
    decomposed = unicodedata.normalize("NFD", word)
    return "".join(_BASE.get(letter, letter) for letter in decomposed if not unicodedata.combining(letter))


def has_accents(word: str) -> bool:
    return not word.isascii() and strip_accents(word) != word


@lru_cache(maxsize=32768)
def split_tone(word: str) -> tuple[str, str]:
    """Return the word without its tone mark, and the mark ("" = ngang): "đường" → ("đương", GRAVE)."""
    tone = ""
    letters = []
    for letter in unicodedata.normalize("NFD", word):
        if letter in TONES:
            tone = letter
        else:
            letters.append(letter)
    return unicodedata.normalize("NFC", "".join(letters)), tone


@lru_cache(maxsize=32768)
def join_tone(bare: str, tone: str) -> str:
    """Put the tone where official names have it: ("hoa", GRAVE) → "hòa", ("thuy", HOOK) → "thủy"."""
    if not tone:
        return bare
    place = _tone_place(bare)
    if place < 0:
        return bare
    return unicodedata.normalize("NFC", bare[: place + 1] + tone + bare[place + 1 :])


# "gi" and "qu" are consonants when a vowel follows: già, quá; but gì, of which the i is the vowel
_ONSET = re.compile(r"^(?:gi(?=[aăâeêoôơuư])|qu(?=[aăâeêioôơy])|[^aăâeêioôơuưy]*)")


def _tone_place(bare: str) -> int:
    onset = _ONSET.match(bare)
    start = onset.end() if onset else 0
    end = start
    while end < len(bare) and bare[end] in VOWELS:
        end += 1
    vowels = bare[start:end]
    if not vowels:
        return -1
    for index in range(len(vowels) - 1, -1, -1):  # ươ: the mark stands on ơ
        if vowels[index] in "ăâêôơ":
            return start + index
    if "ư" in vowels:
        return start + vowels.index("ư")
    if len(vowels) == 1:
        return start
    if len(vowels) == 3:
        return start + 1
    return start + (1 if end < len(bare) else 0)


def settle_tone(word: str) -> str:
    """Return the word with its tone mark at the one place this package uses: "hòa" and "hoà" → "hòa"."""
    bare, tone = split_tone(word)
    return join_tone(bare, tone) if tone else word
