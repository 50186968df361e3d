"""How good is it? Predictions in one line format, tables over labelled lines, and a paired test between two models."""

import math
import random
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nlp.evaluation_variants import VARIANTS
from nlp.pipeline import Language
from nlp.results import Context, Intent, PinResult, PlaceAction, PlaceCandidate, Understanding

_RESAMPLES = 400
_COVERAGES = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
_BINS = 10


@dataclass(frozen=True, slots=True)
class Judged:
    """One labelled message and what was said about it."""

    gold: Mapping[str, Any]
    prediction: Mapping[str, Any]

    @property
    def is_strict(self) -> bool:
        return bool(self.gold["field"] == self.prediction["field"])

    @property
    def is_lenient(self) -> bool:
        return self.is_strict or self.prediction["field"] in (self.gold.get("either") or ())

    @property
    def confidence(self) -> float:
        return float(self.prediction["confidence"])


@dataclass(frozen=True, slots=True)
class Figure:
    """A share with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The tables over one set of labelled messages, plain and as other thumbs type them."""

    count: int
    figures: Mapping[str, Figure]  # strict, lenient, top2, subfield, accepted, accepted_lenient
    macro_f1: float
    calibration_error: Figure
    recall: Mapping[str, Figure]  # by field
    coverage: tuple[tuple[float, float, float], ...]  # (coverage, strict, lenient), most confident first
    reliability: tuple[tuple[float, float, int], ...]  # (mean confidence, share right, count) of each bin
    confusion: Mapping[tuple[str, str], int]  # (labelled, predicted) → count
    counts: Mapping[str, int]  # danger_missed, danger_false, non_report_filed, report_dropped …
    milliseconds: tuple[float, float]  # p50, p95
    variants: Mapping[str, Mapping[str, float]]  # variant → strict, lenient, top2, subfield
    judged: tuple[Judged, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two models on the same messages: who is right where the other is wrong, and could it be chance?"""

    only_first: int
    only_second: int
    p_value: float  # exact McNemar, two-sided
    difference: Figure  # second minus first, share of right fields


def predict_lines(language: Language, lines: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield a prediction line for each input line {"id", "text"?, "lat"?, "lon"?, "context_province"?}."""
    for line in lines:
        context = Context(province_code=str(line.get("context_province") or ""))
        started = time.perf_counter()
        if line.get("text") is not None:
            prediction = prediction_of(language.understand(str(line["text"]), context=context))
        else:
            prediction = _pin_prediction(language, line)
        yield {"id": line["id"], **prediction, "ms": round((time.perf_counter() - started) * 1000, 3)}


def prediction_of(understanding: Understanding) -> dict[str, Any]:
    """Return the prediction line of one understanding, without id and time."""
    result, place = understanding.field, understanding.locality
    return {
        "field": result.field,
        "subfield": result.subfield,
        "confidence": round(result.confidence, 4),
        "top": [[name, round(probability, 4)] for name, probability in result.top],
        "action": str(result.action),
        "danger": understanding.danger.rings,
        "non_report": understanding.intent is not Intent.REPORT,
        "ward": _ward(place.best),
        "ward_action": str(place.action),
        "ward_candidates": [candidate.current.code for candidate in place.candidates],
    }


def evaluate(
    language: Language, rows: Sequence[Mapping[str, Any]], *, variants: Sequence[str] = tuple(VARIANTS)
) -> Evaluation:
    """Measure on labelled rows (text, field, subfield, either, danger, non_report, id)."""
    gold = [{"id": str(number), **row} for number, row in enumerate(rows)]
    judged = _judge(language, gold, "plain")
    others = {name: _shares(_judge(language, gold, name)) for name in variants if name != "plain"}
    return tables(judged, variants={"plain": _shares(judged), **others})


def tables(judged: Sequence[Judged], *, variants: Mapping[str, Mapping[str, float]] | None = None) -> Evaluation:
    """Count everything that is published with a model."""
    fields = sorted({str(item.gold["field"]) for item in judged})
    times = sorted(float(item.prediction.get("ms") or 0.0) for item in judged)
    accepted = [item for item in judged if item.prediction["action"] == "accept"]
    shares = _shares(judged)
    figures = {name: interval(share, len(judged)) for name, share in shares.items()}
    figures["accepted"] = interval(len(accepted) / max(1, len(judged)), len(judged))
    lenient = sum(item.is_lenient for item in accepted)
    figures["accepted_lenient"] = interval(lenient / max(1, len(accepted)), max(1, len(accepted)))
    return Evaluation(
        count=len(judged),
        figures=figures,
        macro_f1=_macro_f1(judged, fields),
        calibration_error=_calibration(judged),
        recall={name: _recall(judged, name) for name in fields},
        coverage=tuple(_at_coverage(judged, share) for share in _COVERAGES),
        reliability=tuple(_bins(judged)),
        confusion=Counter((str(i.gold["field"]), str(i.prediction["field"])) for i in judged),
        counts=_counts(judged),
        milliseconds=(_quantile(times, 0.5), _quantile(times, 0.95)),
        variants=variants or {},
        judged=tuple(judged),
    )


def compare(first: Sequence[Judged], second: Sequence[Judged], *, seed: int = 0) -> Comparison:
    """Compare two models judged on the same rows in the same order."""
    pairs = [(a.is_lenient, b.is_lenient) for a, b in zip(first, second, strict=True)]
    only_first = sum(a and not b for a, b in pairs)
    only_second = sum(b and not a for a, b in pairs)
    lot = random.Random(seed)
    gains = sorted(sum(b - a for a, b in lot.choices(pairs, k=len(pairs))) / len(pairs) for _ in range(_RESAMPLES))
    difference = Figure((only_second - only_first) / len(pairs), _quantile(gains, 0.025), _quantile(gains, 0.975))
    return Comparison(only_first, only_second, mcnemar(only_first, only_second), difference)


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the two-sided exact probability of so uneven a split by chance."""
    total = only_first + only_second
    if not total:
        return 1.0
    tail = sum(math.comb(total, k) for k in range(min(only_first, only_second) + 1)) / 2**total
    return min(1.0, float(2 * tail))


def interval(share: float, count: int) -> Figure:
    """Return the share with Wilson's 95 % interval."""
    if count <= 0:
        return Figure(share, 0.0, 1.0)
    z2 = 1.96**2
    centre = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = 1.96 * math.sqrt(share * (1 - share) / count + z2 / (4 * count**2)) / (1 + z2 / count)
    return Figure(share, max(0.0, centre - half), min(1.0, centre + half))


def _judge(language: Language, gold: Sequence[Mapping[str, Any]], variant: str) -> list[Judged]:
    change = VARIANTS[variant]
    lines = [{**row, "text": change(str(row["text"]), str(row["id"]))} for row in gold]
    return [Judged(row, line) for row, line in zip(gold, predict_lines(language, lines), strict=True)]


def _shares(judged: Sequence[Judged]) -> dict[str, float]:
    count = max(1, len(judged))
    second = sum(i.gold["field"] in [name for name, _ in i.prediction["top"][:2]] for i in judged)
    return {
        "strict": sum(item.is_strict for item in judged) / count,
        "lenient": sum(item.is_lenient for item in judged) / count,
        "top2": second / count,
        "subfield": sum(i.gold.get("subfield") == i.prediction["subfield"] for i in judged) / count,
    }


def _counts(judged: Sequence[Judged]) -> dict[str, int]:
    def count(of_gold: str, in_prediction: str, *, gold: bool, said: bool) -> int:
        return sum(
            bool(i.gold.get(of_gold)) == gold and bool(i.prediction[in_prediction]) == said for i in judged
        )  # fmt: skip

    return {
        "danger": sum(bool(item.gold.get("danger")) for item in judged),
        "danger_missed": count("danger", "danger", gold=True, said=False),
        "danger_false": count("danger", "danger", gold=False, said=True),
        "non_report": sum(bool(item.gold.get("non_report")) for item in judged),
        "non_report_filed": count("non_report", "non_report", gold=True, said=False),
        "report_dropped": count("non_report", "non_report", gold=False, said=True),
    }


def _macro_f1(judged: Sequence[Judged], fields: Sequence[str]) -> float:
    scores = []
    for name in fields:
        right = sum(item.is_strict and item.gold["field"] == name for item in judged)
        said = sum(item.prediction["field"] == name for item in judged)
        labelled = sum(item.gold["field"] == name for item in judged)
        scores.append(2 * right / (said + labelled))
    return float(sum(scores)) / max(1, len(scores))


def _recall(judged: Sequence[Judged], name: str) -> Figure:
    own = [item.is_strict for item in judged if item.gold["field"] == name]
    return interval(sum(own) / len(own), len(own))


def _calibration(judged: Sequence[Judged]) -> Figure:
    """Expected calibration error with a bootstrap interval."""
    pairs = [(item.confidence, item.is_strict) for item in judged]
    lot = random.Random(0)
    sampled = sorted(_ece(lot.choices(pairs, k=len(pairs))) for _ in range(_RESAMPLES)) if pairs else [0.0]
    return Figure(_ece(pairs), _quantile(sampled, 0.025), _quantile(sampled, 0.975))


def _ece(pairs: Sequence[tuple[float, bool]]) -> float:
    gaps = [0.0] * _BINS
    for confidence, right in pairs:
        gaps[min(_BINS - 1, int(_BINS * confidence))] += confidence - right
    return sum(map(abs, gaps)) / max(1, len(pairs))


def _bins(judged: Sequence[Judged]) -> Iterator[tuple[float, float, int]]:
    for number in range(_BINS):
        inside = [i for i in judged if min(_BINS - 1, int(_BINS * i.confidence)) == number]
        if inside:
            mean = sum(item.confidence for item in inside) / len(inside)
            yield mean, sum(item.is_strict for item in inside) / len(inside), len(inside)


def _at_coverage(judged: Sequence[Judged], share: float) -> tuple[float, float, float]:
    sure = sorted(judged, key=lambda item: -item.confidence)[: max(1, round(share * len(judged)))]
    return share, sum(i.is_strict for i in sure) / len(sure), sum(i.is_lenient for i in sure) / len(sure)


def _quantile(values: Sequence[float], share: float) -> float:
    return values[min(len(values) - 1, int(share * len(values)))] if values else 0.0


def _ward(candidate: PlaceCandidate | None) -> dict[str, str] | None:
    if candidate is None:
        return None
    return {"code": candidate.current.code, "name": candidate.current.name, "province": candidate.current.province}


def _pin_prediction(language: Language, line: Mapping[str, Any]) -> dict[str, Any]:
    """Return the commune of a point; without a gazetteer there is none."""
    if language.gazetteer is None:
        return {"ward": None, "ward_action": str(PlaceAction.NONE), "ward_candidates": []}
    from nlp.pins import locate_point  # loads numpy: only for lines with a point

    found: PinResult = locate_point(language.gazetteer, float(line["lat"]), float(line["lon"]))
    codes = [unit.code for unit, _ in found.candidates]
    best = found.best
    ward = {"code": best.code, "name": best.name, "province": best.province} if best else None
    return {"ward": ward, "ward_action": "accept" if best else "none", "ward_candidates": codes}


def write_pictures(evaluation: Evaluation, folder: Path, *, kind: str = "svg") -> tuple[Path, ...]:
    """Draw confusion, reliability and coverage into ``folder``; needs matplotlib of the ``train`` extra."""
    from nlp.evaluation_pictures import draw  # matplotlib only when pictures are wanted

    return draw(evaluation, folder, kind=kind)
