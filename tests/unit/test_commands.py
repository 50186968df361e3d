"""What a typed line asks for: commands and answers, with and without accents, slash and politeness."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.codes import new_code
from handlers.commands import (
    Command,
    asks_to_restore,
    is_yes,
    match_choice,
    match_draft_verb,
    parse_command,
    typed_number,
)
from handlers.drafts import ChoiceOption, ChoiceSet
from handlers.folding import fold

CONFIRM = ChoiceSet(
    "a",
    (
        ChoiceOption("Gửi", "send"),
        ChoiceOption("Sửa lĩnh vực", "edit_field"),
        ChoiceOption("Sửa địa điểm", "edit_place"),
        ChoiceOption("Thêm", "add"),
        ChoiceOption("Huỷ", "cancel"),
    ),
)
COMMUNES = ChoiceSet(
    "b",
    (
        ChoiceOption("Phường Sa Pa", "commune:03006:"),
        ChoiceOption("Xã Tả Phìn (cũ: Xã Sa Pả)", "commune:03013:Xã Sa Pả"),
        ChoiceOption("Không rõ phường, xã", "unknown_place"),
    ),
)
NAMES = {
    Command.START: "bắt đầu",
    Command.NEW: "phản ánh mới",
    Command.MINE: "của tôi",
    Command.LOOKUP: "tra cứu",
    Command.CANCEL: "huỷ",
    Command.HELP: "trợ giúp",
    Command.FIELDS: "lĩnh vực",
    Command.AREA: "địa bàn",
    Command.ERASE: "xoá dữ liệu",
}


@pytest.mark.parametrize("command", list(Command))
@pytest.mark.parametrize(
    "form",
    ["{}", "{} ", "{}!", "{} nhé", "{} giúp mình với", "/{}"],
    ids=["plain", "space", "!", "nhé", "giúp", "slash"],
)
def test_every_command_is_understood_in_every_form(command: Command, form: str) -> None:
    name = NAMES[command]
    spellings = (name, name.upper(), fold(name), fold(name).replace(" ", ""), unicodedata.normalize("NFD", name))

    for spelling in spellings:
        typed = parse_command(form.format(spelling), "PA")

        assert typed is not None, spelling
        assert typed.command is command


def test_both_ways_of_placing_the_tone_mark_are_the_same() -> None:
    for spelling in ("huỷ", "hủy", "xoá dữ liệu", "xóa dữ liệu"):
        assert parse_command(spelling, "PA") is not None


@pytest.mark.parametrize("form", ["tra cứu {}", "/tracuu {}", "tra cuu ma {}", "tra cứu: {}", "{}", "xem mã {}"])
def test_a_look_up_carries_its_code(form: str) -> None:
    code = new_code("PA")

    for typed in (code, code.lower(), code.replace("-", " "), code.removeprefix("PA-")):
        if not any(letter.isdigit() for letter in code[3:]) and not typed.upper().startswith("PA"):
            continue
        command = parse_command(form.format(typed), "PA")

        assert command is not None
        assert (command.command, command.codes) == (Command.LOOKUP, (code,))


@pytest.mark.parametrize(
    "text",
    [
        "huỷ hợp đồng điện mà vẫn bị trừ tiền",
        "tôi muốn phản ánh mới đây có vụ đổ rác",
        "đường của tôi bị hỏng",
        "trợ giúp người già qua đường",
        "địa bàn phường Cốc Lếu mất điện",
        "phản ánh mới\nđường hỏng",
        "",
        "   ",
    ],
)
def test_a_command_inside_a_sentence_is_none(text: str) -> None:
    assert parse_command(text, "PA") is None


@pytest.mark.parametrize(
    "text",
    [
        "Gửi", "GUI", "gửi đi", "gửi luôn", "gui di em", "ok", "Oke nhé", "okie", "đúng", "dung roi", "Dạ, đúng rồi ạ!",
        "vâng", "vâng ạ", "dạ", "ừ", "uh", "chuẩn", "chính xác", "đồng ý", "nhất trí", "xác nhận", "được", "đc", "có",
        "thôi được rồi gửi đi", "ok gửi giúp mình với", "đủ rồi", "👍", "👌👌", "1", "1.", "số 1", "chọn 1",
    ],
)  # fmt: skip
def test_every_way_of_saying_yes_sends(text: str) -> None:
    assert match_choice(text, CONFIRM) == "send"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2", "edit_field"),
        ("số 3", "edit_place"),
        ("hai", "edit_field"),
        ("sua linh vuc", "edit_field"),
        ("sai lĩnh vực rồi", "edit_field"),
        ("sửa địa điểm giúp", "edit_place"),
        ("sai chỗ rồi", "edit_place"),
        ("thêm", "add"),
        ("thêm ảnh", "add"),
        ("huy", "cancel"),
        ("hủy bỏ", "cancel"),
        ("thôi", "cancel"),
        ("đừng gửi", "cancel"),
        ("không gửi nữa", "cancel"),
    ],
)
def test_every_choice_can_be_typed(text: str, value: str) -> None:
    assert match_choice(text, CONFIRM) == value


@pytest.mark.parametrize(
    "text",
    [
        "không", "chưa gửi được", "dừng lại", "gửi ảnh", "gui anh", "gửi cho ai vậy", "cỏ", "6", "0", "12",
        "đường hỏng ở phường Cốc Lếu", "được mấy hôm lại hỏng", "", "...", "🙏", "đúng là bực mình vì ổ gà này",
    ],
)  # fmt: skip
def test_what_is_no_answer_chooses_nothing(text: str) -> None:
    assert match_choice(text, CONFIRM) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("sa pa", None),  # part of two labels
        ("phường sa pa", "commune:03006:"),
        ("Tả Phìn", "commune:03013:Xã Sa Pả"),
        ("ta phin", "commune:03013:Xã Sa Pả"),
        ("phường", "commune:03006:"),
        ("không rõ", "unknown_place"),
        ("k biết", "unknown_place"),
        ("pa", None),
    ],
)
def test_a_part_of_one_label_chooses_it(text: str, value: str | None) -> None:
    assert match_choice(text, COMMUNES) == value


@pytest.mark.parametrize(
    ("text", "verb"),
    [
        ("gửi luôn đi", "send"),
        ("ok gửi", "send"),
        ("đúng, gửi đi", "send"),
        ("sửa địa điểm", "edit_place"),
        ("sai lĩnh vực", "edit_field"),
        ("thêm ảnh", "add"),
        ("đừng gửi nữa", "cancel"),
        ("dung gui", "cancel"),
        ("ok", None),
        ("thôi", None),
        ("đúng rồi", None),
        ("gửi ảnh này", None),
    ],
)
def test_what_is_asked_of_a_draft_at_any_time_is_said_clearly(text: str, verb: str | None) -> None:
    assert match_draft_verb(text) == verb


def test_taking_back_can_be_said() -> None:
    assert asks_to_restore("Lấy lại bản nháp")
    assert asks_to_restore("lay lai di")
    assert not asks_to_restore("lấy lại tiền cho tôi")


@pytest.mark.parametrize(
    ("text", "number"), [("3", 3), ("3.", 3), (" số 3 ", 3), ("ba", 3), ("3 cái", None), ("", None)]
)
def test_numbers_are_typed_in_several_ways(text: str, number: int | None) -> None:
    assert typed_number(text) == number


@given(st.text(max_size=80))
def test_nothing_typed_ever_raises(text: str) -> None:
    parse_command(text, "PA")
    is_yes(text)
    match_draft_verb(text)

    value = match_choice(text, CONFIRM)

    assert value is None or value in {option.value for option in CONFIRM.options}


@given(st.sampled_from([option.label for option in (*CONFIRM.options, *COMMUNES.options)]))
def test_a_label_chooses_itself_with_and_without_accents(label: str) -> None:
    choices = CONFIRM if label in {option.label for option in CONFIRM.options} else COMMUNES
    value = next(option.value for option in choices.options if option.label == label)

    assert {match_choice(form, choices) for form in (label, fold(label), label.upper())} == {value}
