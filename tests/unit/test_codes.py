"""Report codes: readable, found in what people type, and a slip of the finger is noticed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.codes import ALPHABET, clean_code_part, find_codes, is_code_body, new_code

bodies = st.text(ALPHABET, min_size=5, max_size=5).map(
    lambda body: next(body + check for check in ALPHABET if is_code_body(body + check))
)


def test_a_new_code_is_valid_and_can_be_read_aloud() -> None:
    for _ in range(200):
        prefix, _, body = new_code("PA").partition("-")

        assert prefix == "PA"
        assert is_code_body(body)
        assert not set(body) & set("01OIL")


def test_new_codes_differ() -> None:
    assert len({new_code("PA") for _ in range(500)}) == 500


@given(bodies, st.integers(0, 5), st.sampled_from(ALPHABET))
def test_one_wrong_letter_is_noticed(body: str, place: int, letter: str) -> None:
    wrong = body[:place] + letter + body[place + 1 :]

    assert is_code_body(wrong) == (wrong == body)


@given(bodies, st.integers(0, 3))
def test_two_letters_swapped_are_noticed(body: str, place: int) -> None:
    wrong = body[:place] + body[place + 1] + body[place] + body[place + 2 :]

    assert is_code_body(wrong) == (wrong == body)


@given(bodies, st.sampled_from(["PA-{}", "pa {}", "Pa{}", "pa_{}", "mã PA-{} nhé", "PA.{}!"]))
def test_a_code_is_found_however_it_is_typed(body: str, form: str) -> None:
    typed = form.format(body if form[0] == "P" else body.lower())

    assert find_codes(typed, "PA") == (f"PA-{body}",)


@given(bodies.filter(lambda body: any(letter.isdigit() for letter in body)))
def test_the_body_alone_is_found_where_it_has_a_digit(body: str) -> None:
    assert find_codes(f"cho hỏi {body.lower()} sao rồi", "PA") == (f"PA-{body}",)


def test_codes_come_in_order_and_once_each() -> None:
    first, second = new_code("PA"), new_code("PA")

    assert find_codes(f"{second} và {first}, à {second}", "PA") == (second, first)


@pytest.mark.parametrize("text", ["", "đường hỏng", "PA-222223", "QQ-7K3M9Q", "số 12345678", "phường Cốc Lếu"])
def test_what_is_no_code_is_not_found(text: str) -> None:
    assert find_codes(text, "PA") == ()


@pytest.mark.parametrize(
    ("typed", "part"), [("pa-7k3", "7K3"), ("7k3", "7K3"), ("PA 7K3 M9Q", "7K3M9Q"), ("m9q", "M9Q"), ("pa", "PA")]
)
def test_an_officers_shortened_code_is_cleaned(typed: str, part: str) -> None:
    assert clean_code_part(typed, "PA") == part
