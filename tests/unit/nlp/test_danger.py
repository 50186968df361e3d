"""Danger: no alarm is missed because accents were, and figures of speech stay silent."""

import pytest

from nlp.danger import SIGNALS, Opinion, compile_pattern, signals
from nlp.evaluation_variants import VARIANTS
from tests.language import floors, read_cases, words_only


def _rings(text: str) -> bool:
    return words_only().understand(text).danger.rings


@pytest.mark.parametrize("variant", ["plain", "stripped", "half", "telex", "teencode"])
def test_dangers_ring_however_they_are_typed(variant: str) -> None:
    dangers = [case for case in read_cases("danger") if case["danger"]]

    silent = [case["text"] for case in dangers if not _rings(VARIANTS[variant](case["text"], case["id"]))]

    assert len(silent) <= floors()[f"danger_missed_at_most_{variant}"], silent


@pytest.mark.parametrize("variant", ["plain", "stripped"])
def test_what_only_sounds_dangerous_stays_silent(variant: str) -> None:
    harmless = [case for case in read_cases("danger") if not case["danger"]]

    false = [case["text"] for case in harmless if _rings(VARIANTS[variant](case["text"], case["id"]))]

    assert len(false) <= floors()[f"danger_false_at_most_{variant}"], false


def test_a_fire_names_its_number_and_its_words() -> None:
    text = "cháy nhà rồi, cứu với"

    danger = words_only().understand(text).danger

    assert (danger.is_danger, danger.rings, danger.kind) == (True, True, "fire")
    assert danger.hotlines[0] == "114"
    assert text[danger.start : danger.end] == danger.words


def test_a_fire_of_last_week_does_not_ring() -> None:
    assert not _rings("tuần trước cháy nhà ông Ba, đã dập xong rồi")


def test_explain_names_the_pattern() -> None:
    explanation = words_only().explain("đuối nước ở bến đò, cứu với")

    assert any("đuối nước" in reason for reason in explanation.danger_reasons)


def test_a_pattern_reads_gaps_and_choices() -> None:
    pattern = compile_pattern("xe ..4 lao|rơi ..3 vực|hố_sâu")

    assert [slot.gap for slot in pattern.slots] == [0, 4, 3]
    assert [len(slot.choices) for slot in pattern.slots] == [1, 2, 2]
    assert pattern.words == 3


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("there is a fire in the market, help", "fire"),
        ("my friend is drowning", "water"),
        ("we need an ambulance", "medical"),
    ],
)
def test_visitors_are_heard_in_english(text: str, kind: str) -> None:
    danger = words_only().understand(text).danger

    assert (danger.rings, danger.kind) == (True, kind)


def test_danger_is_weighed_from_words_subject_and_list() -> None:
    rule, language = words_only().danger, words_only()
    tokens = language.normalizer.read("cháy nhà rồi, cứu với").tokens

    alarms = rule.find(tokens)
    values = signals(Opinion(0.5, 0.5, ()), alarms)

    assert len(values) == len(SIGNALS) == len(language.scorer.danger_weights)
    assert dict(zip(SIGNALS, values, strict=True)) | {"bias": 1.0, "words": 0.0, "sure": 1.0, "exact": 1.0} == dict(
        zip(SIGNALS, values, strict=True)
    )


def test_the_list_rings_though_the_trained_opinion_doubts() -> None:
    rule, language = words_only().danger, words_only()
    text = "cháy nhà rồi, cứu với"
    tokens = language.normalizer.read(text).tokens

    doubting = rule.read(tokens, text, Opinion(0.3, 0.05, language.scorer.danger_weights))

    assert doubting.result.rings
