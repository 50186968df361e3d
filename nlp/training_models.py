"""Fit the linear models, the embedding head and their mixture; scikit-learn lives here and nowhere at run time."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]  # ships no types
from scipy.optimize import minimize  # type: ignore[import-untyped]  # ships no types
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import ComplementNB
from sklearn.svm import LinearSVC

from nlp.features import damped, features_of
from nlp.fields import LEXICON_CAP
from nlp.lexicon import Lexicon
from nlp.normalize import strip_accents

Matrix = NDArray[np.float32]

LINEAR_C = 2.0
BAYES_ALPHA = 0.25
EMBED_C = 30.0
BINARY_C = 1.0
PHRASE_WEIGHT = 0.6  # of a lexicon phrase against a whole sentence
_SEED = 0


@dataclass(frozen=True, slots=True)
class Space:
    """The features kept, and how much each weighs."""

    features: tuple[str, ...]
    idf: Matrix

    def matrix(self, documents: Sequence[Sequence[str]]) -> sparse.csr_matrix:
        """Return the tf-idf rows, scaled to length one."""
        index = {name: column for column, name in enumerate(self.features)}
        data: list[float] = []
        columns: list[int] = []
        starts = [0]
        for tokens in documents:
            row = {index[name]: count for name, count in features_of(tokens).items() if name in index}
            values = {column: damped(count) * float(self.idf[column]) for column, count in row.items()}
            norm = math.sqrt(sum(value * value for value in values.values())) or 1.0
            for column in sorted(values):
                columns.append(column)
                data.append(values[column] / norm)
            starts.append(len(columns))
        return sparse.csr_matrix((data, columns, starts), shape=(len(documents), len(self.features)), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Fitted:
    """Weights of the models over one space; columns are the subfields in order."""

    linear: Matrix
    linear_bias: Matrix
    bayes: Matrix
    binary: Matrix
    binary_bias: Matrix
    embed_head: Matrix
    embed_bias: Matrix


@dataclass(frozen=True, slots=True)
class Labels:
    """Targets of documents: subfield columns, and danger and non-report as 0/1 (-1: unknown, a phrase)."""

    subfields: NDArray[np.int64]
    danger: NDArray[np.int64]
    non_report: NDArray[np.int64]
    weights: Matrix

    def take(self, chosen: NDArray[np.bool_]) -> "Labels":
        return Labels(self.subfields[chosen], self.danger[chosen], self.non_report[chosen], self.weights[chosen])


def build_space(documents: Sequence[Sequence[str]], phrases: Sequence[Sequence[str]]) -> Space:
    """Keep features seen twice, and all single words of sentences and all features of phrases."""
    seen: dict[str, int] = {}
    for tokens in (*documents, *phrases):
        for name in features_of(tokens):
            seen[name] = seen.get(name, 0) + 1
    of_phrases = {name for tokens in phrases for name in features_of(tokens)}
    kept = sorted(name for name, count in seen.items() if count > 1 or name in of_phrases)
    total = len(documents) + len(phrases)
    idf = np.array([np.log((1 + total) / (1 + seen[name])) + 1.0 for name in kept], np.float32)
    return Space(tuple(kept), idf)


def fit(
    rows: sparse.csr_matrix, labels: Labels, size: int, vectors: Matrix | None, has_vector: NDArray[np.bool_]
) -> Fitted:
    """Fit all models on documents; ``vectors`` are the embeddings of those marked in ``has_vector``."""
    linear = LinearSVC(C=LINEAR_C, random_state=_SEED)  # as good as logistic regression and ten times as fast
    linear.fit(rows, labels.subfields, sample_weight=labels.weights)
    bayes = ComplementNB(alpha=BAYES_ALPHA)
    bayes.fit(rows, labels.subfields, sample_weight=labels.weights)
    danger, danger_bias = _binary(rows, labels.danger)
    chat, chat_bias = _binary(rows, labels.non_report)
    head = np.zeros((0, size), np.float32)
    head_bias = np.zeros(0, np.float32)
    if vectors is not None:
        model = LogisticRegression(C=EMBED_C, max_iter=400)
        model.fit(vectors, labels.subfields[has_vector], sample_weight=labels.weights[has_vector])
        head = _columns(model.coef_, model.classes_, size)
        head_bias = _bias(model.intercept_, model.classes_, size)
    return Fitted(
        linear=_columns(linear.coef_, linear.classes_, size),
        linear_bias=_bias(linear.intercept_, linear.classes_, size),
        bayes=_centred(_columns(bayes.feature_log_prob_, bayes.classes_, size)),
        binary=np.stack([danger, chat], axis=1).astype(np.float32),
        binary_bias=np.array([danger_bias, chat_bias], np.float32),
        embed_head=head,
        embed_bias=head_bias,
    )


def lexicon_rows(lexicon: Lexicon, documents: Sequence[Sequence[str]], subfields: Sequence[str]) -> Matrix:
    """Return the lexicon's score of each document and subfield."""
    columns = {name: column for column, name in enumerate(subfields)}
    result = np.zeros((len(documents), len(subfields)), np.float32)
    for row, tokens in enumerate(documents):
        for hit in lexicon.hits(tokens, [strip_accents(token) for token in tokens]):
            for name, weight in hit.subfields:
                if name in columns:
                    result[row, columns[name]] += weight
    capped: Matrix = np.minimum(result, LEXICON_CAP)
    return capped


