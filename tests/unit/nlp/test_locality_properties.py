"""What must hold for any text: names find themselves, spelling variants agree, hostile input is harmless and quick."""

import random
import time
import unicodedata
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.gazetteer import Gazetteer
from nlp.gazetteer_keys import accented_key, folded_key, strip_accents
from nlp.locality import resolve_place
from nlp.locality.telex import decode_telex
from nlp.results import Change, Context, Normalized, PlaceAction

SAMPLE = 700  # of 13,356 names; another seed a week would find no more than another sample


def own_answer(gazetteer: Gazetteer, text: str, code: str, as_of: date | None = None) -> bool:
    found = resolve_place(gazetteer, text, context=Context(as_of=as_of))
    return code in [candidate.current.code for candidate in found.candidates]


def test_every_commune_with_its_province_finds_itself(gazetteer: Gazetteer) -> None:
    numbers = random.Random(7).sample(range(len(gazetteer.new_versions)), SAMPLE)
    units = [gazetteer.new_unit(number) for number in numbers]

    lost = [unit.label for unit in units if not own_answer(gazetteer, unit.label, unit.code)]

    assert lost == []


def test_every_old_ward_with_district_and_province_finds_what_it_became(gazetteer: Gazetteer) -> None:
    numbers = random.Random(11).sample(range(len(gazetteer.old_units)), SAMPLE)
    lost = []
    for number in numbers:
        label = gazetteer.old_units[number].label
        targets = {gazetteer.new_versions[new][0].code for new in gazetteer.links[number]}
        if not any(own_answer(gazetteer, label, code) for code in targets):
            lost.append(label)

    assert lost == []


def test_every_old_ward_is_itself_the_day_before_the_reorganisation(gazetteer: Gazetteer) -> None:
    numbers = random.Random(13).sample([n for n, unit in enumerate(gazetteer.old_units) if unit.code], SAMPLE)
    units = [gazetteer.old_units[number] for number in numbers]

    lost = [unit.label for unit in units if not own_answer(gazetteer, unit.label, unit.code, date(2025, 6, 30))]

    assert lost == []


def test_composed_and_decomposed_text_agree(gazetteer: Gazetteer) -> None:
    text = "Ổ gà ở xã Tả Phời, thành phố Lào Cai"
    decomposed = unicodedata.normalize("NFD", text)

    composed, other = resolve_place(gazetteer, text), resolve_place(gazetteer, decomposed)

    assert composed.best is not None and other.best is not None
    assert composed.best.current == other.best.current
    assert decomposed[other.best.start : other.best.end] == unicodedata.normalize("NFD", "Tả Phời")


@given(st.text(max_size=60))
def test_folding_is_idempotent(text: str) -> None:
    assert folded_key(folded_key(text)) == folded_key(text)
    assert accented_key(accented_key(text)) == accented_key(text)
    assert strip_accents(strip_accents(text)) == strip_accents(text)


@pytest.mark.parametrize(("one", "other"), [("hoà bình", "hòa bình"), ("Quy Nhơn", "Qui Nhơn"), ("Đắk Pơ", "Đắc Pơ")])
def test_spellings_share_a_key(one: str, other: str) -> None:
    assert accented_key(one) == accented_key(other)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("dduwowngf", "đường"), ("xax", "xã"), ("huyeenj", "huyện"), ("tar", "tả"), ("Ddawk".lower(), "đăk"), ("van", "")],
)
def test_telex_keys_become_letters(typed: str, meant: str) -> None:
    assert decode_telex(typed) == meant


@given(st.text(max_size=300))
@settings(max_examples=150, deadline=None)
def test_no_text_is_too_odd(gazetteer: Gazetteer, text: str) -> None:
    found = resolve_place(gazetteer, text, context=Context(province_code="15"))

    assert all(text[c.start : c.end] == c.written for c in found.candidates if c.written and found.area is None)


@pytest.mark.parametrize(
    "text",
    [
        "xã Tả Van " * 10_000,
        "a " * 50_000,
        "p." * 50_000,
        "\u200b\u200d\u2060" * 30_000,
        "🏔" * 25_000,
        "\u202excã pat" * 10_000,
        "\u0301" * 100_000,
        "tan lap huyen tan lap " * 5_000,
        "đường " * 20_000,
        "(" * 100_000,
        "từ " * 30_000,
        "12/" * 30_000,
    ],
    ids=["names", "letters", "dots", "zero width", "emoji", "right to left", "marks", "areas", "streets", "brackets",
         "segments", "numbers"],
)  # fmt: skip
def test_hostile_input_stays_quick(gazetteer: Gazetteer, text: str) -> None:
    started = time.thread_time()

    resolve_place(gazetteer, text, context=Context(province_code="15"))

    assert time.thread_time() - started < 0.5


def test_zero_width_and_case_change_nothing(gazetteer: Gazetteer) -> None:
    plain = resolve_place(gazetteer, "xã Tả Van, Sa Pa")
    odd = resolve_place(gazetteer, "XÃ T\u1ea2\u200b VAN, SA PA")

    assert plain.best is not None and odd.best is not None
    assert plain.best.current == odd.best.current


def test_the_area_served_breaks_ties_only_softly(gazetteer: Gazetteer) -> None:
    text = "phường Nam Cường đèn hỏng"
    served = Context(province_code="15", pilot_codes=frozenset({"02671"}))

    found = resolve_place(gazetteer, text, context=served)

    assert found.action is PlaceAction.ASK
    assert found.best is not None and found.best.current.name == "Phường Cam Đường"


def test_repairs_of_the_normaliser_are_further_evidence(gazetteer: Gazetteer) -> None:
    text = "ow3 xaz Tả Vann sạt lở"
    repaired = Normalized(
        text, "ở xã tả van sạt lở", ("ở", "xã", "tả", "van", "sạt", "lở"), (0, 4, 8, 11, 16, 20),
        (Change("typo", 4, 7, "xaz", "xã"), Change("typo", 11, 15, "Vann", "van")),
    )  # fmt: skip

    found = resolve_place(gazetteer, text, context=Context(province_code="15"), repaired=repaired)

    assert found.action is PlaceAction.ACCEPT
    assert found.best is not None and found.best.written == "Tả Vann"
