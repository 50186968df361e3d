"""What is said around the matter (greetings, thanks, "kính mong …"), so that the field models can leave it out."""

import tomllib
from collections.abc import Sequence
from pathlib import Path

from nlp.danger import PatternSet, Word, words_for_patterns
from nlp.normalize.tokens import Kind, Token

LEAST_WORDS = 4  # with fewer words left, the frame may be all there is


class Framing:
    """The table of ``nlp/data/tables/framing.toml``."""

    def __init__(self, patterns: Sequence[str]) -> None:
        rows = [("frame", "frame", text) for text in patterns]
        self._patterns = PatternSet(rows, plain_groups=frozenset(("frame",)))

    def matter(self, tokens: Sequence[Token], *, words: Sequence[Word] | None = None) -> list[Token]:
        """Return the tokens without the frame, or all of them when next to nothing would be left."""
        framed: set[int] = set()
        seen = words_for_patterns(tokens) if words is None else words
        for match in self._patterns.find(seen).get("frame", ()):
            framed.update(range(match.first, match.last + 1))
        kept = [token for place, token in enumerate(tokens) if place not in framed]
        left = sum(token.kind is Kind.WORD for token in kept)
        return kept if left >= LEAST_WORDS else list(tokens)


def load_framing(path: Path) -> Framing:
    with path.open("rb") as file:
        return Framing(tomllib.load(file)["patterns"])
