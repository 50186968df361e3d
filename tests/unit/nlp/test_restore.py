"""Putting accents back."""

from nlp.evaluation_variants import half_stripped, stripped
from nlp.normalize import has_accents
from nlp.restore import Choice, Restorer, build_tables
from tests.language import floors, read_cases, words_only


def _share_right(variant: str) -> float:
    normalizer = words_only().normalizer
    right = total = 0
    change = stripped if variant == "stripped" else half_stripped
    for case in read_cases("fields"):
        expected = normalizer.normalize(case["text"]).tokens
        found = normalizer.normalize(change(case["text"], case["id"])).tokens
        if not any(map(has_accents, expected)) or len(expected) != len(found):
            continue
        total += len(expected)
        right += sum(a == b for a, b in zip(expected, found, strict=True))
    return right / total


def test_most_syllables_get_their_accents_back() -> None:
    assert _share_right("stripped") >= floors()["restored_stripped"]


def test_half_stripped_text_is_easier() -> None:
    assert _share_right("half") >= floors()["restored_half"]


def test_typed_accents_are_kept() -> None:
    text = "chó chạy quanh chợ cho khách sợ"

    assert words_only().normalizer.normalize(text).text == text


def test_words_around_decide() -> None:
    rows = [(("chó", "cắn"), 5), (("đi", "chợ"), 5), (("cho", "em"), 5)]
    restorer = Restorer(build_tables(rows))

    def reading(*words: str) -> list[str]:
        row = [
            Choice(tuple((form, cost, "accent") for form, cost in restorer.forms(w, accent_cost=0.0))) for w in words
        ]
        return [form for form, _ in restorer.best(row)]

    assert reading("cho", "can") == ["chó", "cắn"]
    assert reading("di", "cho") == ["đi", "chợ"]
    assert reading("cho", "em") == ["cho", "em"]


def test_a_pause_ends_the_context() -> None:
    restorer = Restorer(build_tables([(("mất", "điện", ".", "đường", "hỏng"), 3)]))
    row = [Choice((("mất", 0.0, ""),)), None, Choice((("đường", 0.0, ""), ("dưỡng", 0.0, "")))]

    assert [form for form, _ in restorer.best(row)] == ["mất", "", "đường"]


def test_unknown_words_pass_through() -> None:
    restorer = Restorer(build_tables([(("đường",), 1)]))

    assert restorer.forms("zzz", accent_cost=0.0) == [("zzz", 0.0)]
