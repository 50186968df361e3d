"""Characteristic phrases of each subfield, and where they occur in a message."""

import math
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nlp.normalize.letters import has_accents, strip_accents

MAX_PHRASE = 7  # words
STRIPPED_WEIGHT = 0.7  # of a hit that only fits once accents are ignored


@dataclass(frozen=True, slots=True)
class Hit:
    """A phrase of the lexicon in a row of words: ``first`` and ``last`` are places of words."""

    phrase: str
    first: int
    last: int
    subfields: tuple[tuple[str, float], ...]  # (subfield, weight)


class Lexicon:
    """Phrases in two layers: as written with accents, and without; longer and rarer phrases weigh more."""

    def __init__(self, phrases: Mapping[tuple[str, ...], Mapping[str, float]]) -> None:
        self._accented = {words: tuple(sorted(owners.items())) for words, owners in phrases.items()}
        stripped: defaultdict[tuple[str, ...], dict[str, float]] = defaultdict(dict)
        for words, owners in phrases.items():
            plain = tuple(strip_accents(word) for word in words)
            for owner, weight in owners.items():
                stripped[plain][owner] = max(stripped[plain].get(owner, 0.0), weight * STRIPPED_WEIGHT)
        self._stripped = {
            words: tuple(sorted(owners.items()))
            for words, owners in stripped.items()
            if len(words) > 1 or not has_accents(words[0])
        }
        self._alone: set[str] = set()
        self._longest_from: dict[tuple[str, str], int] = {}  # first two words → words of the longest phrase
        for words in (*self._accented, *self._stripped):
            if len(words) == 1:
                self._alone.add(words[0])
            else:
                start = words[0], words[1]
                self._longest_from[start] = max(len(words), self._longest_from.get(start, 0))

    def __len__(self) -> int:
        return len(self._accented)

    def hits(self, words: Sequence[str], plain: Sequence[str]) -> list[Hit]:
        """Return the longest phrases at each place; a phrase inside a longer one of the same start is not repeated."""
        found: list[Hit] = []
        covered = -1
        for first, word in enumerate(words):
            longest = int(word in self._alone or plain[first] in self._alone)
            if first + 1 < len(words):
                accented = self._longest_from.get((word, words[first + 1]), longest)
                longest = max(accented, self._longest_from.get((plain[first], plain[first + 1]), longest))
            hit = self._longest(words, plain, first, longest) if longest else None
            if hit is not None and hit.last > covered:
                found.append(hit)
                covered = hit.last
        return found

    def _longest(self, words: Sequence[str], plain: Sequence[str], first: int, longest: int) -> Hit | None:
        for size in range(min(longest, len(words) - first), 0, -1):
            last = first + size - 1
            row = tuple(words[first : last + 1])
            owners = self._accented.get(row)
            if owners is None:
                bare = tuple(plain[first : last + 1])
                owners = self._stripped.get(bare) if size > 1 or bare == row else None
            if owners is not None:
                return Hit(" ".join(row), first, last, owners)
        return None


def read_phrases(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield (subfield, phrase) of every ``*.toml`` in ``folder``, in the order of file names."""
    for path in sorted(folder.glob("*.toml")):
        with path.open("rb") as file:
            for subfield, table in tomllib.load(file).items():
                for phrase in table["phrases"]:
                    yield subfield, phrase


def weigh(rows: Iterable[tuple[str, tuple[str, ...]]]) -> dict[tuple[str, ...], dict[str, float]]:
    """Return the weight of each (phrase, subfield): grows with length, shrinks with the number of owners."""
    owners: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
    for subfield, words in rows:
        if words and len(words) <= MAX_PHRASE:
            owners[words].add(subfield)
    return {
        words: {name: (0.6 + 0.4 * min(4, len(words))) / math.sqrt(len(names)) for name in sorted(names)}
        for words, names in sorted(owners.items())
    }
