"""The catalogue: every sentence is used, complete, filled in right and good to read."""

import ast
import re
import tomllib
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from handlers.bootstrap import build_office
from handlers.messages import UnsupportedKind
from handlers.settings import PROJECT, Settings
from handlers.texts import MissingText, Texts, load_texts
from nlp.results import Redirect
from storage.workflow import REJECT_CODES, Outcome, Status

TEXTS = load_texts()
SECTIONS = {key.partition(".")[0] for key in TEXTS.sentences}
CODE = [path for folder in ("handlers", "bot") for path in sorted((PROJECT / folder).rglob("*.py"))]
KEY = re.compile(r"[a-z]+\.[a-z][A-Za-z0-9_]*")
DANGER_TABLE = PROJECT / "nlp" / "data" / "tables" / "danger.toml"
MEDIA_PROBLEMS = ("too_large", "not_image", "broken", "too_many_pixels", "heic", "unreachable")
VALUES: dict[str, str] = {
    "agency": "UBND Phường Sa Pa",
    "answer": "Đã dọn sạch rác trong buổi sáng.",
    "area": "thành phố Lào Cai và thị xã Sa Pa (cũ)",
    "channel": "Tổng đài 1022",
    "citizen_reception": "Trụ sở tiếp công dân của tỉnh",
    "code": "PA-7K3M9Q",
    "commune": "Phường Lào Cai",
    "communes": "• Phường Sa Pa\n• Xã Tả Van",
    "count": "4",
    "date": "02/03/2026",
    "days": "10",
    "due": "17:00 thứ Năm 12/03/2026",
    "field": "Hạ tầng, đô thị – Mặt đường",
    "fields": "• Vận tải\n• Du lịch",
    "former": "Phường Cốc Lếu",
    "gist": "nơi này ngoài địa bàn.",
    "intake": "Tổ tiếp nhận phản ánh hiện trường",
    "lat": "22.336400",
    "limit": "10",
    "lines": "PA-7K3M9Q · đang xử lý\nPA-8M4N2R · đã đóng",
    "lon": "103.843800",
    "note": "Đã bố trí xe thu gom.",
    "numbers": "114, 115",
    "outcome": "đã khắc phục",
    "outside_channel": "Tổng đài 1022",
    "photos": "4",
    "pin": "Phường Sa Pa",
    "place": "chợ Cốc Lếu",
    "prefix": "PA",
    "public_service_portal": "Cổng Dịch vụ công quốc gia",
    "question": "Rác ở cổng nào?",
    "reason": "Không xác định được nơi xảy ra.",
    "status": "đang xử lý",
    "text": "Phường Lào Cai",
}


def hotlines() -> set[str]:
    """All numbers that the danger table may name, and the children's line."""
    table = tomllib.loads(DANGER_TABLE.read_text(encoding="utf-8"))
    return {number for kind in table["kinds"].values() for number in kind["hotlines"]} | {"111", "112", "115"}


def made_up_keys() -> set[str]:
    """Keys that the code puts together from an enum or a table."""
    return (
        {f"status.{status.value}" for status in Status}
        | {f"unsupported.{kind.value}" for kind in UnsupportedKind}
        | {f"media.{problem}" for problem in MEDIA_PROBLEMS}
        | {f"reject.{code}" for code in REJECT_CODES}
        | {f"outcome.{outcome.value}" for outcome in Outcome}
        | {f"danger.h{number}" for number in hotlines()}
        | {f"summary.redirect_{redirect.value}" for redirect in Redirect}
        | {f"ask.what_after_{given}" for given in ("photo", "place", "both", "words")}
    )


