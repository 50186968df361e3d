"""Fields and subfields: figures on own cases that no training sentence repeats, and how results are shaped."""

import pytest

from nlp import model_store
from nlp.evaluation import compare, evaluate, interval, mcnemar, predict_lines
from nlp.evaluation_variants import VARIANTS
from nlp.fields import Policy
from nlp.lexicon import Lexicon, weigh
from nlp.model_store import DEFAULT_MODEL, UnusableModel, read_model, write_model
from nlp.results import FieldAction
from tests.language import floors, read_cases, words_only


def test_fields_and_subfields_reach_their_floors() -> None:
    evaluation = evaluate(
        words_only(), read_cases("fields"), variants=("plain", "stripped", "half", "telex", "teencode")
    )
    floor = floors()

    assert evaluation.figures["lenient"].value >= floor["field_lenient"]
    assert evaluation.figures["subfield"].value >= floor["subfield"]
    for variant, shares in evaluation.variants.items():
        assert shares["lenient"] >= floor[f"field_{variant}"], variant


def test_held_out_voices_reach_their_floors() -> None:
    held_out = read_model().report["held_out"]
    floor = floors()

    for name in ("strict", "lenient", "top2", "subfield"):
        assert held_out[name] >= floor[f"held_out_{name}"], name
        assert held_out[f"hard_{name}"] >= floor[f"held_out_hard_{name}"], name


def test_every_subfield_has_a_case() -> None:
    named = {case["subfield"] for case in read_cases("fields")}

    missing = set(words_only().scorer.subfields) - named
    assert missing <= {"khac.khong_ro", "khac.ngoai_dia_ban"}  # what they are about is known only from outside the text


def test_probabilities_sum_to_one_and_the_best_comes_first() -> None:
    result = words_only().understand("ổ gà to giữa đường, xe ngã suốt").field

    assert result.field == "ha_tang"
    assert result.subfield == "ha_tang.mat_duong"
    assert result.top[0] == (result.field, result.confidence)
    assert [p for _, p in result.top] == sorted((p for _, p in result.top), reverse=True)
    assert 0.99 <= sum(words_only().scorer.score(("ổ", "gà")).probabilities) <= 1.01


def test_evidence_points_into_the_original() -> None:
    text = "Ad ơi, ổ gà to quá"

    evidence = words_only().understand(text).field.evidence

    hit = next(item for item in evidence if item.words == "ổ gà")
    assert text[hit.start : hit.end] == "ổ gà"


@pytest.mark.parametrize(
    ("policy", "action"),
    [
        (Policy(0.0, 0.0), FieldAction.ACCEPT),
        (Policy(1.01, 0.0), FieldAction.ASK),
        (Policy(1.01, 1.01), FieldAction.INTAKE),
    ],
)
def test_the_bands_decide_what_happens(policy: Policy, action: FieldAction) -> None:
    language = words_only()
    tokens = language.normalizer.normalize("mất nước ba ngày").tokens

    result = language.scorer.decide(language.scorer.score(tokens), [(0, 0)] * len(tokens), policy)

    assert result.action is action


def test_two_troubles_name_a_second_field() -> None:
    result = words_only().understand("rác thải đổ đầy suối, hôi thối. Với lại đèn đường hỏng cả tháng, tối om").field

    assert {result.field, result.secondary} == {"thien_tai_moi_truong", "ha_tang"}


def test_longer_and_rarer_phrases_weigh_more() -> None:
    weights = weigh([("a.x", ("ổ", "gà")), ("a.x", ("rác",)), ("b.y", ("rác",))])
    lexicon = Lexicon(weights)

    assert weights["ổ", "gà"]["a.x"] > weights["rác",]["a.x"]
    assert [hit.phrase for hit in lexicon.hits(["có", "ổ", "gà"], ["co", "o", "ga"])] == ["ổ gà"]
    assert [hit.phrase for hit in lexicon.hits(["o", "ga"], ["o", "ga"])] == ["o ga"]


def test_a_damaged_model_says_so(tmp_path) -> None:  # type: ignore[no-untyped-def]
    broken = tmp_path / "language.zip"
    broken.write_bytes(DEFAULT_MODEL.read_bytes()[:5000])

    with pytest.raises(UnusableModel, match="train one"):
        read_model(broken)
    with pytest.raises(UnusableModel, match="no such file"):
        read_model(tmp_path / "none.zip")


def test_an_outdated_model_names_what_it_lacks(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    model, old = read_model(), tmp_path / "old.zip"
    kept = {name: part for name, part in model_store._parts(model).items() if name != "fields/talk.npy"}
    monkeypatch.setattr(model_store, "_parts", lambda _: kept)
    write_model(model, old)

    with pytest.raises(UnusableModel, match=r"older than this program, fields/talk\.npy is missing"):
        read_model(old)


def test_a_model_is_written_the_same_every_time(tmp_path) -> None:  # type: ignore[no-untyped-def]
    model = read_model()

    first, second = tmp_path / "first.zip", tmp_path / "second.zip"
    assert write_model(model, first) == write_model(model, second) == model.version
    assert first.read_bytes() == second.read_bytes()


def test_prediction_lines_have_the_agreed_keys() -> None:
    line = next(
        iter(
            predict_lines(words_only(), [{"id": "x", "text": "đèn đường hỏng"}, {"id": "y", "lat": 22.3, "lon": 103.8}])
        )
    )

    assert set(line) == {
        "id",
        "field",
        "subfield",
        "confidence",
        "top",
        "action",
        "danger",
        "non_report",
        "ward",
        "ward_action",
        "ward_candidates",
        "ms",
    }


def test_comparing_a_model_with_itself_finds_nothing() -> None:
    judged = evaluate(words_only(), read_cases("fields")[:10], variants=("plain",)).judged

    result = compare(judged, judged)

    assert (result.only_first, result.only_second, result.p_value) == (0, 0, 1.0)


def test_small_figures() -> None:
    assert mcnemar(0, 10) < 0.01
    assert mcnemar(5, 5) == 1.0
    assert interval(0.9, 400).low > 0.86


def test_variants_change_only_how_it_is_typed() -> None:
    text = "Đường không có đèn, được chưa"

    assert VARIANTS["stripped"](text, "1") == "Duong khong co den, duoc chua"
    assert VARIANTS["telex"](text, "1").startswith("DDuwowngf khoong cos ddenf,")
    assert VARIANTS["plain"](text, "1") == text
    assert VARIANTS["half"](text, "1") == VARIANTS["half"](text, "1")


def test_one_word_is_a_topic_and_asks() -> None:
    assert words_only().understand("taxi").field.action is FieldAction.ASK
    assert words_only().understand("how much is the ticket").field.action is FieldAction.INTAKE
    assert words_only().understand("mất nước").field.action is FieldAction.ACCEPT
