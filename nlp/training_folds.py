"""Held-out voices: what the models say of blocks that they were not trained on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]  # ships no types

from nlp.danger import Alarms, Opinion
from nlp.danger import signals as danger_signals
from nlp.embed import MAX_WORDS, Embedder
from nlp.lexicon import Lexicon
from nlp.normalize import strip_accents
from nlp.talk import PRAISE, TALK, UNCLEAR, TalkOpinion, signals, trouble_phrases
from nlp.training_data import Sentence
from nlp.training_models import PHRASE_WEIGHT, Labels, Matrix, Space, build_space, fit, fit_weights, lexicon_rows, mix

HARD_VOICES = ("sx-", "dn-", "tk-")  # blocks of telegraphic texts, of danger in other words, of talk near reports
_PRIOR = 10  # sentences' worth of the overall share of dangers, for subfields with few


@dataclass(frozen=True, slots=True)
class Corpus:
    """Sentences, then phrases, as rows of features with their labels."""

    sentences: Sequence[Sentence]
    documents: Sequence[Sequence[str]]  # of the sentences only
    subfields: tuple[str, ...]
    space: Space
    rows: sparse.csr_matrix
    labels: Labels
    vectors: Matrix | None  # of the sentences
    has_vector: NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        sentences: Sequence[Sentence],
        phrases: Sequence[tuple[str, str]],
        documents: Sequence[Sequence[str]],
        phrase_documents: Sequence[Sequence[str]],
        embedder: Embedder | None,
    ) -> "Corpus":
        names = tuple(sorted({s.subfield for s in sentences} | {subfield for subfield, _ in phrases}))
        columns = {name: column for column, name in enumerate(names)}
        unknown = [-1] * len(phrases)
        labels = Labels(
            subfields=np.array([columns[s.subfield] for s in sentences] + [columns[name] for name, _ in phrases]),
            danger=np.array([int(s.danger) for s in sentences] + unknown),
            non_report=np.array([int(s.non_report) for s in sentences] + unknown),
            weights=np.array([1.0] * len(sentences) + [PHRASE_WEIGHT] * len(phrases), np.float32),
        )
        everything = [*documents, *phrase_documents]
        space = build_space(documents, phrase_documents)
        has_vector = np.arange(len(everything)) < len(documents)  # phrases teach words; a vector wants a sentence
        vectors = None
        if embedder is not None:
            vectors = np.stack([embedder.embed(" ".join(tokens[:MAX_WORDS])) for tokens in documents])
        return cls(sentences, documents, names, space, space.matrix(everything), labels, vectors, has_vector)

    @property
    def right(self) -> NDArray[np.int64]:
        """The right subfield column of each sentence."""
        return self.labels.subfields[: len(self.sentences)]

    @property
    def field_of(self) -> NDArray[np.int64]:
        """The number of the field of each subfield column."""
        names = [name.split(".")[0] for name in self.subfields]
        numbers = {name: number for number, name in enumerate(sorted(set(names)))}
        return np.array([numbers[name] for name in names])


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What models say of sentences whose voices they don't know."""

    parts: list[Matrix]  # log scores: linear, bayes, lexicon and, with vectors, embedding
    danger: Matrix  # log odds of danger, by the words alone
    talk: Matrix  # log odds of being no report


def held_out(
    corpus: Corpus, lexicon: Lexicon, folds: Sequence[int], count: int, say: Callable[[str], None]
) -> HeldOut:  # fmt: skip
    """Train on all folds but one and score that one, in turn."""
    size, width = len(corpus.sentences), len(corpus.subfields)
    extra = len(corpus.labels.subfields) - size
    fold_of = np.concatenate([np.array(folds), np.full(extra, -1)])
    linear, bayes = np.zeros((size, width), np.float32), np.zeros((size, width), np.float32)
    head = np.zeros((size, width), np.float32)
    binary = np.zeros((size, 2), np.float32)
    for fold in range(count):
        kept, held = fold_of != fold, np.flatnonzero(fold_of == fold)
        vectors = corpus.vectors[kept[:size]] if corpus.vectors is not None else None
        fitted = fit(corpus.rows[kept], corpus.labels.take(kept), width, vectors, corpus.has_vector[kept])
        linear[held] = corpus.rows[held] @ fitted.linear + fitted.linear_bias
        bayes[held] = corpus.rows[held] @ fitted.bayes
        binary[held] = corpus.rows[held] @ fitted.binary + fitted.binary_bias
        if corpus.vectors is not None:
            head[held] = corpus.vectors[held] @ fitted.embed_head + fitted.embed_bias
        say(f"held-out part {fold + 1} of {count}")
    parts = [linear, bayes, lexicon_rows(lexicon, corpus.documents, corpus.subfields)]
    return HeldOut([*parts, head] if corpus.vectors is not None else parts, binary[:, 0], binary[:, 1])