def fit_mixture(parts: Sequence[Matrix], right: NDArray[np.int64], field_of: NDArray[np.int64]) -> Matrix:
    """Return the weights of the log scores that make the held-out fields and subfields likeliest."""

    def loss(log_weights: NDArray[np.float64]) -> float:
        probabilities = mix(parts, np.exp(log_weights))
        own = field_of[right][:, None] == field_of[None, :]
        of_field = np.clip((probabilities * own).sum(axis=1), 1e-9, 1.0)
        of_subfield = np.clip(probabilities[np.arange(len(right)), right], 1e-9, 1.0)
        return float(-np.log(of_field).mean() - 0.3 * np.log(of_subfield).mean())

    start = np.log(np.array([6.0, 0.7, 0.2, 2.0][: len(parts)]))
    found = minimize(loss, start, method="Nelder-Mead", options={"maxiter": 200, "xatol": 0.01, "fatol": 1e-4})
    weights: Matrix = np.exp(found.x).astype(np.float32)
    return weights


def mix(parts: Sequence[Matrix], weights: Sequence[float] | NDArray[np.generic]) -> NDArray[np.float64]:
    """Return the probabilities of the weighted geometric mean."""
    logits = np.zeros(parts[0].shape, np.float64)
    for part, weight in zip(parts, weights, strict=True):
        logits += float(weight) * part
    logits -= logits.max(axis=1, keepdims=True)
    powers = np.exp(logits)
    result: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return result


def fit_weights(rows: Matrix, target: NDArray[np.int64]) -> Matrix:
    """Return logistic weights of a few signals, of which the first is the constant 1."""
    model = LogisticRegression(C=1.0, max_iter=2000, fit_intercept=False)
    model.fit(rows, target)
    weights: Matrix = model.coef_[0].astype(np.float32)
    return weights


def quantize(weights: Matrix) -> tuple[NDArray[np.int8], Matrix]:
    """Return 8-bit weights and one scale a row."""
    scale = (np.abs(weights).max(axis=1) / 127.0).astype(np.float32)
    scale[scale == 0] = 1.0
    steps: NDArray[np.int8] = np.round(weights / scale[:, None]).astype(np.int8)
    return steps, scale


def _binary(rows: sparse.csr_matrix, target: NDArray[np.int64]) -> tuple[Matrix, float]:
    known = target >= 0
    if len(set(target[known].tolist())) < 2:
        return np.zeros(rows.shape[1], np.float32), -9.0
    model = LinearSVC(C=BINARY_C, random_state=_SEED)
    model.fit(rows[known], target[known])
    return model.coef_[0].astype(np.float32), float(model.intercept_[0])


def _columns(by_class: NDArray[np.float64], classes: NDArray[np.int64], size: int) -> Matrix:
    result = np.zeros((by_class.shape[1], size), np.float32)
    result[:, classes] = by_class.T
    return result


def _bias(values: NDArray[np.float64], classes: NDArray[np.int64], size: int) -> Matrix:
    result = np.full(size, -9.0, np.float32)
    result[classes] = values
    return result


def _centred(weights: Matrix) -> Matrix:
    centred: Matrix = weights - weights.mean(axis=1, keepdims=True)
    return centred
