"""Features of the linear models: two channels, and guessed accents at half weight."""

from nlp.features import GUESSED, damped, features_of


def test_words_and_pairs_are_counted_with_and_without_accents() -> None:
    counts = features_of(("ổ", "gà", ".", "ổ", "gà", "?"))

    assert counts == {"w ổ": 2, "s o": 2, "w gà": 2, "s ga": 2, "w ổ gà": 2, "s o ga": 2, "?": 1}


def test_a_guessed_accent_counts_less_and_only_with_accents() -> None:
    counts = features_of(("ổ", "gà"), (True, False))

    assert (counts["w ổ"], counts["w gà"], counts["w ổ gà"]) == (GUESSED, 1.0, GUESSED)
    assert (counts["s o"], counts["s ga"], counts["s o ga"]) == (1.0, 1.0, 1.0)


def test_numbers_are_alike_and_commas_part_nothing() -> None:
    assert features_of(("sau", ",", "3", "ngày")) == features_of(("sau", "12", "ngày"))


def test_twice_is_not_twice_as_much() -> None:
    assert damped(0.5) == 0.5
    assert damped(1.0) == 1.0
    assert 1.0 < damped(2.0) < 2.0
