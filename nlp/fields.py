"""The run-time scorer of fields: dictionaries and small matrices, nothing that had to be trained in this process."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nlp.features import damped, features_of
from nlp.lexicon import Hit, Lexicon
from nlp.normalize.letters import strip_accents
from nlp.results import Evidence, FieldAction, FieldResult
from nlp.talk import PRAISE, TALK, UNCLEAR, TalkOpinion

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vector = NDArray[np.float32]

LEXICON_CAP = 4.0  # beyond this more phrases of one subfield prove nothing new
SECONDARY = 0.08  # probability from which another field may be a second trouble
CLAUSE_SURE = 0.60  # probability of that field in a clause of its own
DOUBT = (0.85, 0.45, 0.08)  # share of plain ignorance with no, one or two known words; none from the third on
CLAUSE_WORDS, MOST_CLAUSES = 3, 6
TOP_FIELDS, TOP_SUBFIELDS, TOP_EVIDENCE = 3, 5, 8


@dataclass(frozen=True, slots=True)
class Policy:
    """Bands of the calibrated confidence: take it, ask with the top three, or leave it to intake."""

    accept: float = 0.80
    ask: float = 0.50


@dataclass(frozen=True, slots=True)
class FieldTables:
    """The trained models. Rows are features, columns subfields; weights are 8-bit with one scale a row."""

    features: tuple[str, ...]
    subfields: tuple[str, ...]
    idf: "Vector"
    linear: "NDArray[np.int8]"
    linear_scale: "Vector"
    linear_bias: "Vector"
    bayes: "NDArray[np.int8]"
    bayes_scale: "Vector"
    binary: "Vector"  # columns: danger, non-report
    binary_bias: "Vector"
    weights: "Vector"  # linear, bayes, lexicon; then the same with the embedding: linear, bayes, lexicon, embedding
    embed_head: "Vector"  # 384 × subfields, empty when trained without
    embed_bias: "Vector"
    talk: "Vector"  # weights of ``nlp.talk.SIGNALS``
    danger: "Vector"  # weights of ``nlp.danger.SIGNALS``
    danger_share: "Vector"  # share of dangers in each subfield


@dataclass(frozen=True, slots=True)
class Scores:
    """What each model says of one message."""

    linear: "Vector"
    bayes: "Vector"
    lexicon: "Vector"
    embedding: "Vector | None"
    probabilities: "Vector"  # of the subfields, calibrated as far as the model is
    danger: float
    non_report: float
    hits: tuple[Hit, ...]
    features: tuple[tuple[str, int, float], ...] = field(default=())  # (feature, row, tf-idf)


class FieldScorer:
    """Scores messages; read-only after construction."""

    def __init__(
        self, tables: FieldTables, lexicon: Lexicon, *, version: str = "", is_calibrated: bool = False
    ) -> None:
        import numpy as np  # the module is imported by programs that never score

        self._np = np
        self._tables = tables
        self._lexicon = lexicon
        self._rows = {name: row for row, name in enumerate(tables.features)}
        self._columns = {name: column for column, name in enumerate(tables.subfields)}
        self.subfields = tables.subfields
        self.fields = tuple(sorted({name.split(".")[0] for name in tables.subfields}))
        members = [[name.startswith(f + ".") for name in tables.subfields] for f in self.fields]
        self._members = np.array(members, np.float32)
        self._means: Vector = tables.linear.mean(axis=1).astype(np.float32)
        self._idf: list[float] = tables.idf.tolist()
        self.version = version
        self.is_calibrated = is_calibrated
        self.talk_weights: tuple[float, ...] = tuple(tables.talk.tolist())
        self.danger_weights: tuple[float, ...] = tuple(tables.danger.tolist())
        self.has_embedding = tables.embed_head.size > 0

    def score(
        self, tokens: Sequence[str], embedding: "Vector | None" = None, *, guessed: Sequence[bool] | None = None
    ) -> Scores:
        """Score a row of words; ``guessed`` marks those whose accents were restored."""
        np, tables = self._np, self._tables
        found = self._weigh(tokens, guessed)
        rows = np.array([row for _, row, _ in found], np.int64)
        values = np.array([value for _, _, value in found], np.float32)
        linear = tables.linear_bias + (values * tables.linear_scale[rows]) @ tables.linear[rows]
        bayes = (values * tables.bayes_scale[rows]) @ tables.bayes[rows]
        binary = tables.binary_bias + values @ tables.binary[rows]
        hits = self._lexicon.hits(tokens, [strip_accents(token) for token in tokens])
        lexicon = self._lexicon_vector(hits)
        head = None
        if embedding is not None and self.has_embedding:
            head = embedding @ tables.embed_head + tables.embed_bias
        return Scores(
            linear=linear,
            bayes=bayes,
            lexicon=lexicon,
            embedding=head,
            probabilities=self._mix(linear, bayes, lexicon, head, _doubt(found)),
            danger=_sigmoid(float(binary[0])),
            non_report=_sigmoid(float(binary[1])),
            hits=tuple(hits),
            features=tuple(found),
        )

    def with_embedding(self, scores: Scores, embedding: "Vector") -> Scores:
        """Return the scores with the embedding's opinion mixed in; the lexical parts are not computed again."""
        head = embedding @ self._tables.embed_head + self._tables.embed_bias
        return Scores(
            scores.linear,
            scores.bayes,
            scores.lexicon,
            head,
            self._mix(scores.linear, scores.bayes, scores.lexicon, head, _doubt(scores.features)),
            scores.danger,
            scores.non_report,
            scores.hits,
            scores.features,
        )

    def field_probabilities(self, scores: Scores) -> list[tuple[str, float]]:
        """Return (field, probability), best first."""
        sums = self._members @ scores.probabilities
        return sorted(zip(self.fields, (float(p) for p in sums), strict=True), key=lambda pair: -pair[1])

    def danger_share(self, scores: Scores) -> float:
        """Return the share of dangers that the subfields of a message let expect."""
        return float(scores.probabilities @ self._tables.danger_share)

    def talk_opinion(self, scores: Scores) -> TalkOpinion:
        """Return what the models say about a message being no report."""
        by_field = dict(zip(self.fields, (self._members @ scores.probabilities).tolist(), strict=True))
        share, praise, unclear = (self._share(scores, name) for name in (TALK, PRAISE, UNCLEAR))
        column = self._columns.get(TALK)
        margin = float(scores.linear[column]) if column is not None else 0.0
        return TalkOpinion(
            words=scores.non_report,
            share=share,
            other=by_field.get("khac", 0.0),
            praise=praise,
            unclear=unclear,
            best=max((value for name, value in by_field.items() if name != "khac"), default=0.0),
            margin=margin,
            lead=float(scores.linear.max()) - margin,
        )

    def _share(self, scores: Scores, subfield: str) -> float:
        column = self._columns.get(subfield)
        return float(scores.probabilities[column]) if column is not None else 0.0

    def decide(
        self, scores: Scores, offsets: Sequence[tuple[int, int]], policy: Policy, *, secondary: str | None = None
    ) -> FieldResult:
        """Turn scores into the public result; ``offsets`` are the (start, end) of the words in the original."""
        ranked = self.field_probabilities(scores)
        best, confidence = ranked[0]
        order = scores.probabilities.argsort()[::-1]
        names = [self.subfields[column] for column in order]
        subfield = next(name for name in names if name.startswith(best + "."))
        action = FieldAction.INTAKE
        if confidence >= policy.accept:
            action = FieldAction.ACCEPT
        elif confidence >= policy.ask:
            action = FieldAction.ASK
        return FieldResult(
            field=best,
            subfield=subfield,
            confidence=min(1.0, confidence),
            top=tuple(ranked[:TOP_FIELDS]),
            action=action,
            subfields=tuple((self.subfields[c], float(scores.probabilities[c])) for c in order[:TOP_SUBFIELDS]),
            secondary=secondary,
            evidence=self.evidence(scores, subfield, offsets),
            model_version=self.version,
            is_calibrated=self.is_calibrated,
        )

    def second_field(self, tokens: Sequence[str], scores: Scores, guessed: Sequence[bool] | None = None) -> str | None:
        """Return the field of another trouble, when a clause of its own speaks for it."""
        ranked = self.field_probabilities(scores)
        best = ranked[0][0]
        others = {name for name, probability in ranked[1:3] if probability >= SECONDARY and name != "khac"}
        if not others or best == "khac":
            return None
        for first, last in _clauses(tokens):
            marks = guessed[first:last] if guessed is not None else None
            name, probability = self.field_probabilities(self.score(tokens[first:last], guessed=marks))[0]
            if name in others and probability >= CLAUSE_SURE:
                return name
        return None

    def evidence(self, scores: Scores, subfield: str, offsets: Sequence[tuple[int, int]]) -> tuple[Evidence, ...]:
        """Return the phrases and words that spoke for ``subfield``, strongest first."""
        column = self._columns[subfield]
        found: dict[str, Evidence] = {}
        for hit in scores.hits:
            weight = dict(hit.subfields).get(subfield, 0.0)
            if weight > 0:
                start, end = _span(offsets, hit.first, hit.last)
                found[hit.phrase] = Evidence(hit.phrase, round(weight, 3), start, end)
        own = [feature for feature in scores.features if feature[0].startswith("w ")]
        rows = self._np.array([row for _, row, _ in own], self._np.int64)
        values = self._np.array([value for _, _, value in own], self._np.float32)
        tables = self._tables
        gains = values * tables.linear_scale[rows] * (tables.linear[rows, column] - self._means[rows])
        for (name, _, _), gain in zip(own, gains.tolist(), strict=True):
            words = name[2:]
            if gain > 0.05 and words not in found:
                found[words] = Evidence(words, round(gain, 3))
        return tuple(sorted(found.values(), key=lambda item: -item.weight)[:TOP_EVIDENCE])

    def _weigh(self, tokens: Sequence[str], guessed: Sequence[bool] | None) -> list[tuple[str, int, float]]:
        """Return (feature, row, tf-idf), scaled to length one."""
        known = []
        idf = self._idf
        for name, count in features_of(tokens, guessed).items():
            row = self._rows.get(name)
            if row is not None:
                known.append((name, row, damped(count) * idf[row]))
        norm = math.sqrt(sum(value * value for _, _, value in known)) or 1.0
        return [(name, row, value / norm) for name, row, value in known]

    def _lexicon_vector(self, hits: Sequence[Hit]) -> "Vector":
        vector = self._np.zeros(len(self.subfields), self._np.float32)
        for hit in hits:
            for name, weight in hit.subfields:
                column = self._columns.get(name)
                if column is not None:
                    vector[column] += weight
        return self._np.minimum(vector, LEXICON_CAP)

    def _mix(
        self, linear: "Vector", bayes: "Vector", lexicon: "Vector", head: "Vector | None", doubt: float
    ) -> "Vector":  # fmt: skip
        """Weighted geometric mean of the models: a weighted sum of their log scores, then made to sum to one."""
        w = self._tables.weights
        if head is None:
            logits = w[0] * linear + w[1] * bayes + w[2] * lexicon
        else:
            logits = w[3] * linear + w[4] * bayes + w[5] * lexicon + w[6] * head
        powers = self._np.exp(logits - logits.max())
        result: Vector = (1.0 - doubt) * powers / powers.sum() + doubt / len(self.subfields)
        return result


def _doubt(found: Sequence[tuple[str, int, float]]) -> float:
    """Return how little is known: one word is a topic, no report ("taxi"); an English sentence has none."""
    known = sum(name.startswith("s ") and " " not in name[2:] for name, _, _ in found)
    return DOUBT[known] if known < len(DOUBT) else 0.0


def _clauses(tokens: Sequence[str]) -> list[tuple[int, int]]:
    """Return where the clauses between pauses lie that are long enough to say something; none if there is only one."""
    pauses = [place for place, token in enumerate(tokens) if token in (".", ",", "?")]
    edges = zip([-1, *pauses], [*pauses, len(tokens)], strict=True)
    long = [(first + 1, last) for first, last in edges if last - first - 1 >= CLAUSE_WORDS]
    return long[:MOST_CLAUSES] if len(long) > 1 else []


def _span(offsets: Sequence[tuple[int, int]], first: int, last: int) -> tuple[int, int]:
    if last >= len(offsets):
        return -1, -1
    return offsets[first][0], offsets[last][1]


def _sigmoid(value: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, value))))
