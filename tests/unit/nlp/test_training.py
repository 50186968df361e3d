"""Training from a handful of sentences: reproducible, usable, and never split inside a voice."""

import json
from pathlib import Path

import pytest

from nlp.evaluation import evaluate, write_pictures
from nlp.pipeline import load_language
from nlp.training import train
from nlp.training_data import Sentence, folds_by_block, read_sentences, sentence_of
from tests.language import read_cases, words_only

_SUBFIELDS = {
    "ha_tang.mat_duong": ("đường ổ gà to quá", "mặt đường sụt lún nguy hiểm", "ổ voi giữa đường thôn"),
    "thien_tai_moi_truong.rac": ("rác chất đống đầu ngõ", "đổ trộm rác ra suối", "xe rác cả tuần không thu gom"),
    "khac.chuyen_phiem": ("chào ad buổi sáng", "cho hỏi quán phở ngon", "cảm ơn ad nhiều nhé"),
    "khac.gop_y": ("góp ý trồng thêm cây xanh", "khen anh cán bộ nhiệt tình", "đề xuất thêm ghế đá công viên"),
    "trat_tu_xa_hoi.gay_roi": ("cầm dao chém nhau trước chợ", "đánh nhau chảy máu cứu với", "say rượu chửi bới cả đêm"),
}


@pytest.fixture
def sources(tmp_path: Path) -> tuple[Path, Path]:
    sentences, lexicon = tmp_path / "sentences", tmp_path / "lexicon"
    sentences.mkdir()
    lexicon.mkdir()
    rows = [
        {
            "text": f"{text} {tail}", "field": name.split(".")[0], "subfield": name, "either": [],
            "block": f"b{number}", "style": "chat",
            "danger": "cứu" in text or "dao" in text, "non_report": name == "khac.chuyen_phiem",
        }
        for name, texts in _SUBFIELDS.items()
        for number, tail in enumerate(("", "ạ", "nha", "hôm nay"))
        for text in texts
    ]  # fmt: skip
    (sentences / "own.jsonl").write_text(
        "\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8"
    )
    (lexicon / "own.toml").write_text('["ha_tang.mat_duong"]\nphrases = ["ổ gà", "sụt lún"]\n', encoding="utf-8")
    return sentences, lexicon


@pytest.mark.slow
def test_training_twice_gives_the_same_bytes(sources: tuple[Path, Path], tmp_path: Path) -> None:
    first = train(*sources, tmp_path / "first.zip", use_embed=False)
    second = train(*sources, tmp_path / "second.zip", use_embed=False)

    assert first.version == second.version
    assert (tmp_path / "first.zip").read_bytes() == (tmp_path / "second.zip").read_bytes()
    assert (first.sentences, first.phrases, first.with_embedding) == (60, 2, False)


@pytest.mark.slow
def test_a_model_from_confirmed_reports_is_usable(sources: tuple[Path, Path], tmp_path: Path) -> None:
    confirmed = Sentence("loa kéo ồn ào", "trat_tu_xa_hoi", "trat_tu_xa_hoi.on_sinh_hoat", block="b1")

    train(*sources, tmp_path / "own.zip", extra=[confirmed], use_embed=False)
    language = load_language(gazetteer_path=None, model_path=tmp_path / "own.zip", use_embed=False)

    assert language.understand("duong nhieu o ga").field.subfield == "ha_tang.mat_duong"
    assert "trat_tu_xa_hoi.on_sinh_hoat" in language.scorer.subfields


def test_no_voice_is_split_between_folds() -> None:
    sentences = read_sentences(Path(__file__).parents[3] / "nlp" / "data" / "sentences")

    folds: dict[str, set[int]] = {}
    for sentence, fold in zip(sentences, folds_by_block(sentences, 4), strict=True):
        folds.setdefault(sentence.block, set()).add(fold)

    assert len(sentences) > 5000
    assert all(len(found) == 1 for found in folds.values())


def test_a_line_without_extras_has_defaults() -> None:
    sentence = sentence_of({"text": "a", "field": "khac", "subfield": "khac.chuyen_phiem"})

    assert sentence.non_report
    assert sentence.right_fields == {"khac"}


def test_no_case_repeats_a_training_sentence() -> None:
    own = {s.text.lower() for s in read_sentences(Path(__file__).parents[3] / "nlp" / "data" / "sentences")}

    cases = [case["text"] for name in ("fields", "danger", "intents") for case in read_cases(name)]
    assert [text for text in cases if len(text.split()) > 3 and text.lower() in own] == []


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_pictures_are_drawn(tmp_path: Path) -> None:
    evaluation = evaluate(words_only(), read_cases("fields")[:12], variants=("plain",))

    paths = write_pictures(evaluation, tmp_path)

    assert [path.name for path in paths] == ["confusion.svg", "reliability.svg", "coverage.svg"]
    assert all(path.stat().st_size > 1000 for path in paths)
