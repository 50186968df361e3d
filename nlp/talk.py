"""How likely a message is talk and no report: a few signals weighed together, the same in training and at run time."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nlp.lexicon import Hit

TALK, PRAISE, UNCLEAR = "khac.chuyen_phiem", "khac.gop_y", "khac.khong_ro"
CUES = ("question", "greeting", "thanks", "closing", "trouble")
SIGNALS = (
    *("bias", "words", "share", "other", "praise", "unclear", "best", "margin", "lead"),
    *("phrases", "short", "length", "number", "mark", "asked_trouble"),
    *CUES,
)
SHORT = 3  # words
_MOST_PHRASES = 3
_EDGE = 1e-4


@dataclass(frozen=True, slots=True)
class TalkOpinion:
    """What the field models say about talk; shares are probabilities."""

    words: float  # of the yes-or-no model
    share: float  # of the talk subfield
    other: float  # of the field khac
    praise: float  # of thanks and proposals
    unclear: float
    best: float  # of the best field but khac
    margin: float  # linear score of the talk subfield
    lead: float  # by how much the best linear score is ahead of it


def signals(opinion: TalkOpinion, *, phrases: int, words: Sequence[str], cues: frozenset[str]) -> list[float]:
    """Return the signals in the order of ``SIGNALS``; ``phrases`` counts troubles of the lexicon."""
    return [
        1.0,
        log_odds(opinion.words),
        log_odds(opinion.share),
        log_odds(opinion.other),
        log_odds(opinion.praise),
        log_odds(opinion.unclear),
        log_odds(opinion.best),
        opinion.margin,
        opinion.lead,
        float(min(phrases, _MOST_PHRASES)),
        float(len(words) <= SHORT),
        math.log1p(len(words)),
        float(any(word.isdigit() for word in words)),
        float("?" in words),
        float("question" in cues and "trouble" in cues),
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