def constants(path: Path) -> Iterator[str]:
    """Whole strings of a module; the pieces of f-strings are no keys."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    pieces = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in pieces:
            yield node.value


WORDS_IN_CODE = {word for path in CODE for word in constants(path)}
KEYS_IN_CODE = {word for word in WORDS_IN_CODE if KEY.fullmatch(word) and word.partition(".")[0] in SECTIONS}
LABELS = ("button.", "rate.")  # the code names only what follows: put_labels(["send", …])


def is_used(key: str) -> bool:
    if key in KEYS_IN_CODE or key in made_up_keys():
        return True
    return key.startswith(LABELS) and key.partition(".")[2] in WORDS_IN_CODE


def render(texts: Texts, key: str) -> str:
    return texts.say(key, **{name: VALUES[name] for name in texts.placeholders(key)})


def test_the_code_asks_for_no_sentence_that_is_missing() -> None:
    file_names = {word for word in KEYS_IN_CODE if word.endswith((".toml", ".csv", ".py", ".jpg", ".db"))}

    assert sorted((KEYS_IN_CODE | made_up_keys()) - file_names - set(TEXTS.sentences)) == []


def test_no_sentence_is_left_over() -> None:
    assert [key for key in TEXTS.sentences if not is_used(key)] == []


def test_what_the_code_fills_in_is_what_the_sentence_needs() -> None:
    wrong = []
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
                continue
            key, given = node.args[0].value, {keyword.arg for keyword in node.keywords}
            if key not in TEXTS.sentences or None in given:  # None: **values
                continue
            if missing := TEXTS.placeholders(key) - given:
                wrong.append(f"{path.name}:{node.lineno} {key} lacks {sorted(missing)}")

    assert wrong == []


@pytest.mark.parametrize("key", sorted(TEXTS.sentences))
def test_every_sentence_is_good_to_read(key: str) -> None:
    text = render(TEXTS, key)

    assert unicodedata.is_normalized("NFC", text)
    assert not re.search(r"[{}]|  |\t| \n|\n\n\n| [,.;:?!]", text)
    assert text.count("\n\n") <= 1
    assert text.strip("\n") == text.strip()


@pytest.mark.parametrize("key", sorted(TEXTS.sentences))
def test_the_citizen_is_addressed_alike_everywhere(key: str) -> None:
    # the bot is "mình", the citizen "bạn": no officialese, and nobody is made older or younger than they are
    said = re.sub("«.*?»|của tôi|trẻ em", "", render(TEXTS, key).lower())

    assert not {"tôi", "quý", "khách", "anh", "chị", "em", "ông", "bà", "cháu"} & set(re.findall(r"\w+", said))


def test_labels_fit_on_a_button() -> None:
    too_long = [key for key in TEXTS.sentences if key.startswith("button.") and len(render(TEXTS, key)) > 40]

    assert too_long == []


@pytest.mark.parametrize("number", sorted(hotlines()))
def test_a_hotline_stands_first_with_who_answers(number: str) -> None:
    who = {"113": "công an", "114": "cháy, cứu nạn", "115": "cấp cứu", "112": "tìm kiếm cứu nạn", "111": "trẻ em"}

    text = TEXTS.say(f"danger.h{number}")

    assert text.startswith(f"Gọi ngay {number} (")
    assert who[number] in text


def test_a_missing_sentence_or_value_is_an_error() -> None:
    with pytest.raises(MissingText, match=r"filed\.nothing"):
        TEXTS.say("filed.nothing")
    with pytest.raises(MissingText, match="due"):
        TEXTS.say("filed.text", code="PA-7K3M9Q")


def test_a_province_has_its_own_wording() -> None:
    texts = load_texts({"talk.thanks": "Cảm ơn bà con."})

    assert texts.say("talk.thanks") == "Cảm ơn bà con."
    assert texts.say("talk.fine") == TEXTS.say("talk.fine")


def test_the_shipped_pack_changes_only_sentences_that_exist(tmp_path: Path) -> None:
    office = build_office(Settings(data_dir=tmp_path))

    assert set(office.pack.texts) <= set(TEXTS.sentences)
    for key in TEXTS.sentences:
        assert office.texts.placeholders(key) <= TEXTS.placeholders(key)