def fit_talk(
    corpus: Corpus,
    lexicon: Lexicon,
    cues: Sequence[frozenset[str]],
    opinions: HeldOut,
    probabilities: NDArray[np.float64],
) -> Matrix:
    """Return the weights of the signals of talk, from held-out opinions."""
    columns = {name: column for column, name in enumerate(corpus.subfields)}
    shares = {
        name: probabilities[:, columns[name]] if name in columns else np.zeros(len(probabilities))
        for name in (TALK, PRAISE, UNCLEAR)
    }
    of_field = np.stack([(probabilities * (corpus.field_of == n)).sum(axis=1) for n in sorted(set(corpus.field_of))], 1)
    number = sorted({name.split(".")[0] for name in corpus.subfields}).index("khac")
    linear = opinions.parts[0]
    margins = linear[:, columns[TALK]] if TALK in columns else np.zeros(len(linear), np.float32)
    rows = []
    for row, words in enumerate(corpus.documents):
        opinion = TalkOpinion(
            words=float(1.0 / (1.0 + np.exp(-opinions.talk[row]))),
            share=float(shares[TALK][row]),
            other=float(of_field[row, number]),
            praise=float(shares[PRAISE][row]),
            unclear=float(shares[UNCLEAR][row]),
            best=float(np.delete(of_field[row], number).max(initial=0.0)),
            margin=float(margins[row]),
            lead=float(linear[row].max() - margins[row]),
        )
        hits = lexicon.hits(words, [strip_accents(word) for word in words])
        rows.append(signals(opinion, phrases=trouble_phrases(hits), words=words, cues=cues[row]))
    target = corpus.labels.non_report[: len(corpus.documents)]
    return fit_weights(np.array(rows, np.float32), target)


def danger_shares(corpus: Corpus) -> Matrix:
    """Return the share of dangers among the sentences of each subfield, drawn a little to the whole."""
    danger = corpus.labels.danger[: len(corpus.sentences)]
    counts = np.bincount(corpus.right, minlength=len(corpus.subfields))
    dangers = np.bincount(corpus.right, weights=danger, minlength=len(corpus.subfields))
    shares: Matrix = ((dangers + _PRIOR * danger.mean()) / (counts + _PRIOR)).astype(np.float32)
    return shares


def fit_danger(
    corpus: Corpus, alarms: Sequence[Alarms], words: Matrix, shares: Matrix, probabilities: NDArray[np.float64]
) -> Matrix:
    """Return the weights of the signals of danger, from held-out opinions."""
    subjects = probabilities @ shares
    rows = [
        danger_signals(Opinion(float(1.0 / (1.0 + np.exp(-word))), float(subject), ()), alarm)
        for word, subject, alarm in zip(words, subjects, alarms, strict=True)
    ]
    return fit_weights(np.array(rows, np.float32), corpus.labels.danger[: len(corpus.sentences)])


def held_out_report(corpus: Corpus, parts: Sequence[Matrix], lexical: Matrix, full: Matrix) -> dict[str, float]:
    """Return strict, lenient, top-2 and subfield accuracy of the mixture, without and with vectors.

    ``hard_…`` are the voices that leave out accents and words on purpose; the plain figures are all others.
    """
    hard = np.array([sentence.block.startswith(HARD_VOICES) for sentence in corpus.sentences])
    mixtures = {"": mix(parts[:3], lexical)}
    if len(full):
        mixtures["_embed"] = mix(parts, full)
    report: dict[str, float] = {}
    for suffix, probabilities in mixtures.items():
        for prefix, chosen in (("", ~hard), ("hard_", hard)):
            if chosen.any():
                found = _accuracies(corpus, probabilities, np.flatnonzero(chosen))
                report |= {f"{prefix}{name}{suffix}": value for name, value in found.items()}
    return report


def _accuracies(
    corpus: Corpus, probabilities: NDArray[np.float64], chosen: NDArray[np.int64]
) -> dict[str, float]:  # fmt: skip
    names = sorted({name.split(".")[0] for name in corpus.subfields})
    of_field = np.stack([(probabilities * (corpus.field_of == n)).sum(axis=1) for n in range(len(names))], axis=1)
    order = np.argsort(-of_field, axis=1)
    best = probabilities.argmax(axis=1)
    counted = {"strict": 0, "lenient": 0, "top2": 0, "subfield": 0}
    for row in chosen:
        sentence, first, second = corpus.sentences[row], names[order[row, 0]], names[order[row, 1]]
        counted["strict"] += first == sentence.field
        counted["lenient"] += first in sentence.right_fields
        counted["top2"] += sentence.field in (first, second)
        counted["subfield"] += int(best[row] == corpus.right[row])
    return {name: round(count / len(chosen), 4) for name, count in counted.items()}
