"""Train the language part from own sentences and phrases: accents, field models, mixture; always the same bytes."""

import hashlib
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nlp.danger import Alarms, load_danger
from nlp.embed import Embedder, load_embedder
from nlp.framing import load_framing
from nlp.intents import load_intents
from nlp.lexicon import Lexicon, read_phrases, weigh
from nlp.normalize import load_normalizer
from nlp.normalize.normalizer import TABLES
from nlp.restore import Restorer, RestorerTables, build_tables
from nlp.training_data import Sentence, accent_rows, folds_by_block, listed_words, place_names, read_sentences

if TYPE_CHECKING:
    from nlp.model_store import StoredModel

FOLDS = 4
MISSPELT = frozenset(("typo", "typos"))  # styles that teach no spelling

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """What was trained, from what, and what the voices that were held out say about it."""

    version: str
    sentences: int
    phrases: int
    features: int
    subfields: int
    with_embedding: bool
    seconds: float
    held_out: dict[str, float]
    data_hash: str


@dataclass(frozen=True, slots=True)
class Material:
    """Everything that the models are fitted on."""

    sentences: Sequence[Sentence]
    phrases: Sequence[tuple[str, str]]
    documents: Sequence[Sequence[str]]  # of the sentences
    phrase_documents: Sequence[Sequence[str]]
    restorer: RestorerTables
    cues: Sequence[frozenset[str]] = ()  # of the intent, by sentence
    alarms: Sequence[Alarms] = ()  # of danger, by sentence


def train(
    sentences_dir: Path,
    lexicon_dir: Path,
    out: Path,
    *,
    extra: Iterable[Sentence] | None = None,
    progress: Progress | None = None,
    use_embed: bool | None = None,
) -> TrainingReport:
    """Train on ``*.jsonl`` and ``*.toml`` (and ``extra`` confirmed sentences) and write the model to ``out``."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships no types

    import nlp.training_folds  # noqa: F401  # before the limit below, which binds only libraries already loaded
    from nlp.model_store import write_model

    say = progress or (lambda _: None)
    started = time.monotonic()
    sentences = [*read_sentences(sentences_dir), *(extra or ())]
    phrases = list(dict.fromkeys(read_phrases(lexicon_dir)))
    with threadpool_limits(limits=1):  # sums in one order give equal bytes
        say(f"{len(sentences)} sentences, {len(phrases)} phrases: training the accents")
        material = prepare(sentences, phrases)
        say("reading sentence vectors" if use_embed is not False else "no sentence vectors")
        embedder = load_embedder(use_embed)
        model, held_out = fit_model(material, embedder, say)
    stored_version = write_model(model, out)
    return TrainingReport(
        version=stored_version,
        sentences=len(sentences),
        phrases=len(phrases),
        features=len(model.fields.features),
        subfields=len(model.fields.subfields),
        with_embedding=model.fields.embed_head.size > 0,
        seconds=round(time.monotonic() - started, 1),
        held_out=held_out,
        data_hash=str(model.report["data_hash"]),
    )


def prepare(sentences: Sequence[Sentence], phrases: Sequence[tuple[str, str]]) -> Material:
    """Train the restorer and repair every text with it."""
    plain = load_normalizer()
    texts = [*(s.text for s in sentences if s.style not in MISSPELT), *(phrase for _, phrase in phrases)]
    tables = build_tables(accent_rows(plain, texts, [*listed_words(), *place_names(TABLES)]))
    normalizer = load_normalizer(Restorer(tables))
    framing, intents = load_framing(TABLES / "framing.toml"), load_intents(TABLES / "intents.toml")
    danger = load_danger(TABLES / "danger.toml")
    readings = [normalizer.read(sentence.text).tokens for sentence in sentences]
    return Material(
        sentences=sentences,
        phrases=phrases,
        documents=[tuple(token.text for token in framing.matter(tokens)) for tokens in readings],
        phrase_documents=[normalizer.normalize(phrase).tokens for _, phrase in phrases],
        restorer=tables,
        cues=[intents.cues(tokens) for tokens in readings],
        alarms=[danger.find(tokens) for tokens in readings],
    )


def build_lexicon(material: Material) -> dict[tuple[str, ...], dict[str, float]]:
    rows = zip(material.phrases, material.phrase_documents, strict=True)
    return weigh((subfield, tuple(document)) for (subfield, _), document in rows)


def fit_model(material: Material, embedder: Embedder | None, say: Progress) -> "tuple[StoredModel, dict[str, float]]":
    """Fit the final models on everything and their mixture on held-out voices."""
    import numpy as np

    from nlp.fields import FieldTables
    from nlp.model_store import StoredModel
    from nlp.training_folds import Corpus, danger_shares, fit_danger, fit_talk, held_out, held_out_report
    from nlp.training_models import fit, fit_mixture, mix, quantize

    phrases = build_lexicon(material)
    lexicon = Lexicon(phrases)
    corpus = Corpus.of(material.sentences, material.phrases, material.documents, material.phrase_documents, embedder)
    folds = folds_by_block(material.sentences, FOLDS)
    say("fitting on held-out voices")
    opinions = held_out(corpus, lexicon, folds, FOLDS, say)
    parts = opinions.parts
    right, field_of = corpus.right, corpus.field_of
    lexical = fit_mixture(parts[:3], right, field_of)
    full = fit_mixture(parts, right, field_of) if len(parts) == 4 else np.zeros(0, np.float32)
    figures = held_out_report(corpus, parts, lexical, full)
    mixed = mix(parts[:3], lexical)
    talk = fit_talk(corpus, lexicon, material.cues, opinions, mixed)
    shares = danger_shares(corpus)
    danger = fit_danger(corpus, material.alarms, opinions.danger, shares, mixed)
    say("fitting the final models")
    fitted = fit(corpus.rows, corpus.labels, len(corpus.subfields), corpus.vectors, corpus.has_vector)
    linear, linear_scale = quantize(fitted.linear)
    bayes, bayes_scale = quantize(fitted.bayes)
    tables = FieldTables(
        features=corpus.space.features,
        subfields=corpus.subfields,
        idf=corpus.space.idf,
        linear=linear,
        linear_scale=linear_scale,
        linear_bias=fitted.linear_bias,
        bayes=bayes,
        bayes_scale=bayes_scale,
        binary=fitted.binary,
        binary_bias=fitted.binary_bias,
        weights=np.concatenate([lexical, full]).astype(np.float32),
        embed_head=fitted.embed_head,
        embed_bias=fitted.embed_bias,
        talk=talk,
        danger=danger,
        danger_share=shares,
    )
    report: dict[str, Any] = {
        "sentences": len(material.sentences),
        "phrases": len(material.phrases),
        "data_hash": data_hash(material),
        "held_out": figures,
        "libraries": {name: version(name) for name in ("numpy", "scikit-learn", "underthesea")},
        "mixture": [round(float(weight), 3) for weight in tables.weights],
    }
    stored_phrases = {" ".join(words): owners for words, owners in phrases.items()}
    return StoredModel(material.restorer, tables, stored_phrases, report), figures


def data_hash(material: Material) -> str:
    """Return a short hash of the sentences with their labels and of the phrases."""
    digest = hashlib.sha256()
    for sentence in material.sentences:
        digest.update(repr(sentence).encode())
    for subfield, phrase in material.phrases:
        digest.update(f"{subfield}\t{phrase}\n".encode())
    return digest.hexdigest()[:12]
