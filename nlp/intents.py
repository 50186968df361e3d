"""Report or talk? And the few matters that the law sends another way."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nlp.danger import PatternSet, Word, words_for_patterns
from nlp.normalize.tokens import Token
from nlp.results import Intent, Redirect

TALK = "khac.chuyen_phiem"
PRAISE = "khac.gop_y"
PROCEDURES = frozenset(("khac.tthc", "khac.an_sinh", "khac.y_te"))
LAND, OFFICERS = "khac.dat_dai", "khac.can_bo"
TALK_LIMIT = 0.40  # on held-out voices: two reports in 330 lost, one talk in eight filed
REDIRECT_LIMIT = 0.5  # a redirect is only proposed when the matter itself is clear


class IntentRule:
    """The table of ``nlp/data/tables/intents.toml``."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        groups = ("intent", "redirect")
        rows = [(group, kind, text) for group in groups for kind, texts in table[group].items() for text in texts]
        self._patterns = PatternSet(rows)

    def cues(self, tokens: Sequence[Token], *, words: Sequence[Word] | None = None) -> frozenset[str]:
        """Return the kinds of all cues in a message: "question", "thanks", "TC02" …"""
        found = self._patterns.find(words_for_patterns(tokens) if words is None else words)
        return frozenset(match.kind for matches in found.values() for match in matches)

    def intent(self, cues: frozenset[str], talk: float) -> Intent:
        """Decide from the probability of talk; what kind of talk it is, the cues say."""
        if talk < TALK_LIMIT:
            return Intent.REPORT
        if "question" in cues:
            return Intent.QUESTION
        if "thanks" in cues:
            return Intent.THANKS
        if "greeting" in cues:
            return Intent.GREETING
        return Intent.CHAT

    def redirect(self, cues: frozenset[str], subfield: str, probability: float) -> Redirect | None:
        """Name the other way, when the subfield is one of those and the words say so."""
        if subfield in PROCEDURES:
            return Redirect.PROCEDURE if probability >= REDIRECT_LIMIT and "TC02" in cues else None
        if subfield == LAND and probability >= REDIRECT_LIMIT:
            return Redirect.CIVIL_DISPUTE if "TC09" in cues else Redirect.PROCEDURE
        if "TC01" in cues and subfield in (OFFICERS, LAND, "khac.khong_ro"):
            return Redirect.COMPLAINT
        return None


def load_intents(path: Path) -> IntentRule:
    with path.open("rb") as file:
        return IntentRule(tomllib.load(file))
