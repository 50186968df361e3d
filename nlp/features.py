"""What a row of repaired words looks like to the linear models; the same in training and at run time."""

import math
from collections.abc import Sequence

from nlp.normalize.letters import strip_accents

MAX_WORDS = 400  # the trouble is told by then, and the time stays bounded
NUMBER = "0"
GUESSED = 0.5  # weight of an accented word or pair in which an accent was guessed
_PAUSES = frozenset((".", ",", "?"))


def features_of(tokens: Sequence[str], guessed: Sequence[bool] | None = None) -> dict[str, float]:
    """Count words and word pairs in two channels: with accents ("w ") and without ("s ").

    ``guessed`` marks the tokens whose accents were restored: with accents they count for less, without as much.
    """
    counts: dict[str, float] = {}
    before = before_plain = ""
    weight_before = 1.0
    for place, token in enumerate(tokens[:MAX_WORDS]):
        if token in _PAUSES:
            if token == "?":
                counts["?"] = 1.0
            if token != ",":
                before = ""
            continue
        word = NUMBER if token[0].isdigit() else token
        plain = strip_accents(word)
        weight = GUESSED if guessed is not None and guessed[place] else 1.0
        _add(counts, "w " + word, weight)
        _add(counts, "s " + plain, 1.0)
        if before:
            _add(counts, f"w {before} {word}", min(weight, weight_before))
            _add(counts, f"s {before_plain} {plain}", 1.0)
        before, before_plain, weight_before = word, plain, weight
    return counts


def damped(count: float) -> float:
    """Return what a word that occurs so often weighs: twice is not twice as much."""
    return count if count <= 1.0 else 1.0 + math.log(count)


def _add(counts: dict[str, float], name: str, weight: float) -> None:
    counts[name] = counts.get(name, 0.0) + weight
