"""Other spellings that a doubtful word may stand for: slips of the finger, dialect, hỏi and ngã mixed up."""

from functools import lru_cache

from nlp.normalize.letters import HOOK, TILDE, join_tone, split_tone

SLIP_COST = 4.0
DIALECT_COST = 4.5
TONE_COST = 2.5
ENDING_COST = 6.0
_ALPHABET = "abcdeghiklmnopqrstuvxy"
# Initials that dialects swap: "nàm" làm, "xữa" sữa, "chời" trời, "dác" rác, "zậy" vậy
_SWAPS = {
    "l": ("n",), "n": ("l",), "s": ("x",), "x": ("s",), "tr": ("ch",), "ch": ("tr",),
    "r": ("d", "gi"), "d": ("r", "gi", "v"), "gi": ("d", "r"), "v": ("d", "gi"), "z": ("d", "gi", "r"), "w": ("qu",),
    "f": ("ph",), "j": ("gi",), "k": ("c",), "c": ("k",), "g": ("gh",), "gh": ("g",), "ng": ("ngh",), "ngh": ("ng",),
    "q": ("qu",), "đ": ("l",),
}  # fmt: skip
_ENDINGS = (("n", "ng"), ("ng", "n"), ("c", "t"), ("t", "c"), ("nh", "n"))


@lru_cache(maxsize=16384)
def dialect_forms(word: str) -> tuple[tuple[str, float], ...]:
    """Return accented forms that an ear might have written as ``word``, with log costs."""
    found: dict[str, float] = {}
    bare, tone = split_tone(word)
    if tone in (HOOK, TILDE):
        found[join_tone(bare, TILDE if tone == HOOK else HOOK)] = TONE_COST
    for initial in (bare[:3], bare[:2], bare[:1]):
        for other in _SWAPS.get(initial, ()):
            found.setdefault(join_tone(other + bare[len(initial) :], tone), DIALECT_COST)
        if initial in _SWAPS:
            break
    for ending, other in _ENDINGS:
        if bare.endswith(ending) and not (ending == "n" and bare.endswith("ng")):
            found.setdefault(join_tone(bare[: -len(ending)] + other, tone), ENDING_COST)
    found.pop(word, None)
    return tuple(found.items())


@lru_cache(maxsize=4096)
def slips(plain: str) -> tuple[str, ...]:
    """Return the letter strings one slip away from ``plain`` (a letter too few, too many, wrong, or two swapped)."""
    splits = [(plain[:index], plain[index:]) for index in range(len(plain) + 1)]
    near = {left + right[1:] for left, right in splits if right}
    near.update(left + right[1] + right[0] + right[2:] for left, right in splits if len(right) > 1)
    for left, right in splits:
        near.update(left + letter + right for letter in _ALPHABET)
        if right:
            near.update(left + letter + right[1:] for letter in _ALPHABET)
    near.discard(plain)
    return tuple(sorted(near))
