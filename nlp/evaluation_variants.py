"""The same message as other thumbs would type it: without accents, half without, Telex keys, teencode, slips."""

import random
import unicodedata
from collections.abc import Callable
from functools import lru_cache

from nlp.normalize import strip_accents
from nlp.normalize.letters import ACUTE, DOT, GRAVE, HOOK, TILDE

_TONE_KEYS = {ACUTE: "s", GRAVE: "f", HOOK: "r", TILDE: "x", DOT: "j"}
_CIRCUMFLEX = "\u0302"
# What people shorten most, written for this project; the normaliser has to find the way back.
_SHORT = {
    "không": ("ko", "k", "hk"), "được": ("đc", "dc"), "em": ("e",), "anh": ("a",), "người": ("ng",), "rồi": ("r",),
    "gì": ("j",), "vậy": ("z",), "cũng": ("cx",), "với": ("vs",), "mọi người": ("mn",), "trước": ("trc",),
    "nước": ("nc",), "đường": ("đg",), "công an": ("ca",), "bây giờ": ("bh",), "hôm nay": ("hnay",),
    "như thế nào": ("ntn",), "biết": ("bt",), "luôn": ("lun",), "quá": ("qá",), "xe máy": ("xm",), "học sinh": ("hs",),
    "nhiều": ("nh", "nhìu"), "mình": ("mk",), "ủy ban": ("ub",), "bệnh viện": ("bv",), "khách sạn": ("ks",),
    "vệ sinh": ("vs",), "môi trường": ("mt",), "nhà vệ sinh": ("nvs",), "điện thoại": ("đt",), "làm": ("lm",),
    "tai nạn": ("tn",), "quốc lộ": ("ql",), "thành phố": ("tp",), "xử lý": ("xl",), "kiểm tra": ("ktra",),
}  # fmt: skip
_LONGEST_SHORT = 3
_KEYS = "qwertyuiopasdfghjklzxcvbnm"

Variant = Callable[[str, str], str]


def stripped(text: str, key: str = "") -> str:
    """Without any accent."""
    return strip_accents(text)


def half_stripped(text: str, key: str) -> str:
    """Every second word, by lot, without accents."""
    lot = random.Random(key)
    return " ".join(strip_accents(word) if lot.random() < 0.5 else word for word in text.split(" "))


def telex_keys(text: str, key: str = "") -> str:
    """As typed with the input method off: "đường" → "dduwowngf"."""
    return " ".join(_telex_word(word) for word in text.split(" "))


def teencode(text: str, key: str) -> str:
    """Most common words shortened, by lot, as in chats."""
    lot = random.Random(key)
    words = text.split(" ")
    result: list[str] = []
    place = 0
    while place < len(words):
        for size in range(min(_LONGEST_SHORT, len(words) - place), 0, -1):
            choices = _SHORT.get(" ".join(words[place : place + size]).lower())
            if choices and lot.random() < 0.7:
                result.append(lot.choice(choices))
                place += size
                break
        else:
            result.append(words[place])
            place += 1
    return " ".join(result)


def slips(text: str, key: str) -> str:
    """About six letters in a hundred mistyped, left out or swapped."""
    lot = random.Random(key)
    letters = list(text)
    for place in range(len(letters) - 1):
        if letters[place].isalpha() and lot.random() < 0.015:
            match lot.randrange(3):
                case 0:
                    letters[place] = ""
                case 1:
                    letters[place], letters[place + 1] = letters[place + 1], letters[place]
                case _:
                    letters[place] = lot.choice(_KEYS)
    return "".join(letters)


VARIANTS: dict[str, Variant] = {
    "plain": lambda text, key: text,
    "stripped": stripped,
    "half": half_stripped,
    "telex": telex_keys,
    "teencode": teencode,
    "slips": slips,
}


@lru_cache(maxsize=4096)
def _telex_word(word: str) -> str:
    keys: list[str] = []
    tone = ""
    for letter in unicodedata.normalize("NFC", word):
        if letter in "đĐ":
            keys.append("dd" if letter == "đ" else "DD")
            continue
        decomposed = unicodedata.normalize("NFD", letter)
        base = decomposed[0]
        keys.append(base)
        for mark in decomposed[1:]:
            if mark in _TONE_KEYS:
                tone = _TONE_KEYS[mark]
            else:
                keys.append(base if mark == _CIRCUMFLEX else "w")
    core = "".join(keys)
    end = len(core)
    while end and not core[end - 1].isalpha():
        end -= 1
    return core[:end] + tone + core[end:]
