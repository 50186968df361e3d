"""Text as search and typed answers compare it: lower case, no marks, single spaces."""

import re
import unicodedata

_SPACES = re.compile(r"\s+")
_EDGES = re.compile(r"^[\W_]+|[\W_]+$")


def fold(text: str) -> str:
    """ "Đường Xuân  Viên" → "duong xuan vien"; NFC and NFD give the same."""
    decomposed = unicodedata.normalize("NFD", text.lower().replace("đ", "d"))
    bare = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return _SPACES.sub(" ", bare).strip()


def fold_answer(text: str) -> str:
    """Folded, without punctuation at the edges: "Dạ, đúng rồi!" → "da, dung roi"."""
    return _EDGES.sub("", fold(text))
