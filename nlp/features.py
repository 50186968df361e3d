"""What a row of repaired words looks like to the linear models; the same in training and at run time."""

from collections import Counter
from collections.abc import Sequence

from nlp.normalize.letters import strip_accents

MAX_WORDS = 400  # the trouble is told by then, and the time stays bounded
NUMBER = "0"
_PAUSES = frozenset((".", ",", "?"))


def words_of(tokens: Sequence[str]) -> list[str]:
    """Return the words with numbers made alike and commas dropped; "." and "?" stay as borders."""
    return [NUMBER if token[0].isdigit() else token for token in tokens[:MAX_WORDS] if token != ","]


def features_of(tokens: Sequence[str]) -> Counter[str]:
    """Count words and word pairs in two channels: with accents ("w ") and without ("s ")."""
    words = words_of(tokens)
    counts: Counter[str] = Counter()
    _add(counts, "w ", words)
    _add(counts, "s ", [strip_accents(word) for word in words])
    if "?" in words:
        counts["?"] = 1
    return counts


def _add(counts: Counter[str], channel: str, words: Sequence[str]) -> None:
    previous = "."
    for word in words:
        if word in _PAUSES:
            previous = "."
            continue
        counts[channel + word] += 1
        if previous != ".":
            counts[f"{channel}{previous} {word}"] += 1
        previous = word
