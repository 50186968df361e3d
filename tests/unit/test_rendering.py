import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.base import Capabilities
from bot.rendering import Rendered, render, split_text, utf16_units
from handlers.messages import Ask, Option, Reply

HINT = "Trả lời bằng số 1–{count}."
WITH_BUTTONS = Capabilities(max_text=200, max_caption=50, has_buttons=True, max_buttons=3, max_label=10)
TEXT_ONLY = Capabilities(max_text=200, max_caption=50)
WITHOUT_PHOTOS = Capabilities(max_text=200, sends_photos=False)

YES, NO = Option("c:n:0", "Gửi"), Option("c:n:1", "Sửa")
LONG = Option("c:n:2", "Phường Bình Hưng Hòa B")


@pytest.mark.parametrize(
    ("reply", "capabilities", "expected"),
    [
        (Reply("Chào bạn."), WITH_BUTTONS, Rendered("", ("Chào bạn.",))),
        (Reply("Gửi?", options=(YES, NO)), WITH_BUTTONS, Rendered("", ("Gửi?",), (YES, NO))),
        (
            Reply("Gửi?", options=(YES, NO)),
            TEXT_ONLY,
            Rendered("", ("Gửi?\n\n1. Gửi\n2. Sửa\nTrả lời bằng số 1–2.",)),
        ),
        (  # more than fit: numbered text
            Reply("Gửi?", options=(YES, NO, YES, NO)),
            WITH_BUTTONS,
            Rendered("", ("Gửi?\n\n1. Gửi\n2. Sửa\n3. Gửi\n4. Sửa\nTrả lời bằng số 1–4.",)),
        ),
        (  # a label too long for a button: in full in the text, its number on the button
            Reply("Ở đâu?", options=(YES, LONG)),
            WITH_BUTTONS,
            Rendered(
                "",
                ("Ở đâu?\n\n1. Gửi\n2. Phường Bình Hưng Hòa B\nTrả lời bằng số 1–2.",),
                (Option("c:n:0", "1"), Option("c:n:2", "2")),
            ),
        ),
        (Reply("", options=(YES,)), TEXT_ONLY, Rendered("", ("1. Gửi\nTrả lời bằng số 1–1.",))),
        (Reply("Đã sửa.", photos=("a",)), WITH_BUTTONS, Rendered("Đã sửa.", ())),
        (Reply("", photos=("a", "b")), WITH_BUTTONS, Rendered("", ())),
        (Reply("Đạt?", photos=("a",), options=(YES,)), WITH_BUTTONS, Rendered("Đạt?", (), (YES,))),
        # buttons can't stand under an album, a card is edited as text, an invitation has its own keyboard
        (Reply("Đạt?", photos=("a", "b"), options=(YES,)), WITH_BUTTONS, Rendered("", ("Đạt?",), (YES,))),
        (Reply("Thẻ", photos=("a",), is_card=True), WITH_BUTTONS, Rendered("", ("Thẻ",))),
        (Reply("Ở đâu?", photos=("a",), ask=Ask.LOCATION), WITH_BUTTONS, Rendered("", ("Ở đâu?",))),
        (Reply("x" * 51, photos=("a",)), WITH_BUTTONS, Rendered("", ("x" * 51,))),
        (Reply("Đã sửa.", photos=("a",)), WITHOUT_PHOTOS, Rendered("", ("Đã sửa.",))),
        (Reply("  \n "), WITH_BUTTONS, Rendered("", ())),
    ],
)
def test_how_replies_look(reply: Reply, capabilities: Capabilities, expected: Rendered) -> None:
    assert render(reply, capabilities, hint=HINT) == expected


def test_buttons_belong_to_the_last_part() -> None:
    reply = Reply("một " * 100, options=(YES,))

    rendered = render(reply, WITH_BUTTONS, hint=HINT)

    assert len(rendered.texts) > 1
    assert rendered.buttons == (YES,)


@pytest.mark.parametrize(
    ("text", "limit", "parts"),
    [
        ("", 10, ()),
        ("ngắn", 10, ("ngắn",)),
        ("đoạn một\n\nđoạn hai", 12, ("đoạn một", "đoạn hai")),
        ("dòng một\ndòng hai", 12, ("dòng một", "dòng hai")),
        ("từ một hai", 7, ("từ một", "hai")),
        ("khôngcókhoảngtrắng", 10, ("khôngcókho", "ảngtrắng")),
        ("a\n\nbb cc dd", 8, ("a\n\nbb cc", "dd")),  # a break too early wastes room
        ("vừa đúng", 8, ("vừa đúng",)),
        ("😀😀😀", 4, ("😀😀", "😀")),  # counted twice, never torn
    ],
)
def test_where_long_texts_are_cut(text: str, limit: int, parts: tuple[str, ...]) -> None:
    assert split_text(text, limit) == parts


def test_decomposed_letters_are_composed_before_counting() -> None:
    text = unicodedata.normalize("NFD", "đường hỏng")

    assert split_text(text, 10) == ("đường hỏng",)


def test_units_of_utf_16() -> None:
    for text in ("", "đường", "😀", "a😀b"):
        assert utf16_units(text) == len(text.encode("utf-16-le")) // 2


TEXTS = st.text(alphabet="aă ộ.\n😀\u0301", max_size=300)


@given(TEXTS, st.integers(2, 60), st.sampled_from([utf16_units, len]))
def test_parts_fit_and_lose_nothing_but_spaces(text: str, limit: int, measure: object) -> None:
    parts = split_text(text, limit, measure)  # type: ignore[arg-type]

    assert all(0 < measure(part) <= limit and part == part.strip() for part in parts)  # type: ignore[operator]
    whole = unicodedata.normalize("NFC", text)
    assert "".join("".join(parts).split()) == "".join(whole.split())


@given(TEXTS, st.lists(st.text(alphabet="aộ", min_size=1, max_size=15), max_size=5), st.booleans())
def test_every_label_reaches_the_reader(text: str, labels: list[str], has_buttons: bool) -> None:
    options = tuple(Option(f"c:n:{number}", label) for number, label in enumerate(labels))
    capabilities = WITH_BUTTONS if has_buttons else TEXT_ONLY

    rendered = render(Reply(text, options), capabilities, hint=HINT)

    shown = "".join("".join(rendered.texts).split())
    on_buttons = {button.label for button in rendered.buttons}
    assert all(label in on_buttons or f"{number}.{label}" in shown for number, label in enumerate(labels, start=1))
    assert {button.token for button in rendered.buttons} in ({option.token for option in options}, set())
