"""Keys under which place names are compared: without spaces, once without accents and once with them."""

import re
import unicodedata
from functools import lru_cache

# People mix "y" and "i" (Quy/Qui Nhơn, Mỹ/Mĩ) and final "k" and "c" (Đăk/Đắc): both keys forget the difference.
_Y_TO_I = str.maketrans("yýỳỷỹỵ", "iíìỉĩị")
_K_TO_C = re.compile(r"k(?!h)")

# "hoà" and "hòa" are two ways to type one syllable; both keys put the mark on the first vowel.
_TONE_PLACES = {
    f"{first}{second_marked}": f"{first_marked}{second}"
    for first, second, first_row, second_row in (
        ("o", "a", "òóỏõọ", "àáảãạ"),
        ("o", "e", "òóỏõọ", "èéẻẽẹ"),
        ("u", "i", "ùúủũụ", "ìíỉĩị"),
    )
    for first_marked, second_marked in zip(first_row, second_row, strict=True)
}
_TONE_PLACE = re.compile("|".join(_TONE_PLACES))
_NOT_WORD = re.compile(r"[\W_]+")
_DROPPED_MARKS = frozenset("\u0300\u0301\u0302\u0303\u0306\u0309\u031b\u0323")

KIND_WORDS = {  # the first word(s) of an official name → kind
    "Xã": "xa",
    "Phường": "phuong",
    "Thị trấn": "thi_tran",
    "Đặc khu": "dac_khu",
    "Quận": "quan",
    "Huyện": "huyen",
    "Thị xã": "thi_xa",
    "Thành phố": "thanh_pho",
    "Tỉnh": "tinh",
}
_LOWER_KINDS = tuple((word.lower() + " ", kind) for word, kind in KIND_WORDS.items())
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, "vii": 7, "viii": 8, "ix": 9, "x": 10}


def strip_accents(text: str) -> str:
    """Vietnamese letters without marks, same case, same length for NFC input: "Đắk Lắk" → "Dak Lak"."""
    text = text.replace("đ", "d").replace("Đ", "D")
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFD", text)
    kept = "".join(char for char in decomposed if char not in _DROPPED_MARKS)
    return unicodedata.normalize("NFC", kept)


@lru_cache(maxsize=20_000)
def accented_key(name: str) -> str:
    """ "Xã Hoà Lạc" → "xãhòalạc": lower case, no spaces, one place for the tone mark, y = i, k = c."""
    words = _NOT_WORD.split(unicodedata.normalize("NFC", name).lower().translate(_Y_TO_I))
    joined = "".join(_K_TO_C.sub("c", word) for word in words)  # word by word: no "kh" in "Đăk Hà"
    return _TONE_PLACE.sub(lambda match: _TONE_PLACES[match.group()], joined)


@lru_cache(maxsize=20_000)
def folded_key(name: str) -> str:
    """ "Xã Hoà Lạc" → "xahoalac": the accented key without accents."""
    return strip_accents(accented_key(name))


def split_kind(name: str) -> tuple[str, str]:
    """ "Thị trấn Sa Pa" → ("thi_tran", "Sa Pa"); ("", name) when it starts with no kind of unit."""
    lowered = name[:12].lower()
    for word, kind in _LOWER_KINDS:
        if lowered.startswith(word):
            return kind, name[len(word) :].strip()
    return "", name.strip()


def kind_word(kind: str) -> str:
    """ "thi_tran" → "Thị trấn"; "" for an unknown kind."""
    return next((word for word, known in KIND_WORDS.items() if known == kind), "")


def number_key(token: str) -> str:
    """A numbered unit however it is written: "03" → "3"; other tokens stay."""
    return token.lstrip("0") or "0" if token.isdigit() else token


def name_keys(name: str) -> tuple[str, ...]:
    """The keys under which a name is found: "Phường IV" as "iv" and as "4"."""
    key = number_key(folded_key(name))
    return (key, str(_ROMAN[key])) if name.isupper() and key in _ROMAN else (key,)
