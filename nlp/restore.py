"""Put accents back: a beam search over a small trigram model of Vietnamese syllables, trained on own texts."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from nlp.normalize.letters import has_accents, strip_accents
from nlp.normalize.syllables import admits, is_complete, is_syllable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

K = TypeVar("K")
BEAM = 6
MARGIN = 6.0  # hypotheses less likely than the best by more than this (natural log) are given up
MAX_FORMS = 8  # accented forms tried for one written syllable, the commonest first
UNKNOWN = -14.0  # log probability of a syllable never seen
RARE = -10.8  # log probability of what two or three sentences hold
START, PAUSE = 0, 1  # ids of the two signs that are no syllables
_STEPS = 255
_FLOOR = -20.0
_NO_BIGRAM = (0.0, 0.0)
STRANGE_ACCENTS_COST = 3.0  # for a syllable whose written accents fit no known word: "đuòng"


# (log probability, id before last, last id, path as a linked list of (rest, syllable, step))
Hypothesis = tuple[float, int, int, Any]


@dataclass(frozen=True, slots=True)
class RestorerTables:
    """The trained model as compact arrays; log probabilities and back-off weights are steps of 20/255 below 0."""

    syllables: tuple[str, ...]
    unigram: "NDArray[np.uint8]"
    unigram_backoff: "NDArray[np.uint8]"
    bigram_keys: "NDArray[np.int64]"
    bigram: "NDArray[np.uint8]"
    bigram_backoff: "NDArray[np.uint8]"
    trigram_keys: "NDArray[np.int64]"
    trigram: "NDArray[np.uint8]"


@dataclass(frozen=True, slots=True)
class Choice:
    """What may stand at one place: (syllable, log cost, step that would have made it)."""

    forms: tuple[tuple[str, float, str], ...]


class Restorer:
    """Chooses the likeliest reading of a row of choices. Read-only after construction, so threads may share it."""

    def __init__(self, tables: RestorerTables) -> None:
        scale: list[float] = [_FLOOR * step / _STEPS for step in range(_STEPS + 1)]
        self._ids = {syllable: index for index, syllable in enumerate(tables.syllables)}
        self._unknown = len(tables.syllables)  # the id of every syllable never seen
        self._size = self._unknown + 1
        self._unigram: list[float] = [*(scale[step] for step in tables.unigram.tolist()), UNKNOWN]
        self._unigram_backoff: list[float] = [*(scale[step] for step in tables.unigram_backoff.tolist()), 0.0]
        self._bigram: dict[int, tuple[float, float]] = {
            key: (scale[p], scale[b])
            for key, p, b in zip(
                tables.bigram_keys.tolist(), tables.bigram.tolist(), tables.bigram_backoff.tolist(), strict=True
            )
        }
        self._trigram: dict[int, float] = dict(
            zip(tables.trigram_keys.tolist(), (scale[p] for p in tables.trigram.tolist()), strict=True)
        )
        self._forms: dict[str, tuple[str, ...]] = {}
        forms: defaultdict[str, list[str]] = defaultdict(list)
        for syllable in tables.syllables[2:]:
            forms[strip_accents(syllable)].append(syllable)
        for plain, variants in forms.items():
            variants.sort(key=lambda form: (-self._unigram[self._ids[form]], form))
            self._forms[plain] = tuple(variants[:MAX_FORMS])

    def knows(self, syllable: str) -> bool:
        return syllable in self._ids

    def is_rare(self, syllable: str) -> bool:
        """Has it been seen so seldom that it may be a misspelling itself?"""
        return self._unigram[self._ids.get(syllable, self._unknown)] < RARE

    def knows_plain(self, plain: str) -> bool:
        """Is there a syllable that is written so without accents?"""
        return plain in self._forms

    def forms(self, written: str, *, accent_cost: float) -> list[tuple[str, float]]:
        """Return the syllables that ``written`` may mean, with log costs; ``accent_cost`` is paid per added accent."""
        known = self._forms.get(strip_accents(written), ())
        if is_complete(written):
            return [(written, 0.0)]
        found = [
            (form, accent_cost if form != written else 0.0) for form in known if admits(written, form)
        ]  # fmt: skip
        if not found and has_accents(written):
            found = [(form, accent_cost + STRANGE_ACCENTS_COST) for form in known]
        if not found or (is_syllable(written) and all(form != written for form, _ in found)):
            found.append((written, 0.0))
        return found

    def best(self, row: Sequence[Choice | None]) -> list[tuple[str, str]]:
        """Return (syllable, step) for each place; None is a pause between sentences and yields ("", "")."""
        beam: list[Hypothesis] = [(0.0, START, START, ())]
        for choice in row:
            if choice is None:
                score, _, _, path = beam[0]
                beam = [(score, START, PAUSE, (path, "", ""))]
            else:
                beam = self._extend(beam, choice)
        path = beam[0][3]
        result: list[tuple[str, str]] = []
        while path:
            result.append((path[1], path[2]))
            path = path[0]
        result.reverse()
        return result

    def _extend(self, beam: list[Hypothesis], choice: Choice) -> list[Hypothesis]:
        """Add one place to every hypothesis; of those that end in the same two syllables only the best is kept."""
        if len(beam) == 1 and len(choice.forms) == 1:  # nothing to weigh
            score, _, last, path = beam[0]
            form, _, step = choice.forms[0]
            return [(score, last, self._ids.get(form, self._unknown), (path, form, step))]
        size, bigram, trigram, unigram = self._size, self._bigram, self._trigram, self._unigram
        groups: dict[int, list[tuple[float, int, float, Any]]] = {}  # by the last syllable
        for score, before, last, path in beam:
            pair = before * size + last
            groups.setdefault(last, []).append((score, pair * size, bigram.get(pair, _NO_BIGRAM)[1], path))
        ends = [(last, last * size, self._unigram_backoff[last], rows) for last, rows in groups.items()]
        grown: list[Hypothesis] = []
        for form, cost, step in choice.forms:
            current = self._ids.get(form, self._unknown)
            alone = unigram[current] - cost
            for last, key, backoff, rows in ends:
                seen = bigram.get(key + current)
                log_p = seen[0] - cost if seen else backoff + alone
                best, best_path = -math.inf, None
                for score, context, outer, path in rows:
                    known = trigram.get(context + current) if outer else None  # 0: the pair begins no known triple
                    total = score + outer + log_p if known is None else score - cost + known
                    if total > best:
                        best, best_path = total, path
                grown.append((best, last, current, (best_path, form, step)))
        grown.sort(key=_score, reverse=True)
        limit = grown[0][0] - MARGIN
        return [hypothesis for hypothesis in grown[:BEAM] if hypothesis[0] >= limit]


def _score(hypothesis: Hypothesis) -> float:
    return hypothesis[0]


def build_tables(rows: Iterable[tuple[Sequence[str], int]], *, lone: Iterable[str] = ()) -> RestorerTables:
    """Count syllable rows ("." = pause) with their weights into Witten-Bell smoothed tables; ``lone`` adds forms."""
    one: Counter[str] = Counter(dict.fromkeys(lone, 1))
    two: Counter[tuple[str, str]] = Counter()
    three: Counter[tuple[str, str, str]] = Counter()
    for row, weight in rows:
        for before, last, current in _windows(row):
            one[current] += weight
            two[last, current] += weight
            three[before, last, current] += weight
    syllables = ["", ".", *sorted(word for word in one if word not in ("", "."))]
    return _tables(syllables, one, two, three)


def _windows(row: Sequence[str]) -> Iterable[tuple[str, str, str]]:
    before, last = "", ""
    for word in row:
        if word == ".":
            before, last = "", "."
            continue
        yield before, last, word
        before, last = last, word


def _tables(
    syllables: list[str],
    one: Mapping[str, int],
    two: Mapping[tuple[str, str], int],
    three: Mapping[tuple[str, str, str], int],
) -> RestorerTables:
    import numpy as np  # training only; the module itself stays light

    ids = {word: index for index, word in enumerate(syllables)}
    size = len(syllables) + 1  # the last id stands for what was never seen
    total = sum(one.values())
    p_one = {word: (count + 0.5) / (total + 0.5 * size) for word, count in one.items()}
    after_one = _contexts((last, count) for (last, _), count in two.items())
    after_two = _contexts(((before, last), count) for (before, last, _), count in three.items())
    p_two = {
        (last, word): _smoothed(count, after_one[last], p_one[word]) for (last, word), count in two.items()
    }  # fmt: skip
    p_three = {
        (before, last, word): _smoothed(count, after_two[before, last], p_two[last, word])
        for (before, last, word), count in three.items()
    }
    pairs = sorted(set(p_two) | set(after_two), key=lambda pair: ids[pair[0]] * size + ids[pair[1]])
    triples = sorted(p_three, key=lambda t: (ids[t[0]] * size + ids[t[1]]) * size + ids[t[2]])
    return RestorerTables(
        syllables=tuple(syllables),
        unigram=np.array([_step(p_one.get(word, 1e-9)) for word in syllables], np.uint8),
        unigram_backoff=np.array([_step(_backoff(after_one.get(word))) for word in syllables], np.uint8),
        bigram_keys=np.array([ids[a] * size + ids[b] for a, b in pairs], np.int64),
        bigram=np.array([_step(p_two.get(pair, 1e-9)) for pair in pairs], np.uint8),
        bigram_backoff=np.array([_step(_backoff(after_two.get(pair))) for pair in pairs], np.uint8),
        trigram_keys=np.array([(ids[a] * size + ids[b]) * size + ids[c] for a, b, c in triples], np.int64),
        trigram=np.array([_step(p_three[triple]) for triple in triples], np.uint8),
    )


def _contexts(rows: Iterable[tuple[K, int]]) -> dict[K, tuple[int, int]]:
    totals: Counter[K] = Counter()
    kinds: Counter[K] = Counter()
    for context, count in rows:
        totals[context] += count
        kinds[context] += 1
    return {context: (total, kinds[context]) for context, total in totals.items()}


def _smoothed(count: int, context: tuple[int, int], lower: float) -> float:
    total, kinds = context
    return (count + kinds * lower) / (total + kinds)


def _backoff(context: tuple[int, int] | None) -> float:
    if context is None:
        return 1.0
    total, kinds = context
    return kinds / (total + kinds)


def _step(probability: float) -> int:
    return min(_STEPS, round(math.log(max(probability, 1e-12)) / _FLOOR * _STEPS))
