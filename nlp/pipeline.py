"""One call that reads a citizen's text: repaired words, intent, danger, field, place."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from nlp.danger import Opinion, words_for_patterns
from nlp.results import (
    Change,
    Context,
    DangerResult,
    FieldAction,
    FieldResult,
    Intent,
    Locality,
    Normalized,
    PlaceAction,
    Understanding,
)
from nlp.talk import probability, signals, trouble_phrases

if TYPE_CHECKING:
    from nlp.danger import DangerReading, DangerRule
    from nlp.embed import Embedder
    from nlp.fields import FieldScorer, Policy, Scores
    from nlp.framing import Framing
    from nlp.gazetteer import Gazetteer
    from nlp.intents import IntentRule
    from nlp.normalize import Normalizer, Reading

EMBED_BELOW = 0.75  # ask the embedding only where the words alone leave a doubt
MOST_RESTORED = 0.1  # share of guessed accents; beyond it a sentence vector feels every wrong guess and misleads


@dataclass(frozen=True, slots=True)
class ModelScore:
    """What one model says: its best subfields with raw scores (they are comparable within the model only)."""

    model: str
    top: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Every stage between a text and its ``Understanding``, for ``paht nlp explain``."""

    text: str
    restored: str
    changes: tuple[Change, ...]
    lexicon_hits: tuple[tuple[str, tuple[tuple[str, float], ...]], ...]  # (phrase, its subfields with weights)
    models: tuple[ModelScore, ...]
    talk: float  # probability that it is no report
    danger_score: float
    danger_reasons: tuple[str, ...]
    band: FieldAction
    place_reasons: tuple[str, ...]
    understanding: Understanding
    used_embedding: bool = False


@dataclass(frozen=True, slots=True)
class Language:
    """The loaded language part. Nothing in it changes after loading, so threads and forked processes may share it."""

    normalizer: "Normalizer"
    scorer: "FieldScorer"
    danger: "DangerRule"
    intents: "IntentRule"
    framing: "Framing"
    policy: "Policy"
    gazetteer: "Gazetteer | None" = None
    embedder: "Embedder | None" = None
    version: str = ""
    report: dict[str, object] = field(default_factory=dict)

    def understand(self, text: str, *, context: Context = Context()) -> Understanding:
        return understand(self, text, context=context)

    def explain(self, text: str, *, context: Context = Context()) -> Explanation:
        return explain(self, text, context=context)


@dataclass(frozen=True, slots=True)
class _Steps:
    """The intermediate results of one text."""

    reading: "Reading"
    scores: "Scores"
    danger: "DangerReading"
    talk: float
    understanding: Understanding


def load_language(
    *,
    gazetteer_path: Path | None,
    model_path: Path | None = None,
    use_embed: bool | None = None,
    policy: "Policy | None" = None,
) -> Language:
    """Load tables and models; ``use_embed`` None = when installed. Raises ``nlp.model_store.UnusableModel``."""
    from nlp.danger import load_danger  # loading is the one moment that may be slow: importing this module is not
    from nlp.embed import load_embedder
    from nlp.fields import FieldScorer, Policy
    from nlp.framing import load_framing
    from nlp.intents import load_intents
    from nlp.lexicon import Lexicon
    from nlp.model_store import DEFAULT_MODEL, read_model
    from nlp.normalize.normalizer import TABLES, load_normalizer
    from nlp.restore import Restorer

    model = read_model(model_path or DEFAULT_MODEL)
    lexicon = Lexicon({tuple(phrase.split()): owners for phrase, owners in model.lexicon.items()})
    scorer = FieldScorer(
        model.fields, lexicon, version=model.version, is_calibrated=bool(model.report.get("is_calibrated"))
    )
    gazetteer = None
    if gazetteer_path is not None:
        from nlp.gazetteer import load_gazetteer

        gazetteer = load_gazetteer(gazetteer_path)
    return Language(
        normalizer=load_normalizer(Restorer(model.restorer)),
        scorer=scorer,
        danger=load_danger(TABLES / "danger.toml"),
        intents=load_intents(TABLES / "intents.toml"),
        framing=load_framing(TABLES / "framing.toml"),
        policy=policy or Policy(),
        gazetteer=gazetteer,
        embedder=load_embedder(use_embed) if scorer.has_embedding else None,
        version=model.version,
        report=dict(model.report),
    )


def understand(language: Language, text: str, *, context: Context) -> Understanding:
    """Read one text. Never raises on the text's account: what cannot be read has low confidence."""
    return _read(language, text, context).understanding


