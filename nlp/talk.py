"""How likely a message is talk and no report: a few signals weighed together, the same in training and at run time."""

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nlp.lexicon import Hit

CUES = ("question", "greeting", "thanks", "closing", "trouble")
SIGNALS = ("bias", "words", "share", "other", "praise", "phrases", "short", *CUES)
SHORT = 3  # words
_MOST_PHRASES = 3
_EDGE = 1e-4


def signals(
    *, words: float, share: float, other: float, praise: float, phrases: int, length: int, cues: frozenset[str]
) -> list[float]:
    """Return the signals in the order of ``SIGNALS``.

    ``words`` is the yes-or-no model's probability, ``share`` that of the talk subfield, ``other`` of the field khac,
    ``praise`` of thanks and proposals; ``phrases`` counts troubles of the lexicon.
    """
    return [
        1.0,
        log_odds(words),
        log_odds(share),
        log_odds(other),
        log_odds(praise),
        float(min(phrases, _MOST_PHRASES)),
        float(length <= SHORT),
        *(float(cue in cues) for cue in CUES),
    ]


def trouble_phrases(hits: Iterable["Hit"]) -> int:
    """Count the lexicon's phrases that name a trouble of a field."""
    return sum(not hit.subfields[0][0].startswith("khac.") for hit in hits)


def probability(values: Sequence[float], weights: Sequence[float]) -> float:
    total = sum(value * weight for value, weight in zip(values, weights, strict=True))
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, total))))


def log_odds(share: float) -> float:
    """Return the log odds of a probability, bounded so that no signal drowns the others."""
    clipped = min(1.0 - _EDGE, max(_EDGE, share))
    return math.log(clipped / (1.0 - clipped))
