"""What the normaliser makes of messages, and what it never does."""

import random
import time
import unicodedata

import pytest

from nlp.normalize import load_normalizer, settle_tone, strip_accents
from nlp.normalize.keys import decode_telex, decode_vni
from nlp.normalize.syllables import admits, is_complete, is_stripped_syllable, is_syllable
from nlp.normalize.tokens import Kind, read_tokens
from nlp.normalize.variants import dialect_forms, slips
from tests.language import floors, read_cases, words_only

HOSTILE = [
    "",
    " ",
    "\n\n\n",
    "\x00\x01",
    "🔥" * 50,
    "a" * 5000,
    "ế" * 3000,
    "a\u0301\u0302\u0303" * 500,
    "\u202e\u200b\ufeff",
    "1" * 4000,
    "0912" * 600,
    "http://" + "x" * 3000,
    "<script>alert(1)</script>",
    "'; DROP TABLE reports;--",
    "%s%n{}" * 40,
    "ｆｕｌｌ　ｗｉｄｔｈ",
    "q̶̢̛w̷e̴r̸t̶y",
    "ди́м рос",
    "中文消息",
    "العربية",
    "k" * 30,
    ". . . . ? ? ?",
    "a.b.c.d.e.f",
    "ko" * 2000,
    "đ" * 4000,
    "\ud7ff",
]


def test_cases_reach_their_floor() -> None:
    cases = read_cases("normalize")
    language = words_only()

    wrong = [
        (case["id"], case["expected"], found)
        for case in cases
        if (found := language.normalizer.normalize(case["text"]).text) != case["expected"]
    ]

    assert len(cases) - len(wrong) >= floors()["normalize_right"], wrong


@pytest.mark.parametrize(
    ("keys", "word"),
    [
        ("dduwowngf", "đường"),
        ("ddieenj", "điện"),
        ("nuwowcs", "nước"),
        ("khoong", "không"),
        ("thuyr", "thủy"),
        ("hoaf", "hòa"),
    ],
)
def test_telex_keys_are_decoded(keys: str, word: str) -> None:
    assert decode_telex(keys) == word


@pytest.mark.parametrize(("keys", "word"), [("d9u7o7ng2", "đường"), ("d9ie65n", "điện"), ("nu7o7c1", "nước")])
def test_vni_keys_are_decoded(keys: str, word: str) -> None:
    assert decode_vni(keys) == word


def test_what_is_no_vietnamese_keeps_its_letters() -> None:
    for word in ("shop", "clip", "check", "xyzw", "bmw"):
        assert decode_telex(word) is None


@pytest.mark.parametrize(
    ("written", "settled"), [("hoà", "hòa"), ("hòa", "hòa"), ("thuỷ", "thủy"), ("quý", "quý"), ("giữa", "giữa")]
)
def test_the_tone_stands_in_one_place(written: str, settled: str) -> None:
    assert settle_tone(written) == settled


def test_syllables_are_told_from_other_words() -> None:
    assert is_syllable("đường")
    assert is_syllable("nghiêng")
    assert not is_syllable("mât")  # a stop without its tone
    assert not is_syllable("shop")
    assert is_stripped_syllable("duong")
    assert is_complete("bác")
    assert not is_complete("bac")


def test_a_half_accented_word_admits_only_what_fits_its_marks() -> None:
    assert admits("mât", "mất")
    assert not admits("mât", "mắt")
    assert admits("duong", "đường")


def test_dialect_and_slips_offer_the_standard_word() -> None:
    assert "nước" in dict(dialect_forms("lước"))
    assert "rác" in dict(dialect_forms("dác"))
    assert "cũng" in dict(dialect_forms("củng"))
    assert "duong" in slips("duonng")


def test_tokens_know_their_place_in_the_original() -> None:
    text = "Cháy! gọi 0912 345 678, xem http://a.vn nhé"

    tokens, phones = read_tokens(text)

    assert phones == ("0912 345 678",)
    for token in tokens:
        if token.kind is Kind.WORD:
            assert unicodedata.normalize("NFC", text[token.start : token.end]).lower() == token.written


def test_every_change_says_what_stood_where() -> None:
    text = "e ở P.Kim Tan k co nc"

    changes = words_only().normalizer.normalize(text).changes

    assert changes
    assert all(text[change.start : change.end] == change.before for change in changes)
    assert {"shorthand", "accent"} <= {change.step for change in changes}


def test_composed_and_decomposed_text_read_alike() -> None:
    language = words_only()
    for case in read_cases("fields"):
        composed = language.normalizer.normalize(unicodedata.normalize("NFC", case["text"]))
        decomposed = language.normalizer.normalize(unicodedata.normalize("NFD", case["text"]))
        assert composed.tokens == decomposed.tokens


def test_normalising_twice_changes_nothing_more() -> None:
    normalizer = words_only().normalizer
    for name in ("fields", "danger", "normalize"):
        for case in read_cases(name):
            once = normalizer.normalize(case["text"]).text
            assert normalizer.normalize(once).text == once, case["text"]


def test_without_a_restorer_accents_stay_as_typed() -> None:
    assert load_normalizer().normalize("duong hong ko ai sua").text == "duong hong không ai sua"


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_read_without_an_error(text: str) -> None:
    reading = words_only().normalizer.read(text)

    assert all(0 <= token.start <= token.end <= len(text) for token in reading.tokens)


def test_random_text_is_read_without_an_error() -> None:
    lot = random.Random(7)
    letters = "abcdeghiklmnopqrstuvxyzăâđêôơưáàảãạấầốồớờứừ 0123456789.,?!\n\t-/@#🔥\u0301\u0300\u200bфы中"
    normalizer = words_only().normalizer
    for _ in range(600):
        text = "".join(lot.choices(letters, k=lot.randrange(80)))
        once = normalizer.normalize(text)
        assert len(once.tokens) == len(once.offsets)


def test_a_huge_text_takes_bounded_time() -> None:
    started = time.perf_counter()

    words_only().normalizer.normalize("duong truoc nha toi bi ngap " * 4000)

    assert time.perf_counter() - started < 3.0


def test_stripping_is_idempotent() -> None:
    assert strip_accents(strip_accents("Đường Nguyễn Huệ")) == "Duong Nguyen Hue"