def explain(language: Language, text: str, *, context: Context) -> Explanation:
    """Read one text and keep every reason."""
    steps = _read(language, text, context)
    scores, reading = steps.scores, steps.danger
    reasons = [
        f"{name}: {match.pattern} ({match.kind})"
        for name in ("sure", "likely", "harmless", "past", "feared")
        for match in getattr(reading.alarms, name)
    ]
    place = steps.understanding.locality
    return Explanation(
        text=text,
        restored=steps.reading.normalized.text,
        changes=steps.reading.normalized.changes,
        lexicon_hits=tuple((hit.phrase, hit.subfields) for hit in scores.hits),
        models=_model_scores(language, scores),
        talk=steps.talk,
        danger_score=reading.score,
        danger_reasons=tuple(reasons),
        band=steps.understanding.field.action,
        place_reasons=tuple(reason for candidate in place.candidates for reason in candidate.evidence),
        understanding=steps.understanding,
        used_embedding=scores.embedding is not None,
    )


def _read(language: Language, text: str, context: Context) -> _Steps:
    reading = language.normalizer.read(text)
    seen = words_for_patterns(reading.tokens)
    matter = language.framing.matter(reading.tokens, words=seen)
    words = [token.text for token in matter]
    guessed = [token.step == "accent" for token in matter]
    scores = language.scorer.score(words, guessed=guessed)
    if sum(guessed) <= MOST_RESTORED * len(matter):
        scores = _with_embedding(language, words, scores)
    spans = [(token.start, token.end) for token in matter]
    second = language.scorer.second_field(words, scores, guessed)
    field_result = language.scorer.decide(scores, spans, language.policy, secondary=second)
    opinion = Opinion(scores.danger, language.scorer.danger_share(scores), language.scorer.danger_weights)
    danger = language.danger.read(reading.tokens, text, opinion, words=seen)
    cues = language.intents.cues(reading.tokens, words=seen)
    talk = _talk(language, scores, words, cues)
    intent = _intent(language, reading, cues, talk, is_danger=danger.result.rings)
    redirect = None
    if intent is Intent.REPORT:
        probability = _probability(language, scores, field_result.subfield)
        redirect = language.intents.redirect(cues, field_result.subfield, probability)
    understanding = Understanding(
        normalized=reading.normalized,
        intent=intent,
        field=_field(field_result, intent, danger.result),
        danger=danger.result,
        locality=_place(language, text, reading.normalized, context),
        redirect=redirect,
        phone_numbers=reading.phone_numbers,
    )
    return _Steps(reading, scores, danger, talk, understanding)


def _with_embedding(language: Language, words: Sequence[str], scores: "Scores") -> "Scores":
    if language.embedder is None or not words:
        return scores
    if language.scorer.field_probabilities(scores)[0][1] >= EMBED_BELOW:
        return scores
    return language.scorer.with_embedding(scores, language.embedder.embed(" ".join(words)))


def _talk(language: Language, scores: "Scores", words: Sequence[str], cues: frozenset[str]) -> float:
    opinion = language.scorer.talk_opinion(scores)
    values = signals(opinion, phrases=trouble_phrases(scores.hits), words=words, cues=cues)
    return probability(values, language.scorer.talk_weights)


def _probability(language: Language, scores: "Scores", subfield: str) -> float:
    names: Sequence[str] = language.scorer.subfields
    return float(scores.probabilities[names.index(subfield)]) if subfield in names else 0.0


def _intent(
    language: Language, reading: "Reading", cues: frozenset[str], talk: float, *, is_danger: bool
) -> Intent:  # fmt: skip
    if not any(token.kind == "word" for token in reading.tokens):
        return Intent.EMPTY
    if is_danger:
        return Intent.REPORT
    return language.intents.intent(cues, talk)


def _field(result: FieldResult, intent: Intent, danger: DangerResult) -> FieldResult:
    """A text without a word leaves nothing to accept."""
    if intent is not Intent.EMPTY:
        return result
    return FieldResult("khac", "khac.khong_ro", 0.0, result.top, FieldAction.INTAKE, model_version=result.model_version)


def _place(language: Language, text: str, normalized: Normalized, context: Context) -> Locality:
    if language.gazetteer is None:
        return Locality(PlaceAction.NONE)
    from nlp.locality import resolve_place

    return resolve_place(language.gazetteer, text, context=context, repaired=normalized)


def _model_scores(language: Language, scores: "Scores") -> tuple[ModelScore, ...]:
    rows = [("linear", scores.linear), ("bayes", scores.bayes), ("lexicon", scores.lexicon)]
    if scores.embedding is not None:
        rows.append(("embedding", scores.embedding))
    names = language.scorer.subfields
    result = []
    for model, vector in rows:
        order = vector.argsort()[::-1][:3]
        result.append(ModelScore(model, tuple((names[column], round(float(vector[column]), 3)) for column in order)))
    return tuple(result)
