"""Report or talk, and what the law sends another way."""

from nlp.results import Intent
from tests.language import floors, read_cases, words_only


def test_intents_reach_their_floor() -> None:
    cases = read_cases("intents")

    right = sum(words_only().understand(case["text"]).intent == case["intent"] for case in cases)

    assert right >= floors()["intents_right"]


def test_no_report_is_taken_for_talk() -> None:
    dangers = [case["text"] for case in read_cases("danger") if case["danger"]]
    reports = [case["text"] for case in read_cases("intents") if case["intent"] == "report"]

    dropped = [t for t in (*dangers, *reports) if words_only().understand(t).intent is not Intent.REPORT]

    assert len(dropped) <= floors()["reports_dropped_at_most"], dropped


def test_redirects_are_proposed_for_their_matters() -> None:
    cases = [case for case in read_cases("intents") if "redirect" in case]

    right = sum(words_only().understand(case["text"]).redirect == case["redirect"] for case in cases)

    assert right >= floors()["redirects_right"]


def test_a_text_without_a_word_is_empty() -> None:
    understanding = words_only().understand("👍👍 ...")

    assert understanding.intent is Intent.EMPTY
    assert understanding.field.confidence == 0.0
